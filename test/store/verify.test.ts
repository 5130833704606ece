/** A store is looked through: each kind of fault is found, named, counted and nothing else is; a sound one passes. */
import { closeSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, INTERVALS } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { LISTED_MAX } from '../../src/store/verify.findings.ts';
import { auditStore } from '../../src/store/verify.ts';
import { bar } from '../pipeline/candles.ts';
import { TOLERANCE_MS, timed, within } from '../support/wait.ts';
import {
  asRows,
  barsOf,
  countsIn,
  FROM,
  found,
  openTimeOf,
  plant,
  seriesOf,
  WITHOUT_RULES,
  write,
} from './faulty.ts';
import { execute, filesOf, useFolder } from './stores.ts';

const { here, writer } = useFolder();
const BTC = seriesOf('1m');
const at = (index: number): number => FROM + index * 60_000;

const gap = (from: number, to: number, series = BTC): Row => ({
  gap: {
    ...series,
    fromOpenTime: at(from),
    toOpenTime: at(to),
    reason: 'the exchange lacks it',
    detectedAt: 1,
  },
});

/** A hundred minutes. */
const hundred = (): void => write(here.path, asRows(barsOf(BTC, 100)));

describe('a sound store', () => {
  test.each(INTERVALS)('of %s passes', (interval) => {
    const series = seriesOf(interval);
    write(here.path, asRows(barsOf(series, 40)));
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({});
    expect(findings.series).toEqual([
      {
        ...series,
        bars: 40,
        firstOpenTime: FROM,
        lastOpenTime: openTimeOf(interval, 39),
        openGaps: 0,
        openGapBars: 0,
        findings: 0,
      },
    ]);
  });

  test('says how far its bars and open gaps reach, within the range that is looked at', () => {
    write(here.path, asRows(barsOf(BTC, 100)));
    expect(found(here.path).reaches).toEqual([{ ...BTC, from: at(0), to: at(100) }]);
    const name = (from: number, to: number, filledAt: number | null): void =>
      execute(
        here.path,
        `INSERT INTO gaps VALUES ('BTCUSDT', '1m', ${at(from)}, ${at(to)}, 'none', 1, ${filledAt});
        DELETE FROM candles WHERE open_time BETWEEN ${at(from)} AND ${at(to)} AND ${filledAt} IS NULL`,
      );
    name(-3, -1, null);
    name(98, 101, null);
    name(-9, -9, 7);
    expect(found(here.path).reaches).toEqual([{ ...BTC, from: at(-3), to: at(102) }]);
    const [from, to] = [at(-1) - 1, at(100) - 1];
    expect(found(here.path, { from, to }).reaches).toEqual([{ ...BTC, from: at(-1), to: at(100) }]);
    expect(found(here.path, { from: at(200) }).reaches).toEqual([]);
  });

  test.each([1, 2])('of 3d passes from whichever day its bars count, here %s after', (days) => {
    const series = seriesOf('3d');
    write(here.path, asRows(barsOf(series, 40, FROM + days * DAY_MS)));
    expect(countsIn(found(here.path))).toEqual({});
    execute(here.path, `DELETE FROM candles WHERE open_time = ${FROM + (days + 30) * DAY_MS}`);
    expect(found(here.path).findings).toMatchObject([{ kind: 'hole', bars: 1 }]);
  });

  test.each(INTERVALS)('of %s that lacks three bars does not, and they are named', (interval) => {
    write(here.path, asRows(barsOf(seriesOf(interval), 40)));
    const [first, last] = [openTimeOf(interval, 7), openTimeOf(interval, 9)];
    execute(here.path, `DELETE FROM candles WHERE open_time BETWEEN ${first} AND ${last}`);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ hole: 1 });
    expect(findings.findings).toEqual([
      {
        kind: 'hole',
        symbol: 'BTCUSDT',
        interval,
        openTime: first,
        toOpenTime: last,
        bars: 3,
        found: 'neither stored nor named',
      },
    ]);
  });

  test('may lack what is named as missing, and have it filled later; nothing is changed by looking', () => {
    const late = [bar(at(21), 'rest'), bar(at(22), 'rest')].map((one) => ({ ...one, ...BTC }));
    write(here.path, asRows(barsOf(BTC, 20)), [gap(20, 24)], asRows(barsOf(BTC, 10, at(25))));
    write(here.path, [{ fill: { ...BTC, reason: 'the exchange lacks it', candles: late, filledAt: 9 } }]);
    const before = filesOf(here.folder);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({});
    expect(findings.series).toMatchObject([{ bars: 32, openGaps: 2, openGapBars: 3 }]);
    expect(findings.gaps).toEqual([
      { ...BTC, fromOpenTime: at(20), toOpenTime: at(20), reason: 'the exchange lacks it', detectedAt: 1 },
      { ...BTC, fromOpenTime: at(23), toOpenTime: at(24), reason: 'the exchange lacks it', detectedAt: 1 },
    ]);
    expect(filesOf(here.folder)).toEqual(before);
  });

  test('may have a series that ended, one that only has gaps, and one that is collected anew from before', () => {
    const old = seriesOf('1m', 'LUNAUSDT');
    write(
      here.path,
      asRows(barsOf(old, 5)),
      [gap(0, 4, seriesOf('1m', 'MUTEUSDT'))],
      asRows(barsOf(BTC, 10, at(100))),
      [{ rewind: { ...BTC, openTime: at(99) } }],
    );
    expect(countsIn(found(here.path))).toEqual({});
  });

  test('without a single row passes', () => {
    write(here.path, []);
    expect(found(here.path)).toMatchObject({ origin: 'simulator', series: [], findings: [], gaps: [] });
  });

  test('is whatever the program itself writes', () => {
    const runs = fc.array(
      fc.record({
        interval: fc.constantFrom(...INTERVALS),
        pieces: fc.array(fc.record({ bars: fc.nat(12), missing: fc.nat(3), fills: fc.nat(3) }), {
          maxLength: 8,
        }),
      }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(runs, (series) => {
        for (const end of ['', '.lock']) rmSync(here.path + end, { force: true });
        for (const [index, { interval, pieces }] of series.entries())
          write(here.path, ...ledgerOf(seriesOf(interval, `S${index}USDT`), pieces));
        expect(countsIn(found(here.path))).toEqual({});
      }),
      { numRuns: 60 },
    );
  });

  /** What a run commits: bars, what the exchange lacks, and some of that later. */
  function ledgerOf(
    series: Series,
    pieces: readonly { bars: number; missing: number; fills: number }[],
  ): Row[][] {
    let next = FROM;
    const take = (count: number) => {
      const candles = count === 0 ? [] : barsOf(series, count, next);
      const last = candles.at(-1);
      if (last !== undefined) next = last.closeTime + 1;
      return candles;
    };
    return pieces.map(({ bars, missing, fills }) => {
      const [stored, lacking] = [asRows(take(bars)), take(missing)];
      const [first, last] = [lacking[0], lacking.at(-1)];
      if (first === undefined || last === undefined) return stored;
      const run = { fromOpenTime: first.openTime, toOpenTime: last.openTime };
      const candles = lacking.slice(0, fills);
      const fill: Row[] =
        candles.length === 0 ? [] : [{ fill: { ...series, reason: 'none', candles, filledAt: next } }];
      return [...stored, { gap: { ...series, ...run, reason: 'none', detectedAt: next } }, ...fill];
    });
  }
});

