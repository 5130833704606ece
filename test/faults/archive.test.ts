/** Faults of the archive, as whoever loads a history sees them: the bars come from elsewhere, and it is said. */
import { describe, expect, test } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { type ArchiveFile, dayFile, monthFile } from '../../src/binance/archive.ts';
import type { Fault } from '../../src/simulator/fault-shapes.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import {
  BTC,
  csvOf,
  DAY,
  loadAll,
  MINUTE,
  query,
  restOf,
  sourceIn,
  sourceOn,
  sources,
  time,
  truthOf,
  values,
  writeFile,
} from '../history/rig.ts';
import { bar } from '../pipeline/candles.ts';
import { folder, startExchange } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';

const exchangeAt = (now: string): Promise<SimulatedExchange> =>
  startExchange({ startTime: time(now), timeScale: 1 });
const DAYS = '/data/futures/um/daily/';
const MONTHS = '/data/futures/um/monthly/';
const THIRD = `${DAYS}klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-03`;

describe('files that are not there, or not as they should be', () => {
  const broken: [string, Fault[], Record<string, number>, RegExp][] = [
    [
      'H09 a day answered 404 is taken from REST, and named',
      [{ kind: 'rest', path: THIRD, status: 404 }],
      { rest: 1440, vision: 2880 },
      /^missing file \| there is no BTCUSDT-1m-2026-02-03\.zip \| taken from REST$/u,
    ],
    [
      'H09 a file without a checksum is refused',
      [{ kind: 'rest', path: `${THIRD}.zip.CHECKSUM`, status: 404 }],
      { rest: 1440, vision: 2880 },
      /^refused file \| .*no checksum \| taken from REST$/u,
    ],
    [
      'H09 a file with a wrong checksum is refused',
      [
        {
          kind: 'rest',
          path: `${THIRD}.zip.CHECKSUM`,
          body: `${'0'.repeat(64)}  BTCUSDT-1m-2026-02-03.zip\n`,
        },
      ],
      { rest: 1440, vision: 2880 },
      /^refused file \| .*checksum of BTCUSDT-1m-2026-02-03\.zip is 0{64}, but .* \| taken from REST$/u,
    ],
    [
      'H09 a page of HTML for a checksum is refused',
      [{ kind: 'rest', path: `${THIRD}.zip.CHECKSUM`, body: '<html>Attention required</html>' }],
      { rest: 1440, vision: 2880 },
      /^refused file \| .* \| taken from REST$/u,
    ],
  ];
  test.each(broken)('%s', async (_, faults, from, note) => {
    const exchange = await exchangeAt('2026-02-10T12:00');
    for (const fault of faults) exchange.inject(fault);
    const wanted = query('2026-02-02', '2026-02-05');
    const { candles, notes, lacking } = await loadAll(sourceOn(exchange).source, wanted);
    expect(values(candles)).toEqual(values(truthOf(exchange.truth, wanted)));
    expect(sources(candles)).toEqual(from);
    expect(notes).toEqual([expect.stringMatching(note)]);
    expect(lacking).toEqual([]);
  });

  test('H09 days answered 404 are taken from their month, which is fetched once', async () => {
    const exchange = await exchangeAt('2026-03-10T12:00');
    exchange.inject({ kind: 'rest', path: DAYS, status: 404 });
    const wanted = query('2026-02-15', '2026-03-02');
    const { candles, notes, parts } = await loadAll(sourceOn(exchange).source, wanted);
    expect(values(candles)).toEqual(values(truthOf(exchange.truth, wanted)));
    expect(sources(candles)).toEqual({ vision: 14 * 1440, rest: 1440 });
    expect(notes).toHaveLength(15);
    expect(notes[13]).toMatch(/taken from BTCUSDT-1m-2026-02\.zip$/u);
    expect(notes[14]).toMatch(/taken from REST$/u);
    const months = exchange.log().filter((entry) => 'path' in entry && entry.path.includes(MONTHS));
    expect(months).toHaveLength(2);
    // Each day has memory of its own, not the month's.
    const buffers = parts.flatMap(({ blocks }) => blocks.map(({ columns }) => columns.openTime.buffer));
    expect(new Set(buffers).size).toBe(15);
    for (const { byteLength } of buffers) expect(byteLength).toBe(1440 * 11 * 8);
  });

  test('H09 without REST a file that is missing is lacking, and one that is refused is owed', async () => {
    const exchange = await exchangeAt('2026-02-10T12:00');
    exchange.inject({ kind: 'rest', path: THIRD, status: 404 });
    exchange.inject({
      kind: 'rest',
      path: `${DAYS}klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-04.zip.CHECKSUM`,
      body: 'x',
    });
    const wanted = query('2026-02-02', '2026-02-06', { source: 'vision' });
    const { source } = sourceOn(exchange);
    const { plan, candles, lacking, unreached } = await loadAll(source, wanted);
    expect(sources(candles)).toEqual({ vision: 2 * 1440 });
    const run = (from: string) => ({ fromOpenTime: time(from), toOpenTime: time(from) + DAY - MINUTE });
    expect(lacking).toEqual([run('2026-02-03')]);
    expect(unreached).toEqual([run('2026-02-04')]);
    const confirmed = await source.confirm(plan.query, lacking);
    expect(confirmed.lacking).toEqual([{ ...lacking[0], reason: expect.stringMatching(/archive/u) }]);
  });

  test('H09 an archive that can not be reached is given up after a few files, and said so once', async () => {
    const exchange = await exchangeAt('2026-02-10T12:00');
    const wanted = query('2026-02-02', '2026-02-08');
    const away = { restUrl: exchange.restUrl, visionUrl: 'http://127.0.0.1:1' };
    const { source } = sourceOn(away, { clock: fastClock(50) });
    const { candles, notes } = await loadAll(source, wanted);
    expect(values(candles)).toEqual(values(truthOf(exchange.truth, wanted)));
    expect(sources(candles)).toEqual({ rest: 6 * 1440 });
    expect(notes.filter((note) => note.endsWith('REST is asked from here on'))).toHaveLength(1);
    expect(notes.length).toBeLessThanOrEqual(3);
    await expect(loadAll(source, { ...wanted, source: 'vision' })).rejects.toMatchObject({
      name: 'ExchangeError',
    });
  });

  test('H11 a file that was published anew is taken as it is now', async () => {
    const exchange = await exchangeAt('2026-02-10T12:00');
    const { source, files } = sourceOn(exchange);
    const wanted = query('2026-02-03', '2026-02-05');
    const before = await loadAll(source, wanted);
    const openTime = time('2026-02-03T12:00');
    exchange.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime });
    const after = await loadAll(source, wanted);
    expect(values(after.candles)).toEqual(values(truthOf(exchange.truth, wanted)));
    expect(after.candles.filter((candle, at) => candle.volume !== before.candles[at]!.volume)).toEqual([
      expect.objectContaining({ openTime, source: 'vision' }),
    ]);
    expect(files.counts).toMatchObject({ misses: 3, hits: 1 });
  });
});

