import type { ConnectionTiming } from '../machines/connection.types.ts';
import type { BackoffPolicy } from '../machines/model/backoff.ts';
import type { Interval } from '../machines/model/interval.ts';
import type { Clock, Logger, Random } from './ports.ts';

/** Where candles come from. A store records it and takes candles of that one origin alone. */
export type Origin = 'simulator' | 'testnet' | 'mainnet' | 'custom';

/**
 * Base URLs of an exchange of one's own: scheme, host, port, and no path; routes are the program's. `wss:`
 * and `https:`; plain `ws:` and `http:` only to this machine (localhost, 127.0.0.0/8, ::1). No credentials.
 */
export interface NetworkUrls {
  readonly wsUrl: string;
  readonly restUrl: string;
  /** Of the archive of past candles. Default: none; then history comes from REST alone. Testnet has none. */
  readonly visionUrl?: string | undefined;
}

/** Overrides of the connection's timing, in ms of wall time. For tests and special networks. */
export type TimingOverrides = {
  readonly [K in keyof Omit<ConnectionTiming, 'backoff'>]?: ConnectionTiming[K] | undefined;
} & {
  readonly backoff?: { readonly [K in keyof BackoffPolicy]?: BackoffPolicy[K] | undefined } | undefined;
};

/**
 * What a collector is made from. Everything but `symbols` and `intervals` has a default. Wrong options are
 * refused at construction with one `ConfigurationError` that lists all of them; nothing has been opened then.
 * An option that is `undefined` counts as absent. Options ending in `Ms` are milliseconds of wall time unless
 * said otherwise, whole numbers from 1 to 2 147 483 647.
 */
export interface CollectorOptions {
  /**
   * Contracts to collect, at least one, each once. ASCII letters are raised, so `btcusdt` will do. Letters,
   * digits and `_`, at most 30 characters. Whether the exchange lists them is checked by `startStreaming`; one
   * that is listed and does not trade yet is waited for.
   *
   * `'all'`: every perpetual that trades, also those that are listed while the collector runs. With all 15
   * intervals that is above 10 000 series, each with a buffer of `bufferSize` candles.
   */
  readonly symbols: 'all' | readonly string[];
  /** Bar lengths, at least one, each once, spelled exactly: `1m` is a minute, `1M` is a calendar month. */
  readonly intervals: readonly Interval[];
  /**
   * The exchange. `'simulator'` starts an embedded simulated one in this process. Default `'mainnet'`.
   */
  readonly network?: 'mainnet' | 'testnet' | 'simulator' | NetworkUrls | undefined;
  /**
   * What the store is to record as its origin, when `network` is URLs: `'simulator'` when those belong to a
   * simulated exchange. Default `'custom'`. With a named network it is that name and nothing else is taken.
   */
  readonly origin?: Origin | undefined;
  /** Closed candles kept in memory per stream, 1 to 100 000. Default 500. */
  readonly bufferSize?: number | undefined;
  /** Path of the SQLite file; its folder must exist. Default: none, candles are in memory only. */
  readonly store?: string | undefined;
  /**
   * Folder for archive files, kept as downloaded and verified; made when it is missing, and shared by any number of
   * processes. Default: none, then they are temporary files that are gone when the collector stops.
   */
  readonly cacheDir?: string | undefined;
  /** From `startStreaming` to `streaming`; `'never'`: tried until stopped. Default 10 000. */
  readonly connectTimeoutMs?: number | 'never' | undefined;
  /** Between two pings on a connection. Default 20 000. */
  readonly pingIntervalMs?: number | undefined;
  /** How long a ping may stay unanswered before the connection is given up. Default 5 000. */
  readonly pongTimeoutMs?: number | undefined;
  /** Within which `stop` ends when it is given no `timeoutMs`. Default 5 000. */
  readonly stopTimeoutMs?: number | undefined;
  /**
   * How many times faster than wall time the exchange's time runs: above 0, at most 100 000. Default 60 with
   * `network: 'simulator'`, otherwise 1. With mainnet and testnet only 1 is taken.
   */
  readonly timeScale?: number | undefined;
  /**
   * History to hold before going live, ms of exchange time, 0 to 10 years. Default 0: only what a restart on
   * the same store missed. Whole days that are published come from the archive, the rest from REST.
   */
  readonly backfillMs?: number | undefined;
  /** Candles that an iterator may lag behind before it reads from the store, 1 to 1 000 000. Default 10 000. */
  readonly queueSize?: number | undefined;
  /**
   * Streams on one socket, 1 to 1024. Default 200. The exchange closes a socket with more than 1024, and one name
   * of these is kept free for the news of listings.
   */
  readonly streamsPerSocket?: number | undefined;
  /** Between two readings of the exchange's list of symbols; a tenth more or less. Default 300 000. */
  readonly symbolsPollMs?: number | undefined;
  /** Overrides of the connection's timing; stronger than `pingIntervalMs` and `pongTimeoutMs`. Default: none. */
  readonly timing?: TimingOverrides | undefined;
  /** Has `debug`, `info`, `warn`, `error`, as winston's and `console`. Default: nothing is logged. */
  readonly logger?: Logger | undefined;
  /** Aborting it stops the collector. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** XState's inspector: told of every actor, event and snapshot. Costs time. Default: none. */
  readonly inspect?: ((event: never) => void) | undefined;
  /** Time and timers. For simulations. Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for jitter. For simulations. Default: `Math.random`. */
  readonly random?: Random | undefined;
  /** Accepted and ignored: market data is public. Never sent, kept or logged. */
  readonly apiKey?: string | undefined;
  /** As `apiKey`. */
  readonly apiSecret?: string | undefined;
}

/** The options with every default filled in. Holds no secret. */
export interface ResolvedOptions {
  readonly symbols: 'all' | readonly string[];
  readonly intervals: readonly Interval[];
  readonly network: Origin;
  readonly origin: Origin;
  /** Undefined for `'simulator'`: its URLs are known once it runs. */
  readonly urls: NetworkUrls | undefined;
  readonly bufferSize: number;
  readonly store: string | undefined;
  /** Undefined: temporary files. */
  readonly cacheDir: string | undefined;
  /** Undefined: never. */
  readonly connectTimeoutMs: number | undefined;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly timeScale: number;
  readonly backfillMs: number;
  readonly queueSize: number;
  readonly streamsPerSocket: number;
  readonly symbolsPollMs: number;
  readonly timing: ConnectionTiming;
  /** Undefined: silent. */
  readonly logger: Logger | undefined;
  readonly signal: AbortSignal | undefined;
  readonly inspect: ((event: never) => void) | undefined;
  /** Undefined: the machine's. */
  readonly clock: Clock | undefined;
  /** Undefined: `Math.random`. */
  readonly random: Random | undefined;
}