describe('what is wrong is found, and nothing else', () => {
  const where = `symbol = 'BTCUSDT' AND open_time = ${at(50)}`;
  const insert = (openTime: number, closeTime: number): string =>
    `INSERT INTO candles SELECT symbol, interval, ${openTime}, open, high, low, close, volume, ${closeTime},
    quote_volume, count, taker_buy_volume, taker_buy_quote_volume, source FROM candles WHERE ${where};`;

  test.each([
    ['low above high', 'low = high + 1', 'low above high'],
    ['an open above the high', 'open = high + 1', 'open outside low and high'],
    ['a close below the low', 'close = low - 1', 'close outside low and high'],
    ['a price below zero', 'low = -1', 'a price below zero'],
    ['a negative volume', 'volume = -1, taker_buy_volume = -2', 'negative volume or count'],
    ['a negative count', 'count = -1', 'negative volume or count'],
    ['a negative share of takers', 'taker_buy_volume = -1', 'negative volume or count'],
    ['more bought by takers than traded', 'taker_buy_volume = volume * 2', 'more bought by takers'],
    ['the same in the other currency', 'taker_buy_quote_volume = quote_volume * 2', 'more bought by takers'],
    ['more trades than numbers hold', 'count = 9223372036854775807', 'more trades than can be counted'],
  ])('ohlc: %s', (_, change, words) => {
    hundred();
    plant(here.path, `UPDATE candles SET ${change} WHERE ${where}`);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ ohlc: 1 });
    expect(findings.findings).toMatchObject([
      {
        ...BTC,
        kind: 'ohlc',
        openTime: at(50),
        found: expect.stringContaining(words),
        values: { source: 'rest' },
      },
    ]);
  });

  test.each([
    ['an infinite high', 'high = 9e999', 'high'],
    ['an infinite volume', 'volume = 9e999', 'volume'],
    ['an open that is null', 'open = NULL', 'open'],
    ['a text for a close', "close = 'much'", 'close'],
    ['bytes for a count', "count = x'00'", undefined],
  ])('ohlc: %s, in a table without rules', (_, change, name) => {
    hundred();
    plant(here.path, `${WITHOUT_RULES} UPDATE candles SET ${change} WHERE ${where}`);
    const findings = found(here.path);
    if (name === undefined) {
      expect(findings.counts.ohlc).toBeLessThanOrEqual(1);
      return;
    }
    expect(countsIn(findings)).toEqual({ ohlc: 1 });
    expect(findings.findings[0]?.found).toBe(`${name} is no finite number`);
  });

  test('ohlc: an infinite price that was put past the rules of the table', () => {
    hundred();
    plant(here.path, `UPDATE candles SET high = 9e999 WHERE ${where}`);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ ohlc: 1 });
    expect(findings.findings[0]).toMatchObject({
      kind: 'ohlc',
      values: { high: 'Infinity', open: expect.any(Number) },
    });
  });

  test('hole: the first bars of what the store says is whole', () => {
    hundred();
    plant(here.path, `DELETE FROM candles WHERE open_time < ${at(3)}`);
    const hole = {
      kind: 'hole',
      openTime: at(0),
      toOpenTime: at(2),
      bars: 3,
      found: 'neither stored nor named',
    };
    expect(found(here.path).findings).toMatchObject([hole]);
    expect(found(here.path, { from: at(2) }).findings).toMatchObject([
      { openTime: at(2), toOpenTime: at(2) },
    ]);
    expect(found(here.path, { to: at(2) }).findings).toMatchObject([{ openTime: at(0), toOpenTime: at(1) }]);
    expect(countsIn(found(here.path, { from: at(3) }))).toEqual({});
  });

  test('closeTime: not the last millisecond of the bar', () => {
    hundred();
    plant(here.path, `UPDATE candles SET close_time = close_time + 1 WHERE ${where}`);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ closeTime: 1 });
    expect(findings.findings).toMatchObject([
      { openTime: at(50), values: { closeTime: at(51) }, found: `its end is ${at(51) - 1}` },
    ]);
  });

  test('closeTime: of a month, which has a length of its own', () => {
    const series = seriesOf('1M');
    write(here.path, asRows(barsOf(series, 12)));
    plant(here.path, `UPDATE candles SET close_time = open_time + ${30 * DAY_MS - 1}`);
    // July, August, October, December, January, February, March, May have not thirty days.
    expect(countsIn(found(here.path))).toEqual({ closeTime: 8 });
  });

  test('misaligned: a bar off the grid behind the last one', () => {
    hundred();
    plant(here.path, insert(at(100) + 30_000, at(101) + 29_999));
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ misaligned: 1 });
    expect(findings.findings).toMatchObject([
      { openTime: at(100) + 30_000, found: 'no bar of 1m opens there' },
    ]);
  });

  test('misaligned and overlapping: a bar in the middle of another; its neighbours are not blamed', () => {
    hundred();
    plant(here.path, insert(at(50) + 30_000, at(51) + 29_999));
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ misaligned: 1, overlapping: 1 });
    expect(findings.findings.map(({ openTime }) => openTime)).toEqual([at(50) + 30_000, at(50) + 30_000]);
  });

  test.each(['9223372036854775807', '-9223372036854775808', '9007199254740993'])(
    'misaligned: at a time that there is not, %s',
    (time) => {
      hundred();
      plant(here.path, insert(Number(time), 1).replace(`, ${Number(time)},`, `, ${time},`));
      const findings = found(here.path);
      expect(countsIn(findings)).toEqual({ misaligned: 1 });
      expect(findings.findings).toMatchObject([{ ...BTC, values: { openTime: time } }]);
    },
  );

  test.each([
    ['1w', 'a week that does not begin on a Monday', DAY_MS],
    ['1M', 'a month that begins on the second', DAY_MS],
    ['3d', 'three days that most bars do not count', DAY_MS],
    ['1d', 'a day that begins at one', DAY_MS / 24],
  ] as const)('misaligned: %s, %s', (interval, _, shift) => {
    const series = seriesOf(interval);
    write(here.path, asRows(barsOf(series, 20)));
    const [time, next] = [openTimeOf(interval, 20) + shift, openTimeOf(interval, 21) + shift];
    plant(here.path, insert(time, next - 1).replace(where, `open_time = ${FROM}`));
    expect(countsIn(found(here.path))).toEqual({ misaligned: 1 });
  });

  test('unknownInterval: its rows are counted', () => {
    hundred();
    plant(
      here.path,
      "UPDATE candles SET interval = '7m' WHERE open_time >= 0; UPDATE watermarks SET interval = '7m'",
    );
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ unknownInterval: 1 });
    expect(findings.findings).toMatchObject([{ symbol: 'BTCUSDT', interval: '7m', bars: 100 }]);
    expect(findings.series).toMatchObject([{ interval: '7m', bars: 100, findings: 1 }]);
  });

  test.each([
    ['all of its bars are stored', gap(0, 4), '5 of its bars are stored', [at(0), at(4)]],
    ['one of its bars is stored', gap(99, 101), '1 of its bars are stored', [at(99), at(101)]],
    ['it ends before it begins', gap(120, 110), 'it ends before it begins', [at(120), at(110)]],
  ])('gap: %s', (_, row, words, [openTime, toOpenTime]) => {
    hundred();
    if (!('gap' in row)) throw new Error('no gap');
    const { fromOpenTime, toOpenTime: to } = row.gap;
    plant(here.path, `INSERT INTO gaps VALUES ('BTCUSDT', '1m', ${fromOpenTime}, ${to}, 'none', 1, NULL)`);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ gap: 1 });
    expect(findings.findings).toMatchObject([
      { ...BTC, kind: 'gap', openTime, toOpenTime, found: expect.stringContaining(words) },
    ]);
  });

  test('gap: two share bars', () => {
    write(here.path, asRows(barsOf(BTC, 10)), [gap(10, 20)], asRows(barsOf(BTC, 5, at(21))));
    plant(here.path, `INSERT INTO gaps VALUES ('BTCUSDT', '1m', ${at(15)}, ${at(20)}, 'none', 1, NULL)`);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ gap: 1 });
    expect(findings.findings).toMatchObject([
      { openTime: at(15), found: 'it shares bars with a gap before it' },
    ]);
  });

  test('gap: it does not begin with a bar', () => {
    write(here.path, asRows(barsOf(BTC, 10)), [gap(10, 20)], asRows(barsOf(BTC, 5, at(21))));
    plant(here.path, `UPDATE gaps SET from_open_time = from_open_time + 1, to_open_time = to_open_time + 1`);
    expect(found(here.path).findings).toMatchObject([
      { kind: 'hole', openTime: at(10), bars: 1 },
      { kind: 'gap', found: 'it does not begin and end with a bar' },
    ]);
  });

  test('hole: a gap that is marked as filled names nothing any more', () => {
    write(here.path, asRows(barsOf(BTC, 10)), [gap(10, 20)], asRows(barsOf(BTC, 5, at(21))));
    plant(here.path, 'UPDATE gaps SET filled_at = 5');
    expect(found(here.path).findings).toMatchObject([
      { kind: 'hole', bars: 11, openTime: at(10), toOpenTime: at(20) },
    ]);
  });

  test('hole: what lies behind how far the series is collected is said', () => {
    write(here.path, asRows(barsOf(BTC, 10, at(100))), [{ rewind: { ...BTC, openTime: at(-1) } }]);
    write(here.path, asRows(barsOf(BTC, 10)));
    expect(found(here.path).findings).toMatchObject([
      {
        kind: 'hole',
        openTime: at(10),
        bars: 90,
        found: expect.stringContaining('behind what has been collected'),
      },
    ]);
  });

  test('future: a bar that had not ended when the store was last written', () => {
    hundred();
    plant(here.path, insert(at(100), at(101) - 1));
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ future: 1 });
    expect(findings.findings).toMatchObject([{ openTime: at(100) }]);
    plant(here.path, "DELETE FROM meta WHERE key = 'exchange_time'");
    expect(countsIn(found(here.path))).toEqual({});
  });

  test('watermark: beyond what is stored, with nothing stored, and where no bar opens', () => {
    hundred();
    const mark = (symbol: string, time: number): string =>
      `INSERT OR REPLACE INTO watermarks (symbol, interval, open_time) VALUES ('${symbol}', '1m', ${time});`;
    plant(here.path, mark('BTCUSDT', at(100)) + mark('ETHUSDT', at(5)));
    expect(found(here.path).findings).toMatchObject([
      {
        kind: 'watermark',
        symbol: 'BTCUSDT',
        openTime: at(100),
        found: expect.stringContaining(String(at(99))),
      },
      {
        kind: 'watermark',
        symbol: 'ETHUSDT',
        openTime: at(5),
        found: expect.stringContaining('the beginning'),
      },
    ]);
    plant(here.path, mark('BTCUSDT', at(50) + 1) + mark('ETHUSDT', at(5)));
    expect(countsIn(found(here.path, { symbol: 'BTCUSDT' }))).toEqual({ watermark: 1 });
  });

  test('source: from where no candle can be from', () => {
    hundred();
    plant(here.path, `UPDATE candles SET source = 'hearsay' WHERE ${where}`);
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ source: 1 });
    expect(findings.findings).toMatchObject([{ openTime: at(50), found: 'it is said to be from hearsay' }]);
  });

  test('several at once: each kind is counted for itself, and the series that are sound are told from the others', () => {
    hundred();
    write(here.path, asRows(barsOf(seriesOf('5m', 'ETHUSDT'), 20)));
    plant(
      here.path,
      `UPDATE candles SET low = high + 1 WHERE symbol = 'BTCUSDT' AND open_time < ${at(30)};
      DELETE FROM candles WHERE symbol = 'BTCUSDT' AND open_time BETWEEN ${at(40)} AND ${at(44)}`,
    );
    const findings = found(here.path);
    expect(countsIn(findings)).toEqual({ hole: 1, ohlc: 30 });
    expect(findings.findings.filter(({ kind }) => kind === 'ohlc')).toHaveLength(LISTED_MAX);
    expect(findings.series.map(({ symbol, findings: count }) => [symbol, count])).toEqual([
      ['BTCUSDT', 31],
      ['ETHUSDT', 0],
    ]);
  });
});

