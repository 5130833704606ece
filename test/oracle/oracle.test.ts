/** The oracle can fail: each mutant of a real run's evidence turns exactly its invariant red. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { nextOpenTime } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { BinanceDataCollector } from '../../src/index.ts';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { folder, optionsFor } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { barKey, type Evidence, type Told, type Violation } from './evidence.ts';
import { describeViolations, INVARIANTS, judge } from './judge.ts';
import { readStore } from './store-file.ts';
import { tap, watch } from './watch.ts';

/** A real run, in which the connection broke once: its store, and all that was seen of it. */
let run: { store: string; evidence: Evidence };

beforeAll(async () => {
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const path = mkdtempSync(join(tmpdir(), 'candlestate-oracle-'));
  const store = join(path, 'candles.db');
  const exchange: SimulatedExchange = await startSimulator({ timeScale: 600 });
  const wire = await tap(exchange);
  const collector = new BinanceDataCollector(optionsFor(wire, { store }));
  const observed = watch(collector, exchange, { store, wire });
  let candles = 0;
  collector.on('candle', () => {
    candles += 1;
  });
  await collector.startStreaming();
  await until('candles', () => candles >= 8);
  wire.proxy.links()[0]?.reset();
  await until('it noticed', () => !collector.isConnected);
  await until('it streams again', () => collector.isConnected);
  observed.calm();
  await until('candles again', () => candles >= 24);
  const evidence = await observed.finish();
  await wire.proxy.close();
  await exchange.close();
  run = { store, evidence };
  return () => {
    rmSync(path, { recursive: true, force: true });
  };
});

/** The invariants that are broken, each once. */
const red = (evidence: Evidence): string[] => [
  ...new Set(judge(evidence).map((one: Violation) => one.invariant)),
];

/** The evidence with a store that a few statements have changed behind everybody's back. */
function withStore(...statements: string[]): Evidence {
  const path = join(folder(), 'mutant.db');
  copyFileSync(run.store, path);
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
  return { ...run.evidence, store: readStore(path) };
}

const withTold = (change: (told: Told[]) => Told[]): Evidence => ({
  ...run.evidence,
  told: change([...run.evidence.told]),
});

/** In the middle of a series: bars before and behind it are there. */
const middle = (): Candle => {
  const bars = run.evidence.store!.candles.filter((candle) => candle.symbol === 'ETHUSDT');
  return bars[Math.floor(bars.length / 2)]!;
};
const where = ({ symbol, interval, openTime }: Candle): string =>
  `WHERE symbol = '${symbol}' AND interval = '${interval}' AND open_time = ${openTime}`;
const isBar =
  (bar: Candle) =>
  (one: Told): boolean =>
    one.kind === 'candle' && barKey(one.candle) === barKey(bar);
/** The same table without a key: whatever a broken program writes, it takes. */
const LAX = [
  'CREATE TABLE lax AS SELECT * FROM candles',
  'DROP TABLE candles',
  'ALTER TABLE lax RENAME TO candles',
];

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

const gapOf = (bar: Candle) =>
  ({
    symbol: bar.symbol,
    interval: bar.interval,
    fromOpenTime: bar.openTime,
    toOpenTime: bar.openTime,
    reason: 'the exchange has no such bar',
    status: 'open',
  }) as const;

/** Instead of its candle the gap is told, at the same place. */
function withoutTold(evidence: Evidence, bar: Candle): Evidence {
  const told = evidence.told.map(
    (one): Told => (isBar(bar)(one) ? { kind: 'gap', gap: gapOf(bar), at: one.at } : one),
  );
  return { ...evidence, told };
}

/** An exchange that lacks the middle bar, and a collector that names it. */
function named(gap = "'the exchange has no such bar'"): Evidence {
  const bar = middle();
  const evidence = withStore(
    `DELETE FROM candles ${where(bar)}`,
    `INSERT INTO gaps VALUES ('${bar.symbol}', '1m', ${bar.openTime}, ${bar.openTime}, ${gap}, ${bar.closeTime}, NULL)`,
  );
  const { truth } = evidence;
  return {
    ...withoutTold(evidence, bar),
    truth: {
      candle: (symbol, interval, openTime) =>
        barKey({ symbol, interval, openTime }) === barKey(bar)
          ? undefined
          : truth.candle(symbol, interval, openTime),
    },
  };
}

/** An exchange that corrected the middle bar after its close. */
function revised(stored = 2): Evidence {
  const bar = middle();
  const after = { ...bar, volume: bar.volume + 2, source: 'rest' as const };
  const evidence = withStore(
    `UPDATE candles SET volume = volume + ${stored} ${where(bar)}`,
    `INSERT INTO revisions VALUES ('${bar.symbol}', '1m', ${bar.openTime}, '${JSON.stringify(bar)}', '${JSON.stringify(after)}', 'rest', ${bar.closeTime})`,
  );
  const { truth } = evidence;
  return {
    ...evidence,
    told: [...evidence.told, { kind: 'revision', before: bar, after, at: evidence.endedAt }],
    truth: {
      candle: (symbol, interval, openTime) =>
        barKey({ symbol, interval, openTime }) === barKey(bar)
          ? after
          : truth.candle(symbol, interval, openTime),
    },
  };
}

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

