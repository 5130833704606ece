/** The stop with consumers of every kind, and from inside them: in time, one report, nothing left. */
import { describe, expect, test } from 'vitest';
import type { CollectorEvents, StopReport } from '../../src/index.ts';
import { newStore } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { type Scene, scene, streaming } from '../support/stopping.ts';
import { until, within } from '../support/wait.ts';

/** For a clock that is forty times as fast as the network, ms. */
const PATIENT = { openTimeoutMs: 400_000, ackTimeoutMs: 400_000, pongTimeoutMs: 400_000, silenceMs: 400_000 };

describe('a consumer that never returns holds up no stop:', () => {
  test('B02 listeners whose promises never settle', async () => {
    const begun = await scene({ store: newStore() });
    for (const event of ['candle', 'update', 'state', 'gap', 'revision', 'error'] as const)
      begun.collector.on(event, () => new Promise(() => {}));
    await begun.collector.startStreaming();
    await until('candles', () => begun.candles.length > 5);
    expect(await begun.stops({ timeoutMs: 2_000 })).toMatchObject({ clean: true, unwritten: 0 });
  });

  test('B02 a listener that blocks for 200 ms at each candle', async () => {
    // A bar a second, so that it does nothing else for a fifth of the time.
    const begun = await scene({ store: newStore(), symbols: ['BTCUSDT'] }, { timeScale: 60 });
    const block = new Int32Array(new SharedArrayBuffer(4));
    begun.collector.on('candle', () => void Atomics.wait(block, 0, 0, 200));
    await begun.collector.startStreaming();
    await until('candles', () => begun.candles.length > 0);
    expect(await begun.stops({ timeoutMs: 2_000 })).toMatchObject({ clean: true, unwritten: 0 });
  });

  test('B02 a loop over candles whose body never goes on', async () => {
    const begun = await scene({ store: newStore(), queueSize: 2 });
    let taken = 0;
    const loop = async (): Promise<void> => {
      for await (const _ of begun.collector.candles()) {
        taken += 1;
        await new Promise(() => {});
      }
    };
    await begun.collector.startStreaming();
    void loop();
    await until('candles', () => begun.candles.length > 6);
    expect(await begun.stops({ timeoutMs: 2_000 })).toMatchObject({ clean: true, unwritten: 0 });
    expect(taken).toBe(1);
  });

  test('L07 a read that waits for a candle is over with the stop', async () => {
    const begun = await streaming({ symbols: ['BTCUSDT'] }, { timeScale: 300 });
    const iterator = begun.collector.candles();
    const waiting = iterator.next();
    await begun.stops({ timeoutMs: 1_000 });
    // Bars that closed meanwhile may come first.
    const read = async (): Promise<void> => {
      if ((await waiting).done !== true) for (; (await iterator.next()).done !== true; );
    };
    await within('the end of the iterator', read());
  });
});

describe('a stop from inside a consumer’s callback ends without a deadlock:', () => {
  /** The report that the first call of a listener got, which waits for it. */
  const fromInside = (begun: Scene, event: keyof CollectorEvents, timeoutMs = 2_000): Promise<StopReport> =>
    new Promise((resolve) => {
      let calls = 0;
      begun.collector.on(event, async () => {
        calls += 1;
        if (calls === 1) resolve(await begun.collector.stop({ timeoutMs, reason: `in ${event}` }));
      });
    });

  test.each(['candle', 'update', 'state', 'error'] as const)('L02 %s', async (event) => {
    const begun = await scene({ store: newStore() });
    const report = fromInside(begun, event);
    if (event === 'error')
      begun.collector.on('candle', () => {
        throw new Error('of a listener');
      });
    const starting = begun.collector.startStreaming().catch(() => {});
    const ended = await within('the report', report);
    await starting;
    expect(ended).toMatchObject({ clean: true, reason: `in ${event}`, unwritten: 0 });
    expect(await begun.collector.stop()).toBe(ended);
    await begun.leavesNothing();
  });

  test('L02 gap', async () => {
    // It takes REST ten seconds to say three times that it lacks a bar: they pass in a quarter of one.
    const clock = fastClock(40);
    const begun = await scene(
      {
        clock,
        store: newStore(),
        symbols: ['BTCUSDT'],
        backfillMs: 3_600_000,
        connectTimeoutMs: 'never',
        timing: PATIENT,
      },
      { clock, timeScale: 20 },
    );
    const now = begun.exchange.now();
    begun.exchange.inject({ kind: 'absent', symbol: 'BTCUSDT', from: now - 1_200_000, to: now - 600_000 });
    const report = fromInside(begun, 'gap', 80_000);
    const starting = begun.collector.startStreaming().catch(() => {});
    const ended = await within('the report', report);
    await starting;
    expect(ended).toMatchObject({ clean: true, reason: 'in gap', unwritten: 0 });
    await begun.leavesNothing();
  });

  test('L02 the body of a loop over candles', async () => {
    const begun = await scene({ store: newStore() });
    await begun.collector.startStreaming();
    const ask = async (): Promise<StopReport> => {
      const reports: StopReport[] = [];
      // It goes on to the end: what was closed before the stop is still given out.
      for await (const _ of begun.collector.candles())
        reports.push(await begun.collector.stop({ timeoutMs: 2_000 }));
      expect(new Set(reports).size).toBe(1);
      return reports[0] as StopReport;
    };
    expect(await begun.stops({ timeoutMs: 2_500, ask })).toMatchObject({ clean: true, unwritten: 0 });
  });
});
