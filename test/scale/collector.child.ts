/**
 * The package as its users import it, in a process of its own, with nothing else in it: a {@link CollectorPlan} is its
 * argument, and it does what it is told. It is run as JavaScript: what takes the types away takes memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BinanceDataCollector, type Candle } from 'candlestate';
import type { CollectorOrder, CollectorPlan, Figures, Live, Stopped } from './life.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as CollectorPlan;
const { wsUrl, restUrl, symbols, intervals, timeScale, store, bufferSize } = plan;
const collector = new BinanceDataCollector({
  ...{ symbols, intervals, network: { wsUrl, restUrl }, timeScale, store, bufferSize },
  connectTimeoutMs: 'never',
});
const instant = (): number => Number(process.hrtime.bigint()) / 1e6;
const numberOf = new Map(
  symbols
    .flatMap((symbol) => intervals.map((interval) => `${symbol}@${interval}`))
    .map((key, number) => [key, number]),
);

let told: number[] = [];
let count = 0;
let blockMs = 0;
collector.on('candle', ({ symbol, interval, openTime }) => {
  told.push(numberOf.get(`${symbol}@${interval}`) as number, openTime, instant());
  count += 1;
  if (blockMs === 0) return;
  const end = instant() + blockMs;
  blockMs = 0;
  while (instant() < end);
});

async function live(began: number): Promise<Live> {
  await collector.startStreaming();
  const streamingMs = instant() - began;
  // A picture of ten thousand series is a megabyte of objects: not looked at while there is no need to.
  while (!collector.isConnected) await sleep(50);
  while (!collector.status().series.every(({ state }) => state === 'live')) await sleep(250);
  return { streamingMs, liveMs: instant() - began };
}

function figures(): Figures {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const { rowsWaiting, counters, gaps, commits } = collector.vitals();
  const { sum, count: batches } = commits.took;
  return {
    ...{ rss, heapUsed, cpuMs: (user + system) / 1_000, rowsWaiting },
    ...{ refused: counters.refused, gaps: gaps.named },
    ...{ commitMeanMs: batches === 0 ? 0 : sum / batches, commits: batches },
  };
}

async function stop(): Promise<Stopped> {
  const [began, before] = [instant(), process.cpuUsage()];
  const { clean, components } = await collector.stop();
  const ms = instant() - began;
  const { user, system } = process.cpuUsage(before);
  const parts = components.map(
    ({ name, outcome, durationMs }) => `${name} ${outcome} ${Math.round(durationMs)}`,
  );
  return { ms, cpuMs: (user + system) / 1_000, clean, parts: parts.join(', '), told };
}

let reading: AsyncIterableIterator<Candle> | undefined;
let first: Promise<IteratorResult<Candle>> | undefined;

/** Everything that is to be read, as it was told to a listener. */
async function drain(wanted: number): Promise<number[]> {
  const read: number[] = [];
  for (let result = await first; result !== undefined && result.done !== true; ) {
    const { symbol, interval, openTime } = result.value;
    read.push(numberOf.get(`${symbol}@${interval}`) as number, openTime, instant());
    if (read.length >= 3 * wanted) break;
    result = await reading?.next();
  }
  await reading?.return?.();
  return read;
}

const began = instant();
const answers: { [Do in CollectorOrder['do']]?: (order: CollectorOrder) => unknown } = {
  live: () => live(began),
  count: () => count,
  figures,
  told: () => {
    const all = told;
    told = [];
    return all;
  },
  stop,
  block: (order) => {
    if (order.do === 'block') blockMs = order.ms;
  },
  iterate: () => {
    reading = collector.candles();
    first = reading.next();
  },
  drain: (order) => (order.do === 'drain' ? drain(order.count) : undefined),
};
process.on('message', async (order: CollectorOrder) => {
  const answer = await answers[order.do]?.(order);
  if (answer !== undefined) process.send?.(answer);
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
