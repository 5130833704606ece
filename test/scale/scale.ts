/**
 * How it carries many streams: `node test/scale/scale.ts [--symbols 100] [--time-scale 1] [--seconds 20]`. All fifteen
 * intervals of each symbol, from a simulated exchange in another process; prints what that takes, and exits 1 when a
 * bound is passed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BinanceDataCollector, INTERVALS } from '../../src/index.ts';
import type { LogEntry } from '../../src/simulator/index.ts';
import { startRemoteExchange } from '../support/remote-exchange.ts';
import { timed } from '../support/wait.ts';

/** Source of the first four: protocol facts of the venue, and the program's own rule of 200 streams a socket. */
const BOUNDS = {
  streamsPerSocket: 200,
  controlFramesPerSecond: 10,
  subscribeBytes: 4_096,
  provedWithinMs: 120_000,
  rssMiB: 700,
  stopMs: 1_000,
} as const;

const { values } = parseArgs({
  options: {
    symbols: { type: 'string', default: '100' },
    'time-scale': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
  },
});
const [count, timeScale, seconds] = [values.symbols, values['time-scale'], values.seconds].map(Number) as [
  number,
  number,
  number,
];
if (!(count >= 1 && count <= 1_000 && timeScale > 0 && seconds >= 0)) {
  process.stderr.write('--symbols 1 to 1000, --time-scale above 0, --seconds from 0\n');
  process.exit(2);
}

const symbols = Array.from({ length: count }, (_, index) => `C${String(index).padStart(3, '0')}USDT`);
const folder = mkdtempSync(join(tmpdir(), 'candlestate-scale-'));
const problems: string[] = [];
const say = (what: string, value: string | number, isWithin = true): void => {
  process.stdout.write(`${what.padEnd(34)} ${value}${isWithin ? '' : '  ← beyond its bound'}\n`);
  if (!isWithin) problems.push(what);
};
const mib = (bytes: number): number => Math.round(bytes / 1_048_576);

/** Waits until every series is proved; wall ms, or undefined when that does not come. */
async function proved(collector: BinanceDataCollector, began: number): Promise<number | undefined> {
  while (performance.now() - began < BOUNDS.provedWithinMs) {
    const { series } = collector.status();
    if (series.length > 0 && series.every(({ state }) => state === 'live' || state === 'quiet'))
      return performance.now() - began;
    await sleep(50);
  }
  return undefined;
}

/** Most entries in any second. */
function perSecond(entries: readonly LogEntry[]): number {
  const times = entries.map((entry) => entry.wallMs);
  return Math.max(
    0,
    ...times.map((time, index) => index + 1 - times.findIndex((other) => other > time - 1_000)),
  );
}

function report(log: readonly LogEntry[]): void {
  const dialled = log.filter((entry) => entry.kind === 'open');
  const gone = new Set(log.filter((entry) => entry.kind === 'close').map((entry) => entry.socket));
  const needed = Math.ceil((count * INTERVALS.length) / BOUNDS.streamsPerSocket);
  say('sockets', dialled.length - gone.size, dialled.length - gone.size === needed);
  say('of which dialled anew', gone.size);
  const messages = log.filter((entry) => entry.kind === 'message');
  const bySocket = Map.groupBy(
    messages.filter((entry) => !gone.has(entry.socket)),
    (entry) => entry.socket,
  );
  const streams = [...bySocket.values()].map((entries) =>
    entries.reduce((sum, { text = '{}' }) => {
      const { method, params = [] } = JSON.parse(text) as { method: string; params?: string[] };
      return sum + (method === 'SUBSCRIBE' ? params.filter((name) => name.includes('@kline_')).length : 0);
    }, 0),
  );
  say('streams, each socket', streams.join(' '), Math.max(...streams) <= BOUNDS.streamsPerSocket);
  const total = streams.reduce((sum, one) => sum + one, 0);
  say('streams', total, total === count * INTERVALS.length);
  const frames = log.filter((entry) => ['message', 'ping', 'pong'].includes(entry.kind));
  const most = Math.max(...[...Map.groupBy(frames, (entry) => entry.socket).values()].map(perSecond));
  say('control frames a second, at most', most, most <= BOUNDS.controlFramesPerSecond);
  const bytes = Math.max(...messages.map((entry) => entry.bytes ?? 0));
  say('bytes of a SUBSCRIBE, at most', bytes, bytes <= BOUNDS.subscribeBytes);
  const asked = log.filter((entry) => entry.kind === 'http');
  say(
    'REST requests, and their weight',
    `${asked.length}, ${asked.reduce((sum, { weight = 0 }) => sum + weight, 0)}`,
  );
  const refused = asked.filter((entry) => entry.status === 429 || entry.status === 418).length;
  say('REST requests over the limit', refused, refused === 0);
}

await using exchange = await startRemoteExchange({ seed: 1, timeScale, symbols }, folder);
const collector = new BinanceDataCollector({
  symbols,
  intervals: INTERVALS,
  network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl },
  timeScale,
  store: join(folder, 'candles.db'),
  connectTimeoutMs: 'never',
});
let candles = 0;
collector.on('candle', () => {
  candles += 1;
});
try {
  const began = performance.now();
  await collector.startStreaming();
  say('ms until streaming', Math.round(performance.now() - began));
  const provedMs = await proved(collector, began);
  say(
    'ms until all are proved',
    provedMs === undefined ? 'never' : Math.round(provedMs),
    provedMs !== undefined,
  );
  const states = Map.groupBy(collector.status().series, ({ state }) => state);
  say('states', [...states].map(([state, all]) => `${state} ${all.length}`).join(', '));
  report(await exchange.log());
  const cpu = process.cpuUsage();
  await sleep(seconds * 1_000);
  const { user, system } = process.cpuUsage(cpu);
  if (seconds > 0) say('processor, % of one', Math.round((user + system) / 10_000 / seconds));
  const { rss, heapUsed } = process.memoryUsage();
  say('memory, MiB: all, heap', `${mib(rss)}, ${mib(heapUsed)}`, mib(rss) <= BOUNDS.rssMiB);
  say('candles, frames', `${candles}, ${collector.status().counters.frames}`);
} finally {
  const { value, took } = await timed(sleep(0).then(() => collector.stop()));
  const [{ clean }, stopMs] = [value, Math.round(took)];
  say('ms to stop, clean', `${stopMs}, ${clean}`, clean && stopMs <= BOUNDS.stopMs);
  const left = await exchange.sockets();
  say('sockets left', left, left === 0);
  rmSync(folder, { recursive: true, force: true });
}
if (problems.length > 0) process.exitCode = 1;
