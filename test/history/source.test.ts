import { describe, expect, test } from 'vitest';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { startExchange } from '../support/collector.ts';
import { BTC, DAY, loadAll, MINUTE, query, sourceOn, sources, time, truthOf, values } from './rig.ts';

const NOW = time('2026-02-10T12:00:30');
/** An exchange whose time passes as ours does. */
const exchangeAt = (startTime = NOW): Promise<SimulatedExchange> =>
  startExchange({ startTime, timeScale: 1 });
const asked = (exchange: SimulatedExchange, part: string): string[] =>
  exchange.log().flatMap((entry) => ('path' in entry && entry.path.includes(part) ? [entry.path] : []));

describe('auto', () => {
  test('takes whole days from the archive and the rest from REST: all bars, in order, each once', async () => {
    const exchange = await exchangeAt();
    const { source } = sourceOn(exchange);
    const wanted = query('2026-02-05T23:00', '2026-02-11');
    const { plan, parts, candles, lacking, unreached } = await loadAll(source, wanted);
    const end = time('2026-02-10T12:00');
    expect(plan.range).toEqual({ from: wanted.from, to: end });
    expect(plan.pieces.map(({ by }) => by)).toEqual(['rest', 'day', 'day', 'day', 'rest']);
    expect(plan.bars).toBe((end - wanted.from) / MINUTE);
    expect(candles).toHaveLength(plan.bars);
    expect(values(candles)).toEqual(values(truthOf(exchange.truth, { ...wanted, to: end })));
    expect(sources(candles)).toEqual({ rest: 60 + 1440 + 720, vision: 3 * 1440 });
    expect([...lacking, ...unreached]).toEqual([]);
    expect(parts.map(({ piece }) => plan.pieces.indexOf(piece))).toEqual([0, 1, 2, 3, 4]);
    expect(plan.notes).toMatchObject([{ kind: 'outside', from: end, to: wanted.to }]);
    // Pages of the size that gives most rows for their weight; the archive's files with their checksums.
    expect(asked(exchange, '/klines?').map((path) => /limit=(\d+)/u.exec(path)?.[1])).toEqual(
      expect.arrayContaining(['1', '60', '499', '164']),
    );
    expect(asked(exchange, '.zip')).toHaveLength(6);
  });

  test('hands over blocks that share no memory', async () => {
    const exchange = await exchangeAt();
    const { parts } = await loadAll(sourceOn(exchange).source, query('2026-02-06', '2026-02-10'));
    const blocks = parts.flatMap((part) => part.blocks);
    expect(new Set(blocks.map(({ columns }) => columns.openTime.buffer)).size).toBe(blocks.length);
  });

  test('takes only what is missing', async () => {
    const exchange = await exchangeAt();
    const { source } = sourceOn(exchange);
    const missing = [
      { from: time('2026-02-03'), to: time('2026-02-04') },
      { from: time('2026-02-05T10:00'), to: time('2026-02-05T10:03') },
    ];
    const { candles, plan } = await loadAll(source, query('2026-02-01', '2026-02-07', { missing }));
    expect(plan.pieces.map(({ by }) => by)).toEqual(['day', 'rest']);
    expect(values(candles)).toEqual(
      missing.flatMap((part) => values(truthOf(exchange.truth, { ...BTC, ...part }))),
    );
  });

  test.each(['3d', '1w', '1M', '4h'] as const)(
    'takes %s from REST, and never an open bar',
    async (interval) => {
      const exchange = await exchangeAt();
      const wanted = query('2025-10-01', '2026-03-01', { interval });
      const { candles, plan } = await loadAll(sourceOn(exchange).source, wanted);
      expect(asked(exchange, '.zip')).toEqual([]);
      expect(values(candles)).toEqual(values(truthOf(exchange.truth, { ...wanted, ...plan.range })));
      expect(candles.at(-1)!.closeTime).toBeLessThan(NOW);
      expect(candles.length).toBeGreaterThanOrEqual(4);
    },
  );

  test('begins with the first bar of the series: what is before it is no gap', async () => {
    const exchange = await exchangeAt();
    const { onboardDate } = exchange.truth.symbols()[0]!;
    const from = onboardDate - 3 * DAY;
    const { plan, lacking, candles, notes } = await loadAll(sourceOn(exchange).source, {
      ...query('2026-02-01', '2026-02-02'),
      from,
      to: onboardDate + DAY,
    });
    expect(plan.range.from).toBeGreaterThanOrEqual(onboardDate);
    expect(candles[0]!.openTime).toBe(plan.range.from);
    expect(lacking).toEqual([]);
    expect(notes[0]).toMatch(/^outside \| the series begins at /u);
  });
});

