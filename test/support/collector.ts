/** A simulated exchange and collectors on it, all quick, all gone at the end of the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished } from 'vitest';
import { type Interval, nextOpenTime } from '../../machines/model/interval.ts';
import {
  BinanceDataCollector,
  type Candle,
  type CollectorEvents,
  type CollectorOptions,
  type GapNotice,
  type Logger,
  type Problem,
  type StateChange,
} from '../../src/index.ts';
import { type SimulatedExchange, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';

/** Time-outs of a network on which everything is near. */
export const QUICK = {
  openTimeoutMs: 2_000,
  ackTimeoutMs: 2_000,
  proofDelayMs: 300,
  proofSpacingMs: 300,
  proofDeadlineMs: 5_000,
  pingIntervalMs: 200,
  pongTimeoutMs: 400,
  silenceMs: 500,
  stableMs: 300,
  backoff: { baseMs: 20, maxMs: 200, slowMs: 500 },
} as const;

/** A minute's bar each 100 ms. */
export const SCALE = 600;

/** An empty folder, removed at the end of the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'candlestate-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Path of a store that does not exist yet. */
export const newStore = (): string => join(folder(), 'candles.db');

export async function startExchange(options: SimulatorOptions = {}): Promise<SimulatedExchange> {
  const exchange = await startSimulator({ timeScale: SCALE, ...options });
  onTestFinished(() => exchange.close());
  return exchange;
}

/** A logger that remembers. */
export class Memo implements Logger {
  readonly lines: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  #note(level: string, message: string, fields: object = {}): void {
    this.lines.push({ level, message, fields: { ...fields } });
  }
  debug(message: string, fields?: object): void {
    this.#note('debug', message, fields);
  }
  info(message: string, fields?: object): void {
    this.#note('info', message, fields);
  }
  warn(message: string, fields?: object): void {
    this.#note('warn', message, fields);
  }
  error(message: string, fields?: object): void {
    this.#note('error', message, fields);
  }
}

export type Revised = CollectorEvents['revision'];

/** A collector and everything it said. */
export interface Watched {
  readonly collector: BinanceDataCollector;
  readonly candles: Candle[];
  readonly states: StateChange[];
  readonly gaps: GapNotice[];
  readonly revisions: Revised[];
  readonly problems: Problem[];
  readonly log: Memo;
  /** States in order, as `connecting streaming`. */
  course(): string;
}

/** Options that fit an exchange. */
export const optionsFor = (
  exchange: Pick<SimulatedExchange, 'wsUrl' | 'restUrl' | 'timeScale'>,
  options: Partial<CollectorOptions> = {},
): CollectorOptions => ({
  symbols: ['BTCUSDT', 'ETHUSDT'],
  intervals: ['1m'],
  network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl },
  timeScale: exchange.timeScale,
  timing: QUICK,
  ...options,
});

/** A collector on that exchange, stopped at the end of the test. */
export function collectFrom(
  exchange: Pick<SimulatedExchange, 'wsUrl' | 'restUrl' | 'timeScale'>,
  options: Partial<CollectorOptions> = {},
): Watched {
  return watch(optionsFor(exchange, options));
}

/** A collector of these options, stopped at the end of the test. */
export function watch(options: CollectorOptions): Watched {
  const log = new Memo();
  const collector = new BinanceDataCollector({ logger: log, ...options });
  onTestFinished(async () => {
    await collector.stop({ timeoutMs: 1_000 });
  });
  const watched: Watched = {
    collector,
    candles: [],
    states: [],
    gaps: [],
    revisions: [],
    problems: [],
    log,
    course: () => watched.states.map((change) => change.to).join(' '),
  };
  collector.on('candle', (candle) => watched.candles.push(candle));
  collector.on('state', (change) => watched.states.push(change));
  collector.on('gap', (gap) => watched.gaps.push(gap));
  collector.on('revision', (revision) => watched.revisions.push(revision));
  collector.on('error', (problem) => watched.problems.push(problem));
  return watched;
}

/** Rows of a store, read by a connection of our own, in order of series and time. */
export function storedCandles(path: string): Candle[] {
  return query(
    path,
    `SELECT symbol, interval, open_time AS openTime, open, high, low, close, volume, close_time AS closeTime,
            quote_volume AS quoteVolume, count, taker_buy_volume AS takerBuyVolume,
            taker_buy_quote_volume AS takerBuyQuoteVolume, source
     FROM candles ORDER BY symbol, interval, open_time`,
  ) as unknown as Candle[];
}

/** Any reading of a store, while a collector writes it or not. */
export function query(path: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

/** The candles of one series. */
export const ofSeries = (candles: readonly Candle[], symbol: string, interval: Interval = '1m'): Candle[] =>
  candles.filter((candle) => candle.symbol === symbol && candle.interval === interval);

/** Bar after bar, each once, nothing between. */
export function expectContiguous(candles: readonly Candle[]): void {
  for (const [index, candle] of candles.entries()) {
    const before = candles[index - 1];
    if (before === undefined) continue;
    expect(candle.openTime, `behind ${before.openTime}`).toBe(nextOpenTime(before.interval, before.openTime));
  }
}

/** Every value as the exchange has it. */
export function expectTrue(candles: readonly Candle[], exchange: Pick<SimulatedExchange, 'truth'>): void {
  for (const candle of candles) {
    const truth = exchange.truth.candle(candle.symbol, candle.interval, candle.openTime);
    expect({ ...candle, source: 'rest' }).toEqual(truth);
  }
}

/** Each of the series is there, contiguous and true; `least` bars of each. */
export function expectWhole(
  candles: readonly Candle[],
  exchange: Pick<SimulatedExchange, 'truth'>,
  symbols: readonly string[] = ['BTCUSDT', 'ETHUSDT'],
  least = 1,
): void {
  for (const symbol of symbols) {
    const series = ofSeries(candles, symbol);
    expect(series.length, `bars of ${symbol}`).toBeGreaterThanOrEqual(least);
    expectContiguous(series);
    expectTrue(series, exchange);
  }
}

/** Names of kline streams in the SUBSCRIBE messages that the exchange got, in order. */
export const subscribed = (exchange: SimulatedExchange): string[] =>
  exchange
    .log()
    .filter((entry) => entry.kind === 'message')
    .map((entry) => JSON.parse(entry.text ?? '') as { method: string; params: string[] })
    .filter((message) => message.method === 'SUBSCRIBE')
    .flatMap((message) => message.params)
    .filter((name) => name.includes('@kline_'));
