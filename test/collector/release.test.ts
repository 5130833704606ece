/** What a stop lets go of last: a writer's thread, connections, the embedded exchange, each of which may hang. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { StopReport } from '../../src/index.ts';
import { collectFrom, expectContiguous, newStore, startExchange, watch } from '../support/collector.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';

/** What hangs or fails when it is let go of; ended in truth all the same, so that nothing is left behind. */
const trouble = vi.hoisted(() => ({
  of: new Map<'exchange' | 'connections' | 'thread', 'hangs' | 'fails'>(),
  async after(part: 'exchange' | 'connections' | 'thread', end: Promise<unknown>): Promise<void> {
    const kind = trouble.of.get(part);
    await end;
    if (kind === 'fails') throw new Error(`the ${part} did not want to end`);
    if (kind === 'hangs') await new Promise(() => {});
  },
}));
afterEach(() => trouble.of.clear());

vi.mock(import('../../src/simulator/index.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    startSimulator: async (options) => {
      const exchange = await real.startSimulator(options);
      return { ...exchange, close: () => trouble.after('exchange', exchange.close()) };
    },
  };
});
vi.mock(import('../../src/transport/http.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    createHttpClient: (clock) => {
      const client = real.createHttpClient(clock);
      return { ...client, close: () => trouble.after('connections', client.close()) };
    },
  };
});
vi.mock(import('../../src/store/writer.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    SqliteWriter: class extends real.SqliteWriter {
      override terminate(): Promise<unknown> {
        return trouble.after('thread', super.terminate());
      }
    },
  };
});

const EMBEDDED = { symbols: ['BTCUSDT'], intervals: ['1m'], network: 'simulator', timeScale: 300 } as const;

/** The lines of what did not end by itself. */
const wrong = ({ components }: StopReport): unknown[] =>
  components.filter(({ outcome }) => outcome !== 'closed').map(({ name, outcome }) => [name, outcome]);

describe('a stop', () => {
  test('has no line for what was let go of in time', async () => {
    const { collector } = watch({ ...EMBEDDED, store: newStore() });
    await collector.startStreaming();
    const report = await collector.stop();
    expect(report.components.map(({ name }) => name)).toEqual(['feed0', 'rest', 'store']);
    expect(report.clean).toBe(true);
  });

  test('leaves an embedded exchange that does not end, in time, and names it', async () => {
    const { collector, log } = watch(EMBEDDED);
    await collector.startStreaming();
    trouble.of.set('exchange', 'hangs');
    const { value: reports, took } = await timed(
      within('the stops', Promise.all([collector.stop({ timeoutMs: 300 }), collector.stop()])),
    );
    expect(took).toBeLessThan(300 + TOLERANCE_MS);
    expect(reports[0]).toBe(reports[1]);
    expect(await collector.stop()).toBe(reports[0]);
    expect(reports[0].clean).toBe(false);
    expect(wrong(reports[0])).toEqual([['exchange', 'forced']]);
    // What was waited for in vain counts, too.
    expect(reports[0].durationMs).toBeGreaterThan(200);
    expect(reports[0].durationMs).toBeLessThan(300 + TOLERANCE_MS);
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ cancelled: ['exchange'] }),
      }),
    );
  });

  test.each([300, 0])('leaves a thread that does not end, within %i ms', async (timeoutMs) => {
    const { collector } = collectFrom(await startExchange(), { store: newStore() });
    await collector.startStreaming();
    trouble.of.set('thread', 'hangs');
    const { value: report, took } = await timed(within('the stop', collector.stop({ timeoutMs })));
    expect(took).toBeLessThan(timeoutMs + TOLERANCE_MS);
    expect(wrong(report)).toContainEqual(['store.thread', 'forced']);
  });

  test.each([300, 0])('leaves connections that do not end, within %i ms', async (timeoutMs) => {
    const { collector } = collectFrom(await startExchange());
    await collector.startStreaming();
    trouble.of.set('connections', 'hangs');
    const { value: report, took } = await timed(within('the stop', collector.stop({ timeoutMs })));
    expect(took).toBeLessThan(timeoutMs + TOLERANCE_MS);
    // It is the session that closes them, wherever it is told to.
    expect(wrong(report)).toContainEqual(['rest', 'forced']);
  });

  test('says what failed to end, and waits for the others', async () => {
    const { collector } = watch({ ...EMBEDDED, store: newStore() });
    await collector.startStreaming();
    trouble.of.set('exchange', 'fails');
    const report = await within('the stop', collector.stop());
    expect(report.clean).toBe(false);
    expect(report.components.at(-1)).toMatchObject({
      name: 'exchange',
      outcome: 'failed',
      error: 'the exchange did not want to end',
    });
  });

  test('of a collector whose actor somebody else has ended lets go of all, too', async () => {
    const { collector } = watch({ ...EMBEDDED, store: newStore(), stopTimeoutMs: 300 });
    await collector.startStreaming();
    trouble.of.set('exchange', 'hangs').set('connections', 'hangs').set('thread', 'hangs');
    collector.actor.stop();
    const { value: report, took } = await timed(within('the stop', collector.stop()));
    expect(took).toBeLessThan(300 + TOLERANCE_MS);
    expect(wrong(report)).toEqual([
      ['store.thread', 'forced'],
      ['rest.connections', 'forced'],
      ['exchange', 'forced'],
    ]);
  });
});

describe('a start', () => {
  test.each(['hangs', 'fails'] as const)(
    'behind an embedded exchange whose end %s has one of its own',
    async (how) => {
      const { collector, candles } = watch({ ...EMBEDDED, stopTimeoutMs: 300 });
      await collector.startStreaming();
      trouble.of.set('exchange', how);
      await collector.stop();
      await within('the second start', collector.startStreaming(), 4_000);
      const count = candles.length;
      await until('bars of the second life', () => candles.length > count + 2);
      trouble.of.clear();
      await collector.stop();
      expectContiguous(candles);
    },
  );
});
