/** A store is held against its source: what differs is found, told and counted, and nothing else. */

import { describe, expect, test } from 'vitest';
import { blockOf } from '../../machines/model/block.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { countBars, INTERVALS, nextOpenTime } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { compareSeries } from '../../src/history/compare/compare.ts';
import { DIFFERENCES_LISTED_MAX, Differences } from '../../src/history/compare/differences.ts';
import type { HistoryNote, HistoryQuery, HistorySource } from '../../src/history/types.ts';
import { asRows, barsOf, FROM, seriesOf, write } from '../store/faulty.ts';
import { filesOf, useFolder } from '../store/stores.ts';

const { here } = useFolder();
const BTC = seriesOf('1m');
const at = (index: number): number => FROM + index * 60_000;
const HUNDRED: Span = { from: at(0), to: at(100) };

interface Script {
  /** What it has. */
  readonly bars: readonly Candle[];
  /** What it has when it is asked again. */
  readonly late?: readonly Candle[];
  /** What it does not answer for. */
  readonly unreached?: Run;
  /** The range that it speaks of, when that is not what it is asked for. */
  readonly range?: Span;
  /** Days without a file. */
  readonly absent?: Span;
}

/** Bars in parts of ten, as a source gives them. */
function scripted(script: Script) {
  const asked: { lacking: readonly Run[] }[] = [];
  const within = ({ from, to }: Span, bars = script.bars) =>
    bars.filter(({ openTime }) => openTime >= from && openTime < to);
  const note = (query: HistoryQuery, { from, to }: Span): HistoryNote => {
    const { symbol, interval } = query;
    return { symbol, interval, kind: 'missing file', from, to, found: 'there is no file', done: 'left out' };
  };
  const source: HistorySource = {
    async plan(query) {
      const range = script.range ?? query;
      const { from, to } = range;
      return { query, range: { from, to }, pieces: [], bars: countBars(query.interval, from, to), notes: [] };
    },
    async *load({ query, range }, signal) {
      for (let from = range.from; from < range.to; ) {
        signal?.throwIfAborted();
        let to = from;
        for (let bar = 0; bar < 10 && to < range.to; bar++) to = nextOpenTime(query.interval, to);
        const found = within({ from, to });
        const { unreached, absent } = script;
        yield {
          from,
          to,
          piece: { from, to, by: 'rest' },
          blocks: [blockOf(query, 'rest', found.slice(0, 3)), blockOf(query, 'rest', found.slice(3))],
          lacking: [],
          unreached: unreached === undefined ? [] : [unreached],
          notes: absent === undefined || absent.from >= to || absent.to <= from ? [] : [note(query, absent)],
        };
        from = to;
      }
    },
    async confirm(query, lacking) {
      asked.push({ lacking });
      const late = script.late ?? [];
      return {
        blocks: late.map((bar) => blockOf(query, 'rest', [bar])),
        lacking: lacking.map((run) => ({ ...run, reason: 'none' })),
        unreached: [],
      };
    },
  };
  return { source, asked };
}

/** Compares the store of this test with what is scripted. */
async function compare(script: Script, series = BTC, range = HUNDRED) {
  const differences = new Differences();
  const { source, asked } = scripted(script);
  await compareSeries(series, range, { path: here.path, source, by: 'rest', differences });
  return { differences, asked };
}

const hundred = (): Candle[] => {
  const bars = barsOf(BTC, 100);
  write(here.path, asRows(bars));
  return bars;
};

const changed = (bars: readonly Candle[], index: number, change: Partial<Candle>): Candle[] =>
  bars.map((bar, at) => (at === index ? { ...bar, ...change } : bar));

