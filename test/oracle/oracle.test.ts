/** The oracle can fail: each mutant of what is stored and told turns exactly its invariant red. */
import { describe, expect, test } from 'vitest';
import { nextOpenTime } from '../../machines/model/interval.ts';
import type { Evidence, Told } from './evidence.ts';
import { describeViolations, INVARIANTS, judge } from './judge.ts';
import {
  gapOf,
  isBar,
  LAX,
  middle,
  named,
  red,
  revised,
  run,
  useRun,
  where,
  withoutTold,
  withStore,
  withTold,
} from './mutants.ts';

useRun();

describe('the oracle finds nothing in', () => {
  test('an honest run with a broken connection', () => {
    const { evidence } = run;
    expect(describeViolations(judge(evidence))).toBe('');
    expect(evidence.store!.candles.length).toBeGreaterThanOrEqual(24);
    expect(evidence.wire!.filter((event) => event.kind === 'opened')).toHaveLength(2);
    expect(evidence.samples.some((sample) => sample.state === 'streaming')).toBe(true);
    expect(evidence.samples.some((sample) => [...sample.series.values()].includes('live'))).toBe(true);
  });

  test('a copy of the store that nobody touched', () => expect(red(withStore())).toEqual([]));

  test('a bar that the exchange lacks, when it is named', () => expect(red(named())).toEqual([]));

  test('a bar that turned up after it was named, and was announced as filled', () => {
    const bar = middle();
    const evidence = withoutTold(
      withStore(
        `INSERT INTO gaps VALUES ('${bar.symbol}', '1m', ${bar.openTime}, ${bar.openTime}, 'lacking', ${bar.closeTime}, ${bar.closeTime})`,
      ),
      bar,
    );
    const filled = { ...gapOf(bar), status: 'filled' } as const;
    const told: Told[] = [...evidence.told, { kind: 'gap', gap: filled, at: run.evidence.endedAt }];
    expect(red({ ...evidence, told })).toEqual([]);
  });

  test('a revision that is stored, announced, and true', () => expect(red(revised())).toEqual([]));

  test('a symbol that ended', () => {
    const bar = middle();
    const evidence = withStore(
      `DELETE FROM candles WHERE symbol = 'ETHUSDT' AND open_time >= ${bar.openTime}`,
    );
    const told = evidence.told.filter(
      (one) => one.kind !== 'candle' || one.candle.symbol !== 'ETHUSDT' || one.candle.openTime < bar.openTime,
    );
    const { truth } = evidence;
    const ended: Evidence['truth'] = {
      candle: (symbol, interval, openTime) =>
        symbol === 'ETHUSDT' && openTime >= bar.openTime
          ? undefined
          : truth.candle(symbol, interval, openTime),
      endOf: (symbol) => (symbol === 'ETHUSDT' ? bar.openTime : undefined),
    };
    expect(red({ ...evidence, told, truth: ended })).toEqual([]);
    const later = run.evidence.endedAt + 5_000 * run.evidence.timeScale;
    const late = {
      ...evidence,
      told,
      endedAt: later,
      readAt: later,
      series: [{ symbol: 'ETHUSDT', interval: '1m' as const }],
    };
    expect(INVARIANTS.named({ ...late, truth: ended })).toEqual([]);
    expect(INVARIANTS.named(late)).not.toEqual([]);
  });
});