describe('what a file holds', () => {
  const FROM = time('2026-02-03');
  const day = (): Candle[] =>
    Array.from({ length: 1440 }, (_, at) => bar(FROM + at * MINUTE, 'rest', BTC, { count: 100 }));
  const file = dayFile(BTC, FROM) as ArchiveFile;
  const full = day();
  const at = (openTime: number): number => (openTime - FROM) / MINUTE;
  const shift = (candles: readonly Candle[], ms: number): Candle[] =>
    candles.map((candle) => ({
      ...candle,
      openTime: candle.openTime + ms,
      closeTime: candle.closeTime + ms,
    }));
  const HEADER =
    'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';

  test.each<[string, string[]]>([
    ['H10 a header row', [HEADER, ...csvOf(full)]],
    ['H10 no header row', csvOf(full)],
    [
      'H10 times in µs',
      full.map((candle) => csvOf([candle])[0]!.replace(/^(\d{13})(.*),(\d{13}),/u, '$1000$2,$3999,')),
    ],
  ])('%s: read for what it is', async (_, lines) => {
    const dir = folder();
    writeFile(dir, file, lines);
    const { candles, notes, lacking } = await loadAll(sourceIn(dir), query('2026-02-03', '2026-02-04'));
    expect(values(candles)).toEqual(values(full));
    expect(sources(candles)).toEqual({ vision: 1440 });
    expect([...notes, ...lacking]).toEqual([]);
  });

  const defects: [string, Candle[], RegExp, number[]][] = [
    ['H10 duplicates', [...full.slice(0, 800), full[700]!, ...full.slice(800)], /1 rows doubled/u, []],
    [
      'H10 two values of one bar',
      [...full.slice(0, 800), { ...full[799]!, volume: 3 }, ...full.slice(800)],
      /1 rows contra/u,
      [799],
    ],
    ['H10 holes', full.filter((_, n) => n < 600 || n > 604), /5 bars missing/u, [600, 601, 602, 603, 604]],
    ['H10 rows out of order', [full[1]!, full[0]!, ...full.slice(2)], /1 rows out of order/u, []],
    ['H10 labels shifted by an hour', shift(full, 60 * MINUTE), /1 days labelled/u, full.map((_, n) => n)],
    ['H10 labels shifted by a second', shift(full, 1_000), /1 days labelled/u, full.map((_, n) => n)],
  ];
  test.each(defects)('%s: the day is taken from REST, and noted', async (_, rows, found) => {
    const dir = folder();
    writeFile(dir, file, csvOf(rows));
    const { rest } = await restOf(full, time('2026-02-10'));
    const { candles, notes, lacking } = await loadAll(sourceIn(dir, rest), query('2026-02-03', '2026-02-04'));
    expect(values(candles)).toEqual(values(full));
    expect(lacking).toEqual([]);
    expect(sources(candles)).toEqual({ rest: 1440 });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^defect \| /u);
    expect(notes[0]).toMatch(found);
    expect(notes[0]).toMatch(/1440 bars taken from REST$/u);
  });

  test.each(defects)(
    '%s: without REST the sound rows are kept, and the others lack',
    async (_, rows, found, lost) => {
      const dir = folder();
      writeFile(dir, file, csvOf(rows));
      const source = sourceIn(dir);
      const { candles, notes, lacking, plan } = await loadAll(source, query('2026-02-03', '2026-02-04'));
      expect(values(candles)).toEqual(values(full.filter((__, n) => !lost.includes(n))));
      expect(notes).toEqual([expect.stringMatching(found)]);
      expect(lacking.map((run) => [at(run.fromOpenTime), at(run.toOpenTime)])).toEqual(
        lost.length === 0 ? [] : [[lost[0], lost.at(-1)]],
      );
      const confirmed = await source.confirm(plan.query, lacking);
      for (const { reason } of confirmed.lacking) expect(reason).toMatch(/archive folder has no such bar/u);
      expect(confirmed.lacking).toHaveLength(lacking.length);
    },
  );

  test('H10 what REST lacks of a day with defects is kept from the file, where it is sound', async () => {
    const dir = folder();
    writeFile(dir, file, csvOf(full.filter((_, n) => n < 600 || n > 604)));
    const { rest } = await restOf(
      full.map((candle) => ({ ...candle, volume: 2.5 })).filter((_, n) => n !== 602 && n !== 1_000),
      time('2026-02-10'),
    );
    const { candles, lacking } = await loadAll(sourceIn(dir, rest), query('2026-02-03', '2026-02-04'));
    expect(sources(candles)).toEqual({ rest: 1438, vision: 1 });
    expect(candles.find(({ source }) => source === 'vision')).toMatchObject({
      openTime: FROM + 1_000 * MINUTE,
      volume: 2,
    });
    expect(lacking.map(({ fromOpenTime }) => at(fromOpenTime))).toEqual([602]);
  });

  test('H10 of a month only the days with defects are taken from REST', async () => {
    const dir = folder();
    const whole = Array.from({ length: 28 * 1440 }, (_, n) =>
      bar(time('2026-02-01') + n * MINUTE, 'rest', BTC),
    );
    const lines = csvOf(whole.filter(({ openTime }) => openTime !== FROM + 5 * MINUTE));
    writeFile(dir, monthFile(BTC, time('2026-02-01')) as ArchiveFile, lines);
    const { rest, server } = await restOf(whole, time('2026-03-10'));
    const { candles, parts } = await loadAll(sourceIn(dir, rest), query('2026-02-01', '2026-03-01'));
    expect(values(candles)).toEqual(values(whole));
    expect(sources(candles)).toEqual({ vision: 27 * 1440, rest: 1440 });
    expect(parts.flatMap(({ blocks }) => blocks).map((block) => [...candlesIn(block)].length)).toEqual([
      2 * 1440,
      1440,
      25 * 1440,
    ]);
    expect(server.arrivals.filter(({ path }) => path.includes('klines'))).toHaveLength(1 + 3);
  });

  test('H10 bars without trades among busy ones are asked of REST, which has them', async () => {
    const dir = folder();
    const silent = full.map((candle, n) =>
      n >= 100 && n < 130 ? { ...candle, volume: 0, count: 0 } : candle,
    );
    writeFile(dir, file, csvOf(silent));
    const { rest } = await restOf(full, time('2026-02-10'));
    const mended = await loadAll(sourceIn(dir, rest), query('2026-02-03', '2026-02-04'));
    expect(values(mended.candles)).toEqual(values(full));
    expect(mended.notes).toEqual([
      'doubtful | 30 bars without trades among busy ones | 1440 bars taken from REST',
    ]);
    const same = await restOf(silent, time('2026-02-10'));
    const told = await loadAll(sourceIn(dir, same.rest), query('2026-02-03', '2026-02-04'));
    expect(sources(told.candles)).toEqual({ vision: 1440 });
    expect(told.notes[0]).toMatch(/^doubtful .* REST has the same$/u);
    const kept = await loadAll(sourceIn(dir), query('2026-02-03', '2026-02-04'));
    expect(values(kept.candles)).toEqual(values(silent));
    expect(kept.notes[0]).toMatch(/^doubtful .* REST was not asked$/u);
  });
});