describe('a store that', () => {
  test.each(INTERVALS)(
    'has what the source has of %s does not differ, and is not touched',
    async (interval) => {
      const series = seriesOf(interval);
      const bars = barsOf(series, 30);
      write(here.path, asRows(bars));
      const before = filesOf(here.folder);
      const range = { from: FROM, to: nextOpenTime(interval, bars.at(-1)?.openTime ?? 0) };
      const { differences, asked } = await compare({ bars }, series, range);
      expect(differences.isNone).toBe(true);
      expect(differences.counts).toMatchObject({
        compared: 30,
        different: 0,
        here: 0,
        there: 0,
        unpublished: 0,
      });
      expect(asked).toEqual([]);
      expect(filesOf(here.folder)).toEqual(before);
    },
  );

  test.each([
    'open',
    'high',
    'low',
    'close',
    'volume',
    'closeTime',
    'quoteVolume',
    'count',
    'takerBuyVolume',
    'takerBuyQuoteVolume',
  ] as const)('has another %s differs in that, by one bit already', async (field) => {
    const bars = hundred();
    const stored = bars[42]?.[field] ?? Number.NaN;
    const theirs = field === 'count' || field === 'closeTime' ? stored + 1 : stored * (1 + Number.EPSILON);
    const { differences } = await compare({ bars: changed(bars, 42, { [field]: theirs }) });
    expect(differences.isNone).toBe(false);
    expect(differences.counts).toMatchObject({ compared: 100, different: 1, fields: { [field]: 1 } });
    expect(differences.listed).toEqual([{ ...BTC, openTime: at(42), field, stored, theirs }]);
  });

  test('came from elsewhere does not differ by that', async () => {
    const bars = hundred();
    const { differences } = await compare({ bars: bars.map((bar) => ({ ...bar, source: 'vision' })) });
    expect(differences.isNone).toBe(true);
  });

  test('differs in more than can be listed has all of it counted', async () => {
    const bars = hundred();
    const { differences } = await compare({
      bars: bars.map((bar) => ({ ...bar, volume: 7, quoteVolume: 8 })),
    });
    expect(differences.counts).toMatchObject({
      different: 100,
      fields: { volume: 100, quoteVolume: 100, open: 0 },
    });
    expect(differences.listed).toHaveLength(DIFFERENCES_LISTED_MAX);
  });

  test('lacks bars that the source has differs; those that follow each other are one absence', async () => {
    const bars = barsOf(BTC, 100);
    write(here.path, asRows(bars.filter((_, index) => index < 8 || index > 12)));
    const { differences } = await compare({ bars });
    expect(differences.isNone).toBe(false);
    expect(differences.counts).toMatchObject({ compared: 95, there: 5 });
    expect(differences.absences).toEqual([
      { ...BTC, kind: 'there', fromOpenTime: at(8), toOpenTime: at(12), bars: 5 },
    ]);
  });

  test('has bars that the source has not, also when it is asked again, differs', async () => {
    const bars = hundred();
    const lacks = bars.filter((_, index) => index < 50 || index > 52);
    const { differences, asked } = await compare({ bars: lacks });
    expect(asked).toEqual([{ lacking: [{ fromOpenTime: at(50), toOpenTime: at(52) }] }]);
    expect(differences.isNone).toBe(false);
    expect(differences.absences).toEqual([
      { ...BTC, kind: 'here', fromOpenTime: at(50), toOpenTime: at(52), bars: 3 },
    ]);
  });

  test('has bars in more places that the source has not than are asked about at once differs in all of them', async () => {
    const bars = barsOf(BTC, 2_500);
    write(here.path, asRows(bars));
    const every = { from: at(0), to: at(2_500) };
    const { differences, asked } = await compare(
      { bars: bars.filter((_, index) => index % 2 === 0) },
      BTC,
      every,
    );
    expect(asked.map(({ lacking }) => lacking.length)).toEqual([1_000, 250]);
    expect(differences.counts).toMatchObject({ compared: 1_250, here: 1_250 });
  });

  test('has bars that the source has when it is asked again is compared with those', async () => {
    const bars = hundred();
    const lacks = bars.filter((_, index) => index < 50 || index > 52);
    const late = changed(bars, 51, { volume: 9 }).slice(50, 53);
    const { differences } = await compare({ bars: lacks, late });
    expect(differences.counts).toMatchObject({ compared: 100, different: 1, here: 0 });
    expect(differences.listed).toMatchObject([{ openTime: at(51), field: 'volume', theirs: 9 }]);
  });
});

