/** A REST session, asked and answered. */
import { expect } from 'vitest';
import type { RestCall, RestRequest } from '../../machines/rest-session.machine.ts';
import { type FakeQuota, request, restSessionModel } from '../model/rest-session.model.ts';
import type { Model, Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, say } from './play.ts';

/** As a collector has it: four slots, three retries, some room. */
const roomy: typeof restSessionModel = {
  ...restSessionModel,
  input: (env, clock) => ({
    ...restSessionModel.input!(env, clock),
    queueMax: 6,
    callsMax: 4,
    retriesMax: 3,
  }),
};
type Env = typeof restSessionModel extends Model<infer _, infer E> ? E : never;
export const begun = () => {
  const run = begin<Env>(roomy);
  return Object.assign(run as Session<never>, { quota: run.env.quota as FakeQuota });
};
export type Run = ReturnType<typeof begun>;
type Asked = ReturnType<typeof request>;

export function ask(
  run: Session<never>,
  path?: string,
  more?: Pick<RestRequest, 'priority' | 'signal'>,
): Asked {
  const asked = request(path, more);
  say(run, { type: 'REQUEST', request: asked });
  return asked;
}
export const inSlot = (run: Run, slot: number): RestCall =>
  (child(run, `call${slot}`).getSnapshot() as StubSnapshot).input as RestCall;
/** Paths under way, by slot. */
export const underWay = (run: Run): string[] =>
  [0, 1, 2, 3].flatMap((slot) => (run.children[`call${slot}`] ? [inSlot(run, slot).request.path] : []));
export const state = (run: Run): unknown => (run.snapshot.value as { open: unknown }).open;
export const heard = (run: Run): unknown[] => run.heard.map((event) => event.type);
export const refused = (code: string) => expect.objectContaining({ code, retryable: true });
export const http = (status: number): Error => Object.assign(new Error(`HTTP ${status}`), { status });
