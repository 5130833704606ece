/**
 * How long ten thousand streams take to stop: `node test/scale/stop.ts [--symbols 667] [--while live,mute]`.
 * All fifteen intervals of each symbol, from a simulated exchange in another process; the stop comes while all is well,
 * while half of the streams are mute, while all wait for REST or were refused by it, and while nothing is connected.
 * Exits 1 when a stop takes more than a second, is not clean, or leaves a socket open.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BinanceDataCollector, type CollectorOptions, INTERVALS } from '../../src/index.ts';
import type { Fault } from '../../src/simulator/index.ts';
import { startRemoteExchange } from '../support/remote-exchange.ts';
import { timed } from '../support/wait.ts';

const STOP_MAX_MS = 1_000;
const COMES_WITHIN_MS = 120_000;
/** More than a month, so that something is missing of every interval. */
const BACKFILL_MS = 70 * 86_400_000;
const WHILE = 'connecting,repairing,refused,live,mute';

type States = ReadonlyMap<string, number>;
interface Situation {
  /** Before the start. */
  readonly fault?: Fault;
  /** Once all are proved. */
  readonly later?: Fault;
  readonly options?: Partial<CollectorOptions>;
  /** It has come to this: by the number of streams in each state, and of those that wait for a timer. */
  is(states: States, timers: number, all: number): boolean;
}

const proved = (states: States): number => (states.get('live') ?? 0) + (states.get('quiet') ?? 0);
/** Half of the sockets that all streams need. */
const half = (all: number): number[] => Array.from({ length: Math.ceil(all / 400) }, (_, index) => index + 1);

const situations = (all: number): Readonly<Record<string, Situation>> => ({
  connecting: { fault: { kind: 'hangHandshake' }, is: (_, timers) => timers >= 10 },
  repairing: {
    fault: { kind: 'rest', path: '/fapi/v1/klines', hang: 'headers' },
    options: { backfillMs: BACKFILL_MS },
    is: (states) => states.get('repairing') === all,
  },
  refused: {
    fault: { kind: 'rest', path: '/fapi/v1/klines', status: 418, headers: { 'retry-after': '600' } },
    options: { backfillMs: BACKFILL_MS },
    is: (_, timers) => timers >= all,
  },
  live: { is: (states) => proved(states) >= all * 0.99 },
  mute: {
    later: { kind: 'mute', sockets: half(all) },
    options: { timing: { silenceMs: 3_000, proofDelayMs: 3_000 } },
    is: (states, timers) => proved(states) <= all * 0.6 && timers >= all * 0.3,
  },
});

const { values } = parseArgs({
  options: {
    symbols: { type: 'string', default: '667' },
    while: { type: 'string', default: WHILE },
  },
});
const count = Number(values.symbols);
const symbols = Array.from({ length: count }, (_, index) => `C${String(index).padStart(3, '0')}USDT`);
const all = count * INTERVALS.length;
const wanted = values.while.split(',').map((name) => ({ name, situation: situations(all)[name] }));
if (!(count >= 1 && count <= 1_000) || wanted.some(({ situation }) => situation === undefined)) {
  process.stderr.write(`--symbols 1 to 1000, --while ${Object.keys(situations(all)).join()}\n`);
  process.exit(2);
}

const pad = (cells: readonly (string | number)[]): string =>
  `${cells.map((cell, index) => String(cell).padEnd(index === 0 ? 12 : 10)).join('')}\n`;

/** Waits until it has come to that; false when it does not. */
async function comes(look: () => boolean): Promise<boolean> {
  for (const end = performance.now() + COMES_WITHIN_MS; performance.now() < end; await sleep(250))
    if (look()) return true;
  return false;
}

/** One life of a collector, and what its stop took. */
async function stopWhile(name: string, situation: Situation): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-stop-'));
  await using exchange = await startRemoteExchange({ seed: 1, timeScale: 1, symbols }, folder);
  if (situation.fault !== undefined) await exchange.inject(situation.fault);
  const collector = new BinanceDataCollector({
    symbols,
    intervals: INTERVALS,
    network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl },
    store: join(folder, 'candles.db'),
    connectTimeoutMs: 'never',
    ...situation.options,
  });
  const states = (): States => {
    const byState = Map.groupBy(collector.status().series, ({ state }) => state);
    return new Map([...byState].map(([state, series]) => [state, series.length]));
  };
  const timers = (): number => Object.keys(collector.actor.system.getSnapshot()._scheduledEvents).length;
  const starting = collector.startStreaming().catch(() => {});
  if (situation.later !== undefined) {
    await comes(() => proved(states()) >= all * 0.9);
    await exchange.inject(situation.later);
  }
  const hasCome = await comes(
    () => collector.status().series.length === all && situation.is(states(), timers(), all),
  );
  const [seen, waiting] = [[...states()].map(([state, number]) => `${number} ${state}`).join(', '), timers()];
  const { value, took } = await timed(sleep(0).then(() => collector.stop()));
  const [{ clean }, stopMs] = [value, Math.round(took)];
  await starting;
  const left = await exchange.sockets();
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(
    pad([name, all, waiting, stopMs, String(clean), left, hasCome ? seen : `never came to that: ${seen}`]),
  );
  return hasCome && clean && stopMs <= STOP_MAX_MS && left === 0;
}

process.stdout.write(pad(['while', 'streams', 'timers', 'stop, ms', 'clean', 'sockets', 'states']));
for (const { name, situation } of wanted)
  if (!(await stopWhile(name, situation as Situation))) process.exitCode = 1;
