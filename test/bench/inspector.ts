/**
 * What watching costs: `node test/bench/inspector.ts [--rounds 9] [--frames 300000] [--drops 10] [--chromium] [--json]`.
 * Each round sends the same frames of 100 streams at full speed to a collector with a store: once alone, once with the
 * inspector attached, once with a page open that shows one of the series; in an order that changes from round to round.
 * Prints medians over the rounds, each compared with the collector that nobody watched in the same round, and exits 1
 * when a ratio passes its bound. There are as many rounds as were asked for, whatever they show.
 *
 * - messages/s: from the first frame to the commit of the last bar
 * - µs/message: processor time of this process, all threads; the exchange and the page have processes of their own
 * - ms/drop: the same while the socket of all streams is dropped again and again
 *
 * Rows of the fault matrix: A06.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BinanceDataCollector } from '../../src/index.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { barsOf, framesOf, type Plan } from './frames.ts';
import { launch, type Viewer, viewerOf } from './inspector-children.ts';
import { grouped, median, rounded } from './numbers.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    frames: { type: 'string', default: '300000' },
    drops: { type: 'string', default: '10' },
    chromium: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [rounds, frames, drops] = [flags.rounds, flags.frames, flags.drops].map(Number) as [
  number,
  number,
  number,
];
const SYMBOLS = 100;
const BARS = 50;
const framesPerBar = Math.round(frames / SYMBOLS / BARS);
if (!(rounds >= 1 && drops >= 0 && framesPerBar >= 2)) {
  process.stderr.write('--rounds from 1, --drops from 0, --frames from 10000\n');
  process.exit(2);
}

const plan: Plan = {
  symbols: Array.from({ length: SYMBOLS }, (_, number) => `C${String(number).padStart(3, '0')}USDT`),
  intervals: ['1m'],
  begin: Date.UTC(2026, 0, 5, 12),
  minutes: BARS,
  framesPerMinute: framesPerBar,
};
const SERIES = `${plan.symbols[0]}@1m`;
/** The least that may be left of the throughput of a collector that nobody watches. */
const LEAST = { alone: 1, inspector: 0.95, page: 0.85 } as const;
/** The same of what it does with a second of processor time, which says less about what a user gets. */
const LEAST_CPU = { alone: 1, inspector: 0.85, page: 0.75 } as const;
type Mode = keyof typeof LEAST;
const MODES = Object.keys(LEAST) as Mode[];

interface Cost {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly dropCpuMs: number;
}

const folder = mkdtempSync(join(tmpdir(), 'candlestate-bench-'));
const exchange = launch('./blaster.child.ts', [JSON.stringify(plan)]);
const urls = (await exchange.next()) as { wsUrl: string; restUrl: string };
let stores = 0;

/** Processor time of this process so far, all threads, ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function until(what: string, look: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !look(); await sleep(2))
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`);
}

const live = (collector: BinanceDataCollector): number =>
  collector.status().series.filter(({ state }) => state === 'live').length;

/** One life of a collector under watch, and what it cost. */
async function life(mode: Mode): Promise<Cost> {
  exchange.tell({ do: 'reset' });
  await using collector = new BinanceDataCollector({
    symbols: plan.symbols,
    intervals: plan.intervals,
    network: urls,
    store: join(folder, `${stores++}.db`),
    timing: { proofDelayMs: 1_000, backoff: { baseMs: 10, maxMs: 20 } },
  });
  let closed = 0;
  collector.on('candle', () => closed++);
  await collector.startStreaming();
  await until('all streams are live', () => live(collector) === SYMBOLS);
  await using inspector = mode === 'alone' ? undefined : await startInspector(collector, { port: 0 });
  const viewer =
    mode === 'page' && inspector ? await viewerOf(inspector.url, SERIES, flags.chromium) : undefined;
  try {
    await sleep(500);
    const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
    exchange.tell({ do: 'send', from: 0, to: BARS });
    await until('the last bar', () => closed === barsOf(plan));
    const [tookMs, usedMs] = [performance.now() - startedAt, cpuMs() - cpuBefore];
    check(collector, closed);
    const dropCpuMs = await dropAll(collector);
    if (viewer !== undefined) await shown(viewer);
    const sent = framesOf(plan);
    return { perSecond: (sent / tookMs) * 1_000, cpuUs: (usedMs / sent) * 1_000, dropCpuMs };
  } finally {
    await viewer?.close();
  }
}