describe('a part of a store', () => {
  test('one symbol, one interval: the faults of others are not found', () => {
    for (const symbol of ['AUSDT', 'BUSDT'])
      for (const interval of ['1m', '5m'] as const)
        write(here.path, asRows(barsOf(seriesOf(interval, symbol), 9)));
    plant(
      here.path,
      "DELETE FROM candles WHERE open_time IN (SELECT open_time FROM candles LIMIT 1 OFFSET 4) AND symbol = 'AUSDT'",
    );
    expect(found(here.path).series).toHaveLength(4);
    expect(countsIn(found(here.path, { symbol: 'BUSDT' }))).toEqual({});
    expect(found(here.path, { symbol: 'AUSDT', interval: '1m' })).toMatchObject({
      series: [{ symbol: 'AUSDT', interval: '1m', findings: 1 }],
    });
  });

  test.each([
    ['before the hole', 0, 40, 40, []],
    ['up to it', 30, 45, 10, [[40, 44]]],
    ['from it', 45, 60, 10, [[45, 49]]],
    ['within it', 42, 44, 0, [[42, 43]]],
    ['in the middle of bars', 41.5, 43.5, 0, [[42, 43]]],
    ['behind it', 50, 100, 50, []],
    ['all of it', 0, 200, 90, [[40, 49]]],
  ] as const)('of a range only its own bars count: %s', (_, from, to, bars, holes) => {
    hundred();
    execute(here.path, `DELETE FROM candles WHERE open_time BETWEEN ${at(40)} AND ${at(49)}`);
    const findings = found(here.path, { from: at(from), to: at(to) });
    expect(findings.series).toMatchObject([{ bars }]);
    expect(findings.findings.map(({ openTime, toOpenTime }) => [openTime, toOpenTime])).toEqual(
      holes.map(([first, last]) => [at(first), at(last)]),
    );
  });

  test('gaps are cut to the range', () => {
    write(here.path, asRows(barsOf(BTC, 10)), [gap(10, 20)], asRows(barsOf(BTC, 5, at(21))));
    const findings = found(here.path, { from: at(15), to: at(18) });
    expect(findings).toMatchObject({ series: [{ bars: 0, openGaps: 1, openGapBars: 3 }], findings: [] });
  });
});