describe('once turns red, alone, for', () => {
  test('a store that drops a row', () =>
    expect(red(withStore(`DELETE FROM candles ${where(middle())}`))).toEqual(['once']));

  test('a store that doubles a row', () =>
    expect(red(withStore(...LAX, `INSERT INTO candles SELECT * FROM candles ${where(middle())}`))).toEqual([
      'once',
    ]));

  test('a second delivery', () =>
    expect(red(withTold((told) => [...told, told.find(isBar(middle()))!]))).toEqual(['once']));

  test('an open bar passed off as closed', () => {
    const last = run.evidence.store!.candles.at(-1)!;
    const openTime = nextOpenTime('1m', run.evidence.readAt);
    expect(
      red(
        withStore(
          ...LAX,
          `INSERT INTO candles SELECT symbol, interval, ${openTime - (openTime % 60_000)}, open, high, low, close, volume,
           ${openTime + 59_999}, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, source FROM candles ${where(last)}`,
        ),
      ),
    ).toEqual(['once']);
  });

  test.each([
    ['of a symbol that nobody asked for', "symbol = 'DOGEUSDT'"],
    ['of an interval that nobody asked for', "interval = '3m'"],
  ])('an invented bar %s', (_, change) => {
    const bar = middle();
    expect(
      red(
        withStore(
          ...LAX,
          `CREATE TABLE one AS SELECT * FROM candles ${where(bar)}`,
          `UPDATE one SET ${change}`,
          'INSERT INTO candles SELECT * FROM one',
        ),
      ),
    ).toEqual(['once']);
  });

  test('a bar that was stored and never delivered', () =>
    expect(
      red(withTold((told) => told.filter((one) => !isBar(run.evidence.store!.candles.at(-1)!)(one)))),
    ).toEqual(['once']));

  test('a damaged file', () =>
    expect(red({ ...run.evidence, store: { ...run.evidence.store!, integrity: 'row 3 missing' } })).toEqual([
      'once',
    ]));
});

describe('order turns red, alone, for', () => {
  test('two deliveries that changed places', () => {
    const bar = middle();
    const next = { ...bar, openTime: nextOpenTime('1m', bar.openTime) };
    const swapped = withTold((told) => {
      const one = told.findIndex(isBar(bar));
      const other = told.findIndex(isBar(next));
      const at = told.map((entry) => entry.at);
      [told[one], told[other]] = [told[other]!, told[one]!];
      // Told in its turn, and so at its time: a bar before its own end would be another offence.
      return told.map((entry, index) => ({ ...entry, at: Math.max(at[index]!, entry.at) }));
    });
    expect(red(swapped)).toEqual(['order']);
  });

  test('a bar that is delivered behind its own gap', () => {
    const bar = middle();
    const gap: Told = { kind: 'gap', gap: gapOf(bar), at: bar.closeTime + 1 };
    expect(red(withTold((told) => told.flatMap((one) => (isBar(bar)(one) ? [gap, one] : [one]))))).toEqual([
      'order',
    ]);
  });
});

describe('equal turns red, alone, for', () => {
  test.each(['open', 'close', 'volume', 'quote_volume', 'taker_buy_volume'])('one digit of %s', (column) =>
    expect(red(withStore(`UPDATE candles SET ${column} = ${column} + 0.01 ${where(middle())}`))).toEqual([
      'equal',
    ]),
  );

  test('the last bit of a double', () => {
    const bar = middle();
    const next = new Float64Array([bar.close]);
    new BigInt64Array(next.buffer)[0]! += 1n;
    expect(red(withStore(`UPDATE candles SET close = ${next[0]!.toPrecision(17)} ${where(bar)}`))).toEqual([
      'equal',
    ]);
  });

  test.each(['count', 'close_time'])('an integer: %s', (column) =>
    expect(red(withStore(`UPDATE candles SET ${column} = ${column} + 1 ${where(middle())}`))).toEqual([
      'equal',
    ]),
  );

  test('two rows whose values changed places', () => {
    const bar = middle();
    const next = nextOpenTime('1m', bar.openTime);
    const swapped = withStore(
      ...LAX,
      `UPDATE candles SET open_time = -1 ${where(bar)}`,
      `UPDATE candles SET open_time = ${bar.openTime} ${where({ ...bar, openTime: next })}`,
      `UPDATE candles SET open_time = ${next} WHERE open_time = -1`,
    );
    expect(red(swapped)).toEqual(['equal']);
  });

  test('a delivered bar that is not what is stored', () =>
    expect(
      red(
        withTold((told) =>
          told.map((one) =>
            one.kind === 'candle' && isBar(middle())(one)
              ? { ...one, candle: { ...one.candle, high: one.candle.high + 1 } }
              : one,
          ),
        ),
      ),
    ).toEqual(['equal']));

  test('a revision that was not stored', () => expect(red(revised(0))).toEqual(['equal']));
  test('a correction that went unnoticed', () => {
    const { told, store } = run.evidence;
    expect(red({ ...revised(), told, store: store! })).toEqual(['equal']);
  });
});
