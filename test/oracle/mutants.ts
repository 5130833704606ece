/** A real run and its mutants: evidence in which one thing is wrong. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import { BinanceDataCollector } from '../../src/index.ts';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { folder, optionsFor } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { barKey, type Evidence, type Told, type Violation } from './evidence.ts';
import { judge } from './judge.ts';
import { readStore } from './store-file.ts';
import { tap, watch } from './watch.ts';

/** A real run, in which the connection broke once: its store, and all that was seen of it. */
export let run: { store: string; evidence: Evidence };

/** Makes the run before the tests of a file. */
export const useRun = (): void =>
  beforeAll(async () => {
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
export const red = (evidence: Evidence): string[] => [
  ...new Set(judge(evidence).map((one: Violation) => one.invariant)),
];

/** The evidence with a store that a few statements have changed behind everybody's back. */
export function withStore(...statements: string[]): Evidence {
  const path = join(folder(), 'mutant.db');
  copyFileSync(run.store, path);
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
  return { ...run.evidence, store: readStore(path) };
}

export const withTold = (change: (told: Told[]) => Told[]): Evidence => ({
  ...run.evidence,
  told: change([...run.evidence.told]),
});

/** In the middle of a series: bars before and behind it are there. */
export const middle = (): Candle => {
  const bars = run.evidence.store!.candles.filter((candle) => candle.symbol === 'ETHUSDT');
  return bars[Math.floor(bars.length / 2)]!;
};
export const where = ({ symbol, interval, openTime }: Candle): string =>
  `WHERE symbol = '${symbol}' AND interval = '${interval}' AND open_time = ${openTime}`;
export const isBar =
  (bar: Candle) =>
  (one: Told): boolean =>
    one.kind === 'candle' && barKey(one.candle) === barKey(bar);
/** The same table without a key: whatever a broken program writes, it takes. */
export const LAX = [
  'CREATE TABLE lax AS SELECT * FROM candles',
  'DROP TABLE candles',
  'ALTER TABLE lax RENAME TO candles',
];
export const gapOf = (bar: Candle) =>
  ({
    symbol: bar.symbol,
    interval: bar.interval,
    fromOpenTime: bar.openTime,
    toOpenTime: bar.openTime,
    reason: 'the exchange has no such bar',
    status: 'open',
  }) as const;

/** Instead of its candle the gap is told, at the same place. */
export function withoutTold(evidence: Evidence, bar: Candle): Evidence {
  const told = evidence.told.map(
    (one): Told => (isBar(bar)(one) ? { kind: 'gap', gap: gapOf(bar), at: one.at } : one),
  );
  return { ...evidence, told };
}

/** An exchange that lacks the middle bar, and a collector that names it. */
export function named(gap = "'the exchange has no such bar'"): Evidence {
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
export function revised(stored = 2): Evidence {
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