describe('a file', () => {
  test('S04 with damaged pages: what can be read is read, and the damage is found', async () => {
    write(here.path, asRows(barsOf(BTC, 2_000)));
    const file = openSync(here.path, 'r+');
    for (const page of [9, 10, 11, 12]) writeSync(file, Buffer.alloc(512, 0xa5), 0, 512, page * 4096);
    closeSync(file);
    const before = filesOf(here.folder);
    const findings = await auditStore({ path: here.path });
    expect(findings.counts.integrity).toBeGreaterThan(0);
    expect(filesOf(here.folder)).toEqual(before);
  });

  test('cut in the middle is damaged', () => {
    write(here.path, asRows(barsOf(BTC, 2_000)));
    truncateSync(here.path, 20 * 4096);
    expect(found(here.path).counts.integrity).toBeGreaterThan(0);
  });

  test('without a table that a store has can not be looked through, and says which', async () => {
    hundred();
    execute(here.path, 'DROP TABLE gaps');
    await expect(auditStore({ path: here.path })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('gaps'),
    });
  });

  test('that is not there, empty, of another program or newer is refused', async () => {
    const refused = async (): Promise<string> =>
      auditStore({ path: here.path }).then(
        () => 'taken',
        (error) => error.code,
      );
    expect(await refused()).toBe('STORE_UNUSABLE');
    writeFileSync(here.path, '');
    expect(await refused()).toBe('STORE_UNUSABLE');
    writeFileSync(here.path, 'a letter to a friend '.repeat(100));
    expect(await refused()).toBe('STORE_FOREIGN');
    rmSync(here.path);
    execute(here.path, 'CREATE TABLE songs (title)');
    expect(await refused()).toBe('STORE_FOREIGN');
    rmSync(here.path);
    hundred();
    execute(here.path, 'PRAGMA user_version = 99');
    expect(await refused()).toBe('STORE_NEWER');
  });

  test('that is being written is sound at every moment', async () => {
    const one = writer();
    await one.open();
    let looks = 0;
    const looking = (async () => {
      for (; looks < 3; looks++) expect(countsIn(await auditStore({ path: here.path }))).toEqual({});
    })();
    for (let next = 0; looks < 3; next += 5) {
      const batch = barsOf(BTC, 5, at(next));
      await one.commit([...asRows(batch), gap(next + 5, next + 5)], at(next + 6));
      next++;
    }
    await looking;
    await one.close(at(0));
  });

  test('that an open transaction of another program holds is read as it was before', async () => {
    hundred();
    const other = new DatabaseSync(here.path);
    other.exec(`BEGIN IMMEDIATE; DELETE FROM candles WHERE open_time = ${at(9)}`);
    expect(countsIn(await auditStore({ path: here.path }))).toEqual({});
    other.exec('COMMIT');
    expect(countsIn(await auditStore({ path: here.path }))).toEqual({ hole: 1 });
    other.close();
  });

  test('is let go of at once when the signal says so', async () => {
    hundred();
    const abort = new AbortController();
    const looking = auditStore({ path: here.path }, { signal: abort.signal });
    abort.abort(new Error('enough'));
    const { took } = await timed(expect(within('the look', looking)).rejects.toThrow('enough'));
    expect(took).toBeLessThan(TOLERANCE_MS);
  });

  test('tells how far it is', async () => {
    hundred();
    const said: unknown[] = [];
    await auditStore({ path: here.path }, { onProgress: (progress) => said.push(progress) });
    expect(said).toEqual([
      { series: BTC, seriesDone: 0, bars: 0 },
      { seriesDone: 1, bars: 100 },
    ]);
  });
});
