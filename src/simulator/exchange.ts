import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LIMITS } from '../binance/venue.ts';
import { systemClock } from '../transport/clock.ts';
import { Archive } from './archive.ts';
import { Bulletin, CONTRACT_INFO } from './bulletin.ts';
import { command } from './commands.ts';
import { createControlServer } from './control.ts';
import { type ConnectionState, Door } from './door.ts';
import { type Fault, faultSchema } from './fault-shapes.ts';
import { FaultBoard } from './faults.ts';
import { Feed } from './feed.ts';
import { streamFinder } from './frames.ts';
import { garbageSource } from './garbage.ts';
import { authority, isLocalRequest } from './guard.ts';
import { Journal, type LogEntry } from './journal.ts';
import { LivingSource } from './life.ts';
import { Market } from './market.ts';
import { Mutes } from './mutes.ts';
import {
  assertOptions,
  DEFAULT_SEED,
  DEFAULT_SYMBOLS,
  DEFAULT_TIME_SCALE,
  type SimulatorOptions,
} from './options.ts';
import { loadReplay } from './replay.ts';
import { Roster } from './roster.ts';
import type { BarSource } from './source.ts';
import { generatedSources, type Truth, truthOf } from './truth.ts';
import { answerWeb } from './web.ts';
import { WeightMeter } from './weight.ts';

/** A running simulated exchange. */
export interface SimulatedExchange extends AsyncDisposable {
  /** Base URLs without a slash at the end. */
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly visionUrl: string;
  readonly controlUrl: string;
  readonly seed: number;
  readonly timeScale: number;
  /** Exchange time, ms. */
  now(): number;
  readonly truth: Truth;
  /** Throws a RangeError when the fault can't be as things are. */
  inject(fault: Fault): void;
  clearFaults(): void;
  /** What was asked of the exchange, oldest first, the last 10,000 entries. */
  log(): readonly LogEntry[];
  clearLog(): void;
  /** WebSockets that are open now. */
  sockets(): number;
  /** The same, each with its number. */
  connections(): readonly ConnectionState[];
  /** Ends every connection and timer. May be called again. */
  close(): Promise<void>;
}

/** Largest request header, bytes: a thousand streams fit in the path. */
const HEADER_MAX = 131_072;

/** Starts a simulated exchange on loopback. Rejects with `EADDRINUSE` as `code` when the port is taken. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<SimulatedExchange> {
  assertOptions(options);
  const clock = options.clock ?? systemClock;
  const host = options.host ?? '127.0.0.1';
  const seed = options.seed ?? DEFAULT_SEED;
  const timeScale = options.timeScale ?? DEFAULT_TIME_SCALE;
  const { replayDir, listLater = [] } = options;
  const bars = barsOf(options, seed);
  const sources = bars.map((source) => new LivingSource(source, !listLater.includes(source.info.symbol)));
  const market = new Market(sources);
  const startTime =
    options.startTime ?? (replayDir === undefined ? Math.floor(clock.wallNow()) : firstOpenTime(bars));
  const t0 = clock.now();
  const now = (): number => Math.floor(startTime + (clock.now() - t0) * timeScale);

  const truth = truthOf(market);
  const journal = new Journal(clock, now);
  const faults = new FaultBoard(clock);
  const mutes = new Mutes(faults);
  const bulletin = new Bulletin(mutes);
  const weight = new WeightMeter(clock, {
    limit: options.weightLimit ?? LIMITS.weightPerMinute,
    banAfter: options.banAfter ?? 10,
    banMs: options.banMs ?? 120_000,
  });
  const archive = new Archive(market, replayDir);
  const feed = new Feed({
    market,
    clock,
    now,
    timeScale,
    faults,
    mutes,
    closeLatenessMs: options.closeLatenessMs ?? 2000,
    updateMs: options.updateMs ?? 250,
  });
  const door = new Door({
    clock,
    now,
    feed,
    bulletin,
    faults,
    mutes,
    journal,
    weight,
    find: streamFinder(market),
    garbage: garbageSource(),
    pingMs: options.serverPingMs ?? 180_000,
    pongMs: options.pongTimeoutMs ?? 600_000,
    lifetimeMs: options.lifetimeMs ?? LIMITS.connectionLifetimeMs,
  });
  const roster = new Roster({
    market,
    sources,
    onBars: (symbol) => {
      archive.forget(now());
      feed.refresh(symbol);
    },
    onContract: (info) => bulletin.publish(info, now()),
  });
  const web = { clock, now, market, roster, faults, journal, weight, archive };

  const main = createServer({ maxHeaderSize: HEADER_MAX }, (request, response) => {
    if (isLocalRequest(request)) void answerWeb(web, request, response);
    else {
      journal.add('http', { path: request.url ?? '/', status: 403 });
      response.writeHead(403).end();
    }
  });
  main.on('upgrade', (request, wire, head) => door.upgrade(request, wire, head));

  const clearFaults = (): void => {
    faults.clear();
    door.relieve();
    weight.pardon();
  };
  const inject = (fault: Fault): void =>
    command({ now, roster, feed, door, mutes, faults, weight }, faultSchema.parse(fault));
  const log = (): readonly LogEntry[] => journal.entries();
  const clearLog = (): void => journal.clear();
  const state = (): object => ({
    now: now(),
    timeScale,
    seed,
    sockets: door.open,
    connections: door.connections(),
    subscriptions: [...feed.streams(), ...(bulletin.hasReaders ? [CONTRACT_INFO] : [])],
    faults: faults.active(),
  });
  const control = createControlServer({ truth, state, log, clearLog, inject, clearFaults });

  const port = await listen(main, host, options.port ?? 0);
  const controlPort = await listen(control, host, 0).catch(async (error: unknown) => {
    await stop(main);
    throw error;
  });
  const address = authority(host, port);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      feed.close();
      door.close();
      await Promise.all([stop(main), stop(control)]);
    })();
    return closing;
  };
  return {
    wsUrl: `ws://${address}`,
    restUrl: `http://${address}`,
    visionUrl: `http://${address}`,
    controlUrl: `http://${authority(host, controlPort)}`,
    seed,
    timeScale,
    now,
    truth,
    inject,
    clearFaults,
    log,
    clearLog,
    sockets: () => door.open,
    connections: () => door.connections(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The bars of the exchange, as recorded or as invented, also of symbols that are listed later. */
function barsOf(options: SimulatorOptions, seed: number): BarSource[] {
  const { replayDir, symbols, listLater = [], quietSymbols = [] } = options;
  const withLater = (listed: readonly string[]): string[] => [...new Set([...listed, ...listLater])];
  if (replayDir !== undefined) return loadReplay(replayDir, symbols && withLater(symbols));
  return generatedSources({ seed, symbols: withLater(symbols ?? DEFAULT_SYMBOLS), quietSymbols });
}

/** The earliest open time of any recorded symbol. */
function firstOpenTime(sources: readonly BarSource[]): number {
  return Math.min(...sources.map((source) => source.nextOpen(-Infinity)));
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', () => {});
      server.on('clientError', (_error, socket) => socket.destroy());
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