/** A page that does not show the end would cost nothing. */
async function shown(viewer: Viewer): Promise<void> {
  const last = plan.begin + (BARS - 1) * 60_000;
  for (const end = performance.now() + 10_000; (await viewer.lastOpenTime()) !== last; await sleep(20))
    if (performance.now() > end) throw new Error('the page does not show the last bar');
}

/** Whatever is not as planned would be measured too. */
function check(collector: BinanceDataCollector, closed: number): void {
  const { counters } = collector.status();
  const { klines, closedByStream, gaps, malformed, insane, refused } = counters;
  const asPlanned = klines >= framesOf(plan) && closedByStream === barsOf(plan) && closed === barsOf(plan);
  if (!asPlanned || gaps + malformed + insane + refused > 0)
    throw new Error(`not as planned: ${JSON.stringify(counters)}`);
}

async function dropAll(collector: BinanceDataCollector): Promise<number> {
  const before = cpuMs();
  for (let drop = 0; drop < drops; drop++) {
    exchange.tell({ do: 'drop' });
    await until('the socket is gone', () => !collector.isConnected);
    await until('all streams are live again', () => live(collector) === SYMBOLS);
  }
  return (cpuMs() - before) / Math.max(1, drops);
}

const costs: Record<Mode, Cost[]> = { alone: [], inspector: [], page: [] };

async function measure(): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < MODES.length; turn++) {
      const mode = MODES[(round + turn) % MODES.length] as Mode;
      costs[mode].push(await life(mode));
    }
}

const of = (mode: Mode, what: keyof Cost): number => median(costs[mode].map((cost) => cost[what]));
/** Of the same round: what else the machine did is in both. */
const paired = (mode: Mode, what: keyof Cost): number =>
  median(costs[mode].map((cost, round) => cost[what] / (costs.alone[round]?.[what] ?? Number.NaN)));
const summary = () =>
  MODES.map((mode) => ({
    mode,
    messagesPerSecond: Math.round(of(mode, 'perSecond')),
    throughput: rounded(paired(mode, 'perSecond'), 3),
    cpuUsPerMessage: rounded(of(mode, 'cpuUs'), 2),
    cpu: rounded(1 / paired(mode, 'cpuUs'), 3),
    cpuMsPerDrop: rounded(of(mode, 'dropCpuMs'), 1),
    least: LEAST[mode],
    leastCpu: LEAST_CPU[mode],
  }));
const isWithin = (): boolean =>
  summary().every(({ throughput, cpu, least, leastCpu }) => throughput >= least && cpu >= leastCpu);

try {
  // What is compiled on the way is not what is asked for.
  await life('page');
  await measure();
} finally {
  exchange.end();
  rmSync(folder, { recursive: true, force: true });
}

const facts = summary();
const verdict = isWithin() ? 'within its bounds' : 'beyond its bounds';
const sizes = { frames: framesOf(plan), bars: barsOf(plan), rounds: costs.alone.length };
const row = (cells: readonly (string | number)[]): string =>
  `${cells.map((cell, index) => String(cell).padEnd(index === 0 ? 12 : 14)).join('')}\n`;
process.stdout.write(
  flags.json
    ? `${JSON.stringify({ ...sizes, facts, verdict })}\n`
    : row(['', 'messages/s', 'ratio', 'at least', 'µs/message', 'ratio', 'at least', 'ms/drop']) +
        facts
          .map((it) =>
            row([
              ...[it.mode, grouped(it.messagesPerSecond), it.throughput, it.least],
              ...[it.cpuUsPerMessage, it.cpu, it.leastCpu, it.cpuMsPerDrop],
            ]),
          )
          .join('') +
        `${grouped(sizes.frames)} frames, ${grouped(sizes.bars)} bars, ${sizes.rounds} rounds: ${verdict}\n`,
);
process.exitCode = isWithin() ? 0 : 1;
