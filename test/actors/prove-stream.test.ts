import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { proveStreamActor } from '../../src/actors/prove-stream.ts';
import { SharedWork, Turnstile } from '../../src/actors/shared-work.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import { at, BTC, bar, ETH, frame, rig } from '../pipeline/candles.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { clockSetTo, rowOf } from './exchange.ts';
import { fakeRest } from './harness.ts';

/** Counts of the bars that each reading sees, by minute; the last reading stays. */
function asking(readings: readonly Record<number, number>[], since: 'now' | 'last' = 'now') {
  const clock = new FakeClock();
  const exchangeClock = clockSetTo(clock, at(2) + 30_000);
  const one = rig({ series: [BTC, ETH], exchangeNow: at(2) + 30_000 });
  const { rest, asked } = fakeRest((_: VenueRequest, times: number) =>
    Object.entries(readings[Math.min(times, readings.length) - 1] ?? {}).map(([index, count]) =>
      rowOf(bar(at(Number(index)), 'rest', BTC, { count })),
    ),
  );
  const logic = proveStreamActor({ rest, clock, exchangeClock, pipeline: one.pipeline });
  const ask = (series = BTC) => {
    const actor = createActor(logic, { input: { series, since, spacingMs: 3_000 } });
    actor.subscribe({ error: () => {} });
    return actor.start();
  };
  return { ...one, clock, asked, ask };
}

describe('a stream that never spoke', () => {
  test('of a symbol that rests is quiet after one spacing, and its bars are owed from the current one on', async () => {
    const { ask, clock, asked, cursor } = asking([{ 1: 0, 2: 0 }]);
    const actor = ask();
    await clock.advance(3_000);
    expect(actor.getSnapshot().output).toBe('quiet');
    expect(asked).toHaveLength(2);
    expect(cursor.due).toBe(at(2));
  });

  test('of a symbol that trades now is mute, once a frame under way had its time', async () => {
    const { ask, clock, cursor } = asking([{ 1: 9, 2: 5 }, { 2: 6 }]);
    const actor = ask();
    await clock.advance(5_999);
    expect(actor.getSnapshot().status).toBe('active');
    await clock.advance(1);
    expect(actor.getSnapshot().output).toBe('mute');
    expect(cursor.due).toBe(at(2));
  });

  test('is not quiet because a symbol that trades rarely did not in those seconds', async () => {
    // Nine in ninety seconds: five are to be expected in fifty.
    const { ask, clock, asked } = asking([{ 1: 6, 2: 3 }, { 2: 3 }, { 2: 3 }, { 2: 3 }, { 2: 4 }]);
    const actor = ask();
    await clock.advance(20_000);
    expect(actor.getSnapshot().status).toBe('active');
    await clock.advance(10_000);
    expect(actor.getSnapshot().output).toBe('mute');
    expect(asked).toHaveLength(5);
  });

  test('is quiet in the end when nothing is traded for as long as that', async () => {
    const { ask, clock, asked } = asking([{ 1: 6, 2: 3 }, { 2: 3 }]);
    const actor = ask();
    await clock.advance(49_000);
    expect(actor.getSnapshot().status).toBe('active');
    await clock.advance(1_500);
    expect(actor.getSnapshot().output).toBe('quiet');
    expect(asked.length).toBeLessThanOrEqual(7);
  });

  test('is mute by the trades of a bar that began between two readings', async () => {
    const { ask, clock } = asking([{ 2: 0 }, { 2: 0, 3: 1 }]);
    const actor = ask();
    await clock.advance(6_000);
    expect(actor.getSnapshot().output).toBe('mute');
  });

  test('of a symbol without a single bar is quiet', async () => {
    const { ask, clock } = asking([]);
    const actor = ask();
    await clock.advance(3_000);
    expect(actor.getSnapshot().output).toBe('quiet');
  });
});

describe('a stream that had spoken', () => {
  test('is judged by one reading against its last frame, and later against that reading', async () => {
    const { ask, clock, asked, pipeline } = asking([{ 1: 9, 2: 5 }, { 2: 5 }, { 2: 5, 3: 2 }], 'last');
    pipeline.take(frame(at(2), { closed: false, k: { n: 5 } }), 1);
    for (const verdict of ['quiet', 'quiet', 'mute']) {
      const actor = ask();
      await clock.advance(3_000);
      expect(actor.getSnapshot().output).toBe(verdict);
    }
    expect(asked).toHaveLength(3);
  });

  test('is judged by later bars alone when its last frame does not tell how many trades there were', async () => {
    const { ask, clock, pipeline } = asking([{ 2: 500 }], 'last');
    pipeline.take(frame(at(2), { closed: false, k: { n: null } }), 1);
    const actor = ask();
    await clock.advance(0);
    expect(actor.getSnapshot().output).toBe('quiet');
  });
});

describe('work that is shared', () => {
  const forever = (signal: AbortSignal): Promise<number> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

  test('is done once for all who come before its door closes', async () => {
    const shared = new SharedWork<number>();
    let begun = 0;
    let close = (): void => {};
    const work = async (_: AbortSignal, closeDoor: () => void): Promise<number> => {
      begun += 1;
      close = closeDoor;
      const mine = begun;
      await settle();
      return mine;
    };
    const { signal } = new AbortController();
    const first = shared.join('a', signal, work);
    const second = shared.join('a', signal, work);
    const other = shared.join('b', signal, async () => 7);
    await Promise.resolve();
    close();
    const late = shared.join('a', signal, work);
    expect(await Promise.all([first, second, other])).toEqual([1, 1, 7]);
    expect(await late).toBe(2);
    expect(await shared.join('a', signal, work)).toBe(3);
  });

  test('is given up when the last who waits has gone, and not before', async () => {
    const shared = new SharedWork<number>();
    const [one, other] = [new AbortController(), new AbortController()];
    let given: AbortSignal | undefined;
    const work = (signal: AbortSignal): Promise<number> => {
      given = signal;
      return forever(signal);
    };
    const waiting = [one, other].map(({ signal }) => shared.join('a', signal, work).catch(() => 'gone'));
    await settle();
    one.abort();
    await settle();
    expect(given?.aborted).toBe(false);
    other.abort();
    expect(await Promise.all(waiting)).toEqual(['gone', 'gone']);
    expect(given?.aborted).toBe(true);
    await expect(shared.join('a', one.signal, work)).rejects.toThrow();
  });

  test('goes through a turnstile a few at a time, whoever fails or leaves', async () => {
    const turnstile = new Turnstile(2);
    const gone = new AbortController();
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await settle();
      inside -= 1;
      if (most % 2 === 1) throw new Error('no');
    };
    const { signal } = new AbortController();
    const passing = Array.from({ length: 9 }, (_, index) =>
      turnstile.pass(index === 4 ? gone.signal : signal, work).catch(() => {}),
    );
    gone.abort();
    await Promise.all(passing);
    expect(most).toBe(2);
    expect(inside).toBe(0);
    await turnstile.pass(signal, async () => {});
  });
});