describe('what could not be compared', () => {
  test('because the source did not answer is told, and the store is not taken for equal', async () => {
    const bars = hundred();
    const unreached = { fromOpenTime: at(60), toOpenTime: at(64) };
    const { differences, asked } = await compare({
      bars: bars.filter((_, index) => index < 60 || index > 64),
      unreached,
    });
    expect(asked).toEqual([]);
    expect(differences.isNone).toBe(false);
    expect(differences.absences).toEqual([{ ...BTC, kind: 'unreached', ...unreached, bars: 5 }]);
  });

  test('because the archive has not published it yet is told, and is no difference', async () => {
    const bars = hundred();
    const { differences } = await compare({ bars, range: { from: at(0), to: at(70) } });
    expect(differences.isNone).toBe(true);
    expect(differences.counts).toMatchObject({ compared: 70, unpublished: 30 });
  });

  test('because there is no file for it is told with the note, and is no difference', async () => {
    const bars = hundred();
    const absent = { from: at(20), to: at(30) };
    const { differences } = await compare({
      bars: bars.filter((_, index) => index < 20 || index >= 30),
      absent,
    });
    expect(differences.isNone).toBe(true);
    expect(differences.counts).toMatchObject({ compared: 90, unpublished: 10, here: 0 });
    expect(differences.notes).toMatchObject([{ kind: 'missing file', ...absent }]);
  });

  test('because the source does not know the symbol is told with a note', async () => {
    hundred();
    const differences = new Differences();
    const source: HistorySource = {
      ...scripted({ bars: [] }).source,
      plan: () => Promise.reject(new ConfigurationError([{ option: 'symbol', given: 'x', allowed: 'y' }])),
    };
    await compareSeries(BTC, HUNDRED, { path: here.path, source, by: 'rest', differences });
    expect(differences.counts).toMatchObject({ compared: 0, unpublished: 100 });
    expect(differences.notes).toMatchObject([{ found: 'the source does not know the symbol' }]);
  });

  test('because nothing is published is not equal', async () => {
    const bars = hundred();
    const { differences } = await compare({ bars, range: { from: at(0), to: at(0) } });
    expect(differences.counts).toMatchObject({ compared: 0, unpublished: 100 });
    expect(differences.isNone).toBe(false);
  });

  test('because the source says that the series begins later is a difference', async () => {
    const bars = hundred();
    const { differences } = await compare({ bars, range: { from: at(10), to: at(100) } });
    expect(differences.counts).toMatchObject({ compared: 90, here: 10 });
  });
});

test('a range is compared alone', async () => {
  const bars = hundred();
  const { differences } = await compare({ bars: changed(bars, 5, { volume: 9 }) }, BTC, {
    from: at(6),
    to: at(20),
  });
  expect(differences.counts).toMatchObject({ compared: 14, different: 0, there: 0 });
});

test('a file that was published anew is a difference', () => {
  const differences = new Differences();
  expect(differences.isNone).toBe(true);
  differences.replace({ path: 'x.zip', before: 'a', now: 'b' });
  expect(differences.isNone).toBe(false);
});

test('what the source throws, and the reason of the signal, come through', async () => {
  const bars = hundred();
  const { source } = scripted({ bars });
  const options = { path: here.path, source, by: 'rest', differences: new Differences() } as const;
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(compareSeries(BTC, HUNDRED, { ...options, signal })).rejects.toThrow('enough');
  const broken = { ...source, plan: () => Promise.reject(new Error('no answer')) };
  await expect(compareSeries(BTC, HUNDRED, { ...options, source: broken })).rejects.toThrow('no answer');
});
