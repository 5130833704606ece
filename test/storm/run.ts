/** One storm: a minute of random faults, then none, and the oracle over all of it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { INTERVALS, type Interval } from '../../machines/model/interval.ts';
import { seriesKey } from '../../machines/model/kline.ts';
import { BinanceDataCollector } from '../../src/index.ts';
import { type Fault, type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import type { Asked, Violation } from '../oracle/evidence.ts';
import { judge } from '../oracle/judge.ts';
import { tap, watch } from '../oracle/watch.ts';
import { TEN_SYMBOLS } from '../support/symbols.ts';
import { Consumer } from './consumer.ts';
import { type Drawn, drawStorm, type Setting } from './drawing.ts';

export interface StormOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Streams: symbols times four intervals. */
  readonly count: number;
  readonly say: (line: string) => void;
}

export interface StormResult {
  readonly violations: readonly Violation[];
  readonly store: string;
  readonly bars: number;
  readonly gaps: number;
  readonly revisions: number;
  readonly dialled: number;
  /** From the end of the faults until every series was live, wall ms. */
  readonly healedMs: number;
}

const SCALE = 60;
const PER_SYMBOL = 4;
/** After the faults: two bars of a minute and what a repair may take at its most patient, wall ms. */
const HEAL_MS = 2 * (60_000 / SCALE) + 45_000;
/** Closed bars are compared within 15 minutes of exchange time; then all that was altered must be right, wall ms. */
const COMPARED_MS = (17 * 60_000) / SCALE;

/** Near, and hurried: what takes minutes in life takes seconds here. */
const TIMING = {
  openTimeoutMs: 1_500,
  ackTimeoutMs: 1_500,
  proofDelayMs: 700,
  proofSpacingMs: 400,
  proofDeadlineMs: 6_000,
  pingIntervalMs: 400,
  pongTimeoutMs: 700,
  silenceMs: 1_500,
  stableMs: 2_000,
  backoff: { baseMs: 50, maxMs: 1_000, slowMs: 1_500 },
};

export const settingOf = (count: number): Setting => ({
  symbols: TEN_SYMBOLS.slice(0, Math.ceil(count / PER_SYMBOL)),
  intervals: INTERVALS.slice(0, PER_SYMBOL) as readonly Interval[],
});

export async function runStorm({ seed, seconds, count, say }: StormOptions): Promise<StormResult> {
  const setting = settingOf(count);
  const store = join(mkdtempSync(join(tmpdir(), `candlestate-storm-${seed}-`)), 'candles.db');
  const exchange = await startSimulator({ timeScale: SCALE, seed, symbols: setting.symbols });
  const wire = await tap(exchange);
  const hidden = new Hidden();
  const collector = new BinanceDataCollector({
    ...setting,
    network: { wsUrl: wire.wsUrl, restUrl: wire.restUrl },
    timeScale: SCALE,
    timing: TIMING,
    store,
    connectTimeoutMs: 'never',
  });
  const observed = watch(collector, exchange, {
    store,
    wire,
    repairMs: 3_000,
    mayBeOpen: (bar) => hidden.has(bar),
    mayDiffer: (candle, asked) => asked.filter(isWithin(candle)).length < ANSWERS_MIN,
  });
  const consumer = new Consumer(collector);
  try {
    await collector.startStreaming();
    await rage(drawStorm(seed, seconds, setting), { exchange, collector, consumer, hidden, say });
    exchange.clearFaults();
    for (const symbol of setting.symbols)
      attempt(exchange, { kind: 'symbol', symbol, action: 'resume' } as never);
    observed.calm();
    const healedMs = await healing(collector);
    say(`healed after ${Math.round(healedMs)} ms`);
    const late = healedMs > HEAL_MS ? [notHealed(collector)] : [];
    await sleep(COMPARED_MS);
    const evidence = await observed.finish();
    await consumer.ended;
    const told = evidence.told.flatMap((one) => (one.kind === 'candle' ? [one.candle] : []));
    return {
      violations: [...late, ...judge(evidence), ...consumer.differences(told)],
      store,
      bars: evidence.store?.candles.length ?? 0,
      gaps: evidence.store?.gaps.length ?? 0,
      revisions: evidence.store?.revisions.length ?? 0,
      dialled: wire.proxy.dialled(),
      healedMs,
    };
  } finally {
    await collector.stop({ timeoutMs: 1_000 });
    await wire.proxy.close();
    await exchange.close();
  }
}

