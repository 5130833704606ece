import type { Lifetimes } from '../../machines/collector.setup.ts';
import type { CollectorInput } from '../../machines/collector.types.ts';
import { collectorModel } from '../model/collector.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, ends, say } from './play.ts';

/** Two feeds of one stream each. */
export const PREPARED = {
  feeds: [
    { id: 'feed-1', streams: [{ id: 'a' }] },
    { id: 'feed-2', streams: [{ id: 'b' }] },
  ],
  retire: [],
};

export type Run = Session<never>;

/** A collector as its model sets it up, with whatever a test wants otherwise. */
export const begun = (differing: Partial<CollectorInput> = {}): Run =>
  begin({
    ...collectorModel,
    input: (env, clock) => ({ ...collectorModel.input!(env, clock), ...differing }),
  }) as Run;

export const started = (differing?: Partial<CollectorInput>): Run => {
  const run = begun(differing);
  say(run, { type: 'START' });
  return run;
};

/** Two feeds are dialling. */
export const dialing = (differing?: Partial<CollectorInput>): Run => {
  const run = started(differing);
  ends(run, 'prepare', PREPARED);
  say(run, { type: 'STORE.READY' });
  return run;
};

export const up = (run: Run, id: string): void => say(run, { type: 'FEED.UP', id, proof: 'frame' });
export const down = (run: Run, id: string, alarming = false): void =>
  say(run, { type: 'FEED.DOWN', id, reason: `${id} lost`, retryMs: 500, alarming });

/** Both feeds are up. */
export const streaming = (differing?: Partial<CollectorInput>): Run => {
  const run = dialing(differing);
  up(run, 'feed-1');
  up(run, 'feed-2');
  return run;
};

export const stop = (run: Run, timeoutMs?: number): void =>
  say(run, { type: 'STOP', reason: 'asked', ...(timeoutMs === undefined ? {} : { timeoutMs }) });

export const state = (run: Run): string => {
  const words = (value: unknown): string =>
    typeof value === 'string'
      ? value
      : Object.entries(value as object)
          .map(([key, inner]) => `${key}.${words(inner)}`)
          .join();
  return words(run.snapshot.value);
};

export const report = (run: Run): Lifetimes => run.snapshot.context as unknown as Lifetimes;

/** `name outcome`, in the order of the report. */
export const outcomes = (run: Run): readonly string[] =>
  report(run).lines.map(({ name, outcome }) => `${name} ${outcome}`);

export const closed = (name: string) => ({ name, outcome: 'closed', durationMs: 1 });
export const feedClosed = (name: string) => ({ name, lines: [closed(name)] });
export const storeClosed = { ...closed('store'), unwritten: 0 };
