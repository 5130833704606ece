import { LIMITS } from '../binance/venue.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import { Archive } from './archive.ts';
import { Bulletin, CONTRACT_INFO } from './bulletin.ts';
import { command } from './commands.ts';
import { type ConnectionState, Door, type Handshake, type HandshakeRequest } from './door.ts';
import { type Fault, faultSchema } from './fault-shapes.ts';
import { FaultBoard } from './faults.ts';
import { Feed } from './feed.ts';
import { streamFinder } from './frames.ts';
import { garbageSource } from './garbage.ts';
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
import { type Asked, takeWeb, type WebRequest } from './web.ts';
import { WeightMeter } from './weight.ts';

/** A simulated exchange without a network: what it decides, and the sessions of those that are connected. */
export interface ExchangeCore {
  readonly seed: number;
  readonly timeScale: number;
  readonly clock: Clock;
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
  /** What `GET /state` tells. */
  state(): object;
  /** What becomes of a request to open a WebSocket. */
  handshake(request: HandshakeRequest): Handshake;
  /** What becomes of a request to REST or archive. */
  answer(request: WebRequest): Asked;
  /** Ends every session and timer. */
  close(): void;
}

/** Everything of an exchange that listens to nothing: `host` and `port` mean nothing to it. */
export function createExchange(options: SimulatorOptions = {}): ExchangeCore {
  assertOptions(options);
  const clock = options.clock ?? systemClock;
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
  const web = { now, market, roster, faults, journal, weight, archive };

  const clearFaults = (): void => {
    faults.clear();
    door.relieve();
    weight.pardon();
  };
  const inject = (fault: Fault): void =>
    command({ now, roster, feed, door, mutes, faults, weight }, faultSchema.parse(fault));
  return {
    seed,
    timeScale,
    clock,
    now,
    truth,
    inject,
    clearFaults,
    log: () => journal.entries(),
    clearLog: () => journal.clear(),
    sockets: () => door.open,
    connections: () => door.connections(),
    state: () => ({
      now: now(),
      timeScale,
      seed,
      sockets: door.open,
      connections: door.connections(),
      subscriptions: [...feed.streams(), ...(bulletin.hasReaders ? [CONTRACT_INFO] : [])],
      faults: faults.active(),
    }),
    handshake: (request) => door.handshake(request),
    answer: (request) => takeWeb(web, request),
    close: () => {
      feed.close();
      door.close();
    },
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