describe('one source alone', () => {
  test('vision never asks REST, trims its files, and leaves what is not published', async () => {
    const exchange = await exchangeAt();
    const { source } = sourceOn(exchange, { clock: clockAt(NOW) });
    const wanted = query('2026-02-05T23:00', '2026-02-10', { source: 'vision' });
    const { candles, plan, lacking, notes } = await loadAll(source, wanted);
    expect(asked(exchange, '/fapi/')).toEqual([]);
    expect(plan.range.to).toBe(time('2026-02-09'));
    expect(values(candles)).toEqual(values(truthOf(exchange.truth, { ...wanted, to: time('2026-02-09') })));
    expect(sources(candles)).toEqual({ vision: 60 + 3 * 1440 });
    expect(lacking).toEqual([]);
    expect(notes).toEqual(['outside | the archive has not published it yet | not asked for']);
  });

  test('vision does not take a symbol that the archive has nothing of for one without bars', async () => {
    const exchange = await exchangeAt();
    const { source } = sourceOn(exchange, { clock: clockAt(NOW) });
    const ofNobody = query('2026-02-05', '2026-02-07', { source: 'vision', symbol: 'NOBODYUSDT' });
    await expect(loadAll(source, ofNobody)).rejects.toMatchObject({
      name: 'ConfigurationError',
      issues: [expect.objectContaining({ option: 'symbol' })],
    });
    const days = { kind: 'rest', path: '/data/futures/um/daily/', status: 404 } as const;
    exchange.inject(days);
    exchange.inject({ ...days, path: '/data/futures/um/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2025' });
    const ofBtc = query('2025-10-05', '2025-10-07', { source: 'vision' });
    expect((await loadAll(source, ofBtc)).candles).toEqual([]);
  });

  test.each([
    ['1M', 4],
    ['1w', 17],
    ['12h', 246],
  ] as const)('vision has files of %s', async (interval, bars) => {
    const exchange = await exchangeAt();
    const { source } = sourceOn(exchange, { clock: clockAt(NOW) });
    const wanted = query('2025-10-01', '2026-02-01', { interval, source: 'vision' });
    const { candles } = await loadAll(source, wanted);
    expect(candles).toHaveLength(bars);
    expect(values(candles)).toEqual(
      values(truthOf(exchange.truth, { ...wanted, from: candles[0]!.openTime })),
    );
  });

  test('rest never asks the archive', async () => {
    const exchange = await exchangeAt();
    const wanted = query('2026-02-01', '2026-02-09', { source: 'rest' });
    const { candles, parts } = await loadAll(sourceOn(exchange).source, wanted);
    expect(asked(exchange, '.zip')).toEqual([]);
    expect(values(candles)).toEqual(values(truthOf(exchange.truth, wanted)));
    // A long piece comes in parts that fit in memory.
    expect(parts).toHaveLength(3);
  });

  test('a symbol that nobody knows is wrong configuration', async () => {
    const exchange = await exchangeAt();
    const { source } = sourceOn(exchange);
    for (const name of ['rest', 'auto'] as const)
      await expect(
        source.plan(query('2026-01-05', '2026-02-09', { symbol: 'NOSUCHUSDT', source: name })),
      ).rejects.toMatchObject({ code: 'CONFIGURATION', option: 'symbol' });
    expect(asked(exchange, '.zip').length).toBeLessThan(20);
  });
});

/** The local calendar says this time. */
function clockAt(now: number) {
  return {
    now: () => performance.now(),
    wallNow: () => now,
    setTimeout: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  };
}
