import type { Held } from '../../machines/model/hold.ts';
import { type QuotaPort, type RestRequest, restSessionMachine } from '../../machines/rest-session.machine.ts';
import { model, stub } from './walk/index.ts';

/** A request that breaks the machine when it is settled twice. */
export function request(
  path = '/fapi/v1/klines',
  more: Pick<RestRequest, 'priority' | 'signal'> = {},
): RestRequest & { readonly settled: () => unknown } {
  const answers: unknown[] = [];
  const settle = (answer: unknown): void => {
    answers.push(answer);
    if (answers.length > 1) throw new Error('a request was settled twice');
  };
  return {
    path,
    params: {},
    weight: 1,
    ...more,
    resolve: settle,
    reject: settle,
    settled: () => answers[0],
  };
}

/** A quota that is what the walk made it, and keeps what was sent. */
export class FakeQuota implements QuotaPort {
  readonly #now: () => number;
  readonly begun: object[] = [];
  hold: { kind: Held['kind']; until: number } | undefined;
  /** By the budget, until then nothing of this priority goes. */
  spentUntil = { live: 0, background: 0 };

  constructor(now: () => number) {
    this.#now = now;
  }

  held(): Held | undefined {
    if (this.hold === undefined || this.hold.until <= this.#now()) return undefined;
    return { kind: this.hold.kind, forMs: this.hold.until - this.#now(), reason: `${this.hold.kind}!` };
  }

  waitMs(_weight: number, priority: 'live' | 'background'): number {
    return Math.max(0, this.spentUntil[priority] - this.#now());
  }

  begin(call: object): void {
    this.begun.push(call);
  }

  impose(kind: Held['kind'], forMs: number): void {
    this.hold = { kind, until: this.#now() + forMs };
  }

  spend(forMs: number, liveToo = true): void {
    const until = this.#now() + forMs;
    this.spentUntil = { live: liveToo ? until : this.spentUntil.live, background: until };
  }
}

/** A session for which one waiting request is many, and one retry; so small that all of it can be walked. */
export const restSessionModel = model(restSessionMachine.provide({ actors: { call: stub, release: stub } }))({
  env: (clock) => ({ quota: new FakeQuota(() => clock.now()) }),
  input: (env, clock) => ({
    id: 'rest',
    queueMax: 1,
    callsMax: 1,
    retriesMax: 1,
    quota: env.quota,
    random: () => 0.5,
    now: () => clock.now(),
  }),
  events: () => ({
    REQUEST: [{ type: 'REQUEST', request: request() }],
    CLOSE: [{ type: 'CLOSE', withinMs: 3_000 }],
  }),
  errors: (child) =>
    child === 'release'
      ? [new Error('boom')]
      : [Object.assign(new Error('500'), { status: 500 }), Object.assign(new Error('400'), { status: 400 })],
  knobs: [
    { label: 'limited', run: ({ env }) => env.quota.impose('limited', 5_000) },
    { label: 'limited for long', run: ({ env }) => env.quota.impose('limited', 50_000) },
    { label: 'banned', run: ({ env }) => env.quota.impose('banned', 5_000) },
    { label: 'banned for long', run: ({ env }) => env.quota.impose('banned', 50_000) },
    { label: 'spent', run: ({ env }) => env.quota.spend(5_000) },
    { label: 'refilled', run: ({ env }) => env.quota.spend(0) },
  ],
  abstract: (context, { quota }) => [
    context.queue.length,
    [...context.queue, ...Object.values(context.calls)].some(({ tries }) => tries > 0),
    quota.held()?.kind,
    (quota.held()?.forMs ?? 0) > 15_000,
    quota.waitMs(1, 'live') > 0,
  ],
});