interface Theatre {
  readonly exchange: SimulatedExchange;
  readonly collector: BinanceDataCollector;
  readonly consumer: Consumer;
  readonly hidden: Hidden;
  readonly say: (line: string) => void;
}

/** Injects every fault at its time. */
async function rage(storm: readonly Drawn[], theatre: Theatre): Promise<void> {
  const began = performance.now();
  for (const drawn of storm) {
    await sleep(Math.max(0, began + drawn.atMs - performance.now()));
    if (drawn.atBarStart) await sleep(untilBarStart(theatre.exchange.now()));
    theatre.say(`${(drawn.atMs / 1_000).toFixed(1)} s ${drawn.name} ${JSON.stringify(drawn.fault)}`);
    strike(drawn, theatre);
  }
  const last = (storm.at(-1)?.atMs ?? 0) + 1_000;
  await sleep(Math.max(0, began + last - performance.now()));
}

/** The last minute is over for a few seconds, and so its close has been sent. */
const untilBarStart = (now: number): number => (60_000 - (now % 60_000) + 5_000) / SCALE;

/** Whether the exchange has had no bar of this symbol for some minutes. */
const isHalted = (exchange: SimulatedExchange, { symbol }: { symbol: string }): boolean => {
  const minute = exchange.now() - (exchange.now() % 60_000);
  return exchange.truth.bar(symbol, '1m', minute - 60_000) === undefined;
};

function strike({ target, fault }: Drawn, { exchange, consumer, hidden, say }: Theatre): void {
  if (target === 'process') {
    consumer.suffer(fault);
    return;
  }
  const now = exchange.now();
  const { from, to } = fault as { from?: number; to?: number };
  const minute = now - (now % 60_000);
  const times = from === undefined || to === undefined ? {} : { from: minute + from, to: minute + to };
  const whole = { ...fault, ...times };
  if (fault.kind === 'absent') hidden.add(whole as never);
  if (fault.kind === 'revise' && isHalted(exchange, whole as never)) {
    say('  not meant: the last bar of a halted symbol has been compared long ago');
    return;
  }
  const problem = attempt(exchange, whole as never);
  if (problem !== undefined) say(`  not possible: ${problem}`);
}

/** A fault that can't be as things are is none: nobody resumes what was not halted. */
function attempt(exchange: SimulatedExchange, fault: Fault): string | undefined {
  try {
    exchange.inject(fault);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Bars that REST hid for a while: their gap is asked for again later than a storm lasts. */
class Hidden {
  readonly #ranges: { symbol: string; from: number; to: number }[] = [];

  add(range: { symbol: string; from: number; to: number }): void {
    this.#ranges.push(range);
  }

  has({ symbol, openTime }: { symbol: string; openTime: number }): boolean {
    return this.#ranges.some((one) => one.symbol === symbol && openTime >= one.from && openTime <= one.to);
  }
}

/** Bars are compared ten minutes after their close and later, and given up after thirty, when REST was away. */
const COMPARED = { from: 10 * 60_000, to: 30 * 60_000 };
/** With fewer answers than this in that time REST was as good as away. */
const ANSWERS_MIN = 3;
const isWithin =
  ({ closeTime }: { closeTime: number }) =>
  ({ at, status }: Asked): boolean =>
    status === 200 && at > closeTime + COMPARED.from && at < closeTime + COMPARED.to;

const isWell = (state: string): boolean => state === 'live' || state === 'quiet' || state === 'ended';

/** Until every series is live; wall ms. */
async function healing(collector: BinanceDataCollector): Promise<number> {
  const began = performance.now();
  const isOver = (): boolean =>
    collector.isConnected && collector.status().series.every((one) => isWell(one.state));
  while (!isOver() && performance.now() - began <= HEAL_MS) await sleep(20);
  return performance.now() - began;
}

function notHealed(collector: BinanceDataCollector): Violation {
  const ill = collector.status().series.filter((one) => !isWell(one.state));
  const detail = `${collector.state}; ${ill.map((one) => `${seriesKey(one)} ${one.state}`).join(', ')}`;
  return { invariant: 'honest', name: `not live ${HEAL_MS} ms after the last fault`, detail };
}
