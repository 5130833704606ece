import type { Clock } from '../ports.ts';
import { MAX_TIMER_MS } from '../transport/clock.ts';
import { LOOPBACK_HOSTS } from './guard.ts';

export const DEFAULT_SEED = 1;
export const DEFAULT_SYMBOLS: readonly string[] = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
/** Exchange seconds per wall second. */
export const DEFAULT_TIME_SCALE = 60;

export interface SimulatorOptions {
  /** `127.0.0.1` (default), `localhost` or `::1`. */
  readonly host?: string;
  /** 0 (default) takes a free one. */
  readonly port?: number;
  /** Any safe integer; the same seed is the same market. */
  readonly seed?: number;
  /** How many times faster than the wall clock the exchange's time runs; default 60. */
  readonly timeScale?: number;
  readonly symbols?: readonly string[];
  /** More symbols, not on the exchange before the fault `symbol` lists them. */
  readonly listLater?: readonly string[];
  /**
   * Exchange time at the start, ms. Default: the wall clock; in replay the earliest open time among the
   * symbols.
   */
  readonly startTime?: number;
  /** Folder of archive files: the exchange is then what was recorded. */
  readonly replayDir?: string;
  readonly clock?: Clock;
  /** Symbols that never trade: flat bars for ever. */
  readonly quietSymbols?: readonly string[];
  /** Wall ms between two pings of the server; default 180,000. */
  readonly serverPingMs?: number;
  /** A client that answers no ping for so many wall ms is closed (1008); default 600,000. */
  readonly pongTimeoutMs?: number;
  /** A bar closes at the first trade of the next one, at the latest so long after its end; exchange ms, 2000. */
  readonly closeLatenessMs?: number;
  /** Shortest time between two frames of a stream, exchange ms, 250. */
  readonly updateMs?: number;
  /** Wall ms after which a connection is closed (1001); default 24 hours. */
  readonly lifetimeMs?: number;
  /** Request weight per UTC minute; default 2400. */
  readonly weightLimit?: number;
  /** How many requests of a minute are answered 429 before the client is banned; default 10. */
  readonly banAfter?: number;
  /** Wall ms of the first ban, each is twice as long as the one before; default 120,000. */
  readonly banMs?: number;
}

const AMOUNTS = [
  'serverPingMs',
  'pongTimeoutMs',
  'closeLatenessMs',
  'updateMs',
  'lifetimeMs',
  'weightLimit',
  'banAfter',
  'banMs',
] as const;

/** Refuses options that make no sense, naming them. */
export function assertOptions(options: SimulatorOptions): void {
  const check = (ok: boolean, text: string): void => {
    if (!ok) throw new RangeError(text);
  };
  const { host, port, seed, timeScale, startTime } = options;
  check(host === undefined || LOOPBACK_HOSTS.includes(host), `host: ${host} is not loopback`);
  check(port === undefined || (Number.isInteger(port) && port >= 0 && port < 65_536), `port: ${port}`);
  check(seed === undefined || Number.isSafeInteger(seed), `seed: ${seed} is not an integer`);
  check(
    timeScale === undefined || (Number.isFinite(timeScale) && timeScale > 0),
    `timeScale: ${timeScale} is not a positive number`,
  );
  check(startTime === undefined || Number.isSafeInteger(startTime), `startTime: ${startTime} is not in ms`);
  const { lifetimeMs } = options;
  for (const name of AMOUNTS) {
    const value = options[name];
    check(value === undefined || (Number.isFinite(value) && value >= 0), `${name}: ${value}`);
  }
  check(lifetimeMs === undefined || lifetimeMs <= MAX_TIMER_MS, `lifetimeMs: ${lifetimeMs} is too long`);
  check(options.serverPingMs !== 0, 'serverPingMs: 0 would ping without end');
}