describe('honest turns red, alone, for', () => {
  const withSamples = (change: (sample: Evidence['samples'][number]) => object): Evidence => ({
    ...run.evidence,
    samples: run.evidence.samples.map((sample) => ({ ...sample, ...change(sample) })),
  });
  const openedAt = (): number => run.evidence.wire!.find((event) => event.kind === 'opened')!.wallMs;
  const firstFrameAt = (): number => run.evidence.wire!.find((event) => event.kind === 'frame')!.wallMs;
  const early = (): Evidence['samples'][number] => ({
    ...run.evidence.samples.find((sample) => sample.series.get('BTCUSDT@1m') === 'live')!,
    state: 'connecting',
    isConnected: false,
    series: new Map(),
    wallMs: (openedAt() + firstFrameAt()) / 2,
  });

  test('streaming that is said when the socket is open and no frame has come', () => {
    const lie = { ...early(), state: 'streaming' };
    expect(red({ ...run.evidence, samples: [lie, ...run.evidence.samples] })).toEqual(['honest']);
  });

  test('a stream that is said to be live as early', () => {
    const lie = { ...early(), series: new Map([['BTCUSDT@1m', 'live']]) };
    expect(red({ ...run.evidence, samples: [lie, ...run.evidence.samples] })).toEqual(['honest']);
  });

  test('a stream that is said to be quiet when REST was never asked', () => {
    const lie = { ...early(), series: new Map([['BTCUSDT@1m', 'quiet']]) };
    const evidence = { ...run.evidence, samples: [lie, ...run.evidence.samples] };
    expect(red({ ...evidence, asked: [] })).toEqual(['honest']);
  });

  test('connected that is said although the exchange has no socket', () => {
    const before = withSamples((sample) =>
      sample.state === 'connecting' ? { state: 'streaming', isConnected: true } : {},
    );
    expect(red(before)).toEqual(['honest']);
    expect(red({ ...withSamples((sample) => ({ ...sample, sockets: 0 })), wire: undefined })).toEqual([
      'honest',
    ]);
  });

  test('the streams of a connection that ended, half a second later', () => {
    const ended = run.evidence.wire!.find((event) => event.kind === 'ended')!.wallMs;
    const wire = run.evidence.wire!.filter((event) => event.wallMs <= ended);
    expect(red({ ...run.evidence, wire })).toEqual(['honest']);
  });

  test('connected that is said and not streaming', () =>
    expect(red(withSamples((sample) => (sample.isConnected ? { state: 'connecting' } : {})))).toEqual([
      'honest',
    ]));
});

describe('named turns red, alone, for', () => {
  test('a hole that nobody named', () => {
    const bar = middle();
    const evidence = withStore(`DELETE FROM candles ${where(bar)}`);
    const told = evidence.told.filter((one) => !isBar(bar)(one));
    // The skip in the deliveries is an offence of its own.
    expect(red({ ...evidence, told })).toEqual(['order', 'named']);
    expect(red({ ...evidence, told: [], toldIsAll: false })).toEqual(['named']);
  });

  test('a tail that should have come', () => {
    const { endedAt, repairMs, timeScale } = run.evidence;
    const later = endedAt + (repairMs + 2_000) * timeScale;
    expect(red({ ...run.evidence, endedAt: later, readAt: later })).toEqual(['named']);
    expect(red({ ...run.evidence, endedAt: later, readAt: later, faultsOverAt: later })).toEqual([]);
  });

  test('history that was asked for and is not there', () =>
    expect(
      red({ ...run.evidence, backfillFrom: run.evidence.store!.candles[0]!.openTime - 120_000 }),
    ).toEqual(['named']));

  test('a bar that the exchange lacks too, when it is not said', () => {
    const evidence = named();
    expect(red({ ...evidence, store: { ...evidence.store!, gaps: [] } })).toEqual(['named']);
  });

  test('a gap without a reason', () => expect(red(named("''"))).toEqual(['named']));

  test('a gap over a bar that the exchange has', () =>
    expect(red({ ...named(), truth: run.evidence.truth })).toEqual(['named']));

  test('a gap over a bar that is stored', () => {
    const bar = middle();
    const gap = `INSERT INTO gaps VALUES ('${bar.symbol}', '1m', ${bar.openTime}, ${bar.openTime}, 'x', 1, NULL)`;
    expect(red({ ...withStore(gap), toldIsAll: false })).toEqual(['named']);
  });

  test('a gap that is said to be filled, and its bar is not there', () => {
    const evidence = named();
    const gaps = evidence.store!.gaps.map((gap) => ({ ...gap, filledAt: gap.detectedAt + 1 }));
    const told: Told[] = [
      ...evidence.told,
      { kind: 'gap', gap: { ...gapOf(middle()), status: 'filled' }, at: evidence.endedAt },
    ];
    expect(red({ ...evidence, told, store: { ...evidence.store!, gaps } })).toEqual(['named']);
  });

  test('a gap that is stored and was never announced', () => {
    const evidence = named();
    const told = evidence.told.filter((one) => one.kind !== 'gap');
    expect(red({ ...evidence, told })).toEqual(['order', 'named']);
  });
});

test('a gap behind the end of a symbol turns named red', () => {
  const evidence = named();
  const { truth } = evidence;
  const endOf = (): number => middle().openTime - 1;
  expect(INVARIANTS.named({ ...evidence, truth: { ...truth, endOf } })).toMatchObject([
    { name: 'gap behind the end of its symbol' },
  ]);
});

describe('clean turns red, alone, for', () => {
  test('a socket that is left', () => expect(red({ ...run.evidence, socketsLeft: 1 })).toEqual(['clean']));
});
