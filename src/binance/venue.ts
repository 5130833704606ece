/**
 * The venue's facts, in one place: hosts, routes, limits. Each with its unit, its source and the date of
 * that source. No other file spells a host, a route or a limit.
 *
 * Sources: [streams] Websocket Market Streams, developers.binance.com, 2026-05-28; [notice] USDⓈ-M Futures
 * WebSocket System Upgrade Notice, 2026-03-06; [rest] General Info and Kline/Candlestick Data, 2026-05-28;
 * [measured] published live measurements of 2026-10-07 (dilettante-trading/polyoxide, OBSERVED.md).
 */
export { INTERVALS } from '../../machines/model/interval.ts';

/** Base URLs without a path. */
export interface VenueUrls {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly visionUrl: string;
}

/** Real hosts. [streams] [rest]; the demo hosts: docs as quoted in September 2026. */
export const HOSTS = {
  mainnet: {
    wsUrl: 'wss://fstream.binance.com',
    restUrl: 'https://fapi.binance.com',
    visionUrl: 'https://data.binance.vision',
  },
  testnet: {
    wsUrl: 'wss://demo-fstream.binance.com',
    restUrl: 'https://demo-fapi.binance.com',
    visionUrl: 'https://data.binance.vision',
  },
} as const satisfies Record<string, VenueUrls>;

/**
 * Combined-stream route of the market data. Klines come on `/market` alone: the un-routed legacy URLs still
 * open and acknowledge, and stay mute since 2026-04-23. [notice] [measured]
 */
export const MARKET_STREAM_PATH = '/market/stream';

/** Type of the event by which a server says that it will end the connection soon. Documented for spot alone. */
export const SHUTDOWN_EVENT = 'serverShutdown';

export const REST_PATHS = {
  ping: '/fapi/v1/ping',
  time: '/fapi/v1/time',
  exchangeInfo: '/fapi/v1/exchangeInfo',
  klines: '/fapi/v1/klines',
} as const;

/** Header with the weight that this IP used in the current UTC minute. [rest] */
export const USED_WEIGHT_HEADER = 'x-mbx-used-weight-1m';

export const LIMITS = {
  /** Streams on one socket before the server closes it with 1008. [streams] since 2025-07-02, [measured] */
  streamsPerSocketMax: 1024,
  /** Streams we put on one socket: keeps what a drop costs small. Ours. */
  streamsPerSocket: 200,
  /** Incoming messages per second and socket, pings and pongs counted. [streams] */
  controlMessagesPerSecondMax: 10,
  /**
   * What we send: below half of it, so that pings fit in, and never more than five arrive within a second,
   * however unevenly the network passes them on. Ours.
   */
  controlMessagesPerSecond: 4,
  /** A SUBSCRIBE text above 4096 bytes was cut and answered with code 3. [measured] 2026-09-23; ours is below. */
  subscribeBytesMax: 4000,
  /** Names in one SUBSCRIBE; 200 were accepted on 2026-10-07. Ours is below. */
  subscribeNamesMax: 100,
  /** Rows of one klines answer. [rest] */
  klinesRowsMax: 1500,
  /** Weight per UTC minute and IP, unless exchangeInfo's `rateLimits` says otherwise. [rest] */
  weightPerMinute: 2400,
  /** Dials from one IP. Stated for spot only, assumed here: "300 connections per attempt every 5 minutes". */
  dialsMax: 300,
  dialsWindowMs: 300_000,
  /** Dials that may follow each other at once. Ours. */
  dialBurst: 4,
  /** A connection ends after 24 h, busy or not, ms. [streams] */
  connectionLifetimeMs: 24 * 3_600_000,
  /** The largest frame that we accept; a kline frame has about 400 bytes. Ours. */
  frameBytesMax: 1_048_576,
  /** The largest REST body that we accept; exchangeInfo has 1.2 MB. [measured]; ours. */
  bodyBytesMax: 16 * 1_048_576,
} as const;

/** Weight of a klines request by its `limit`; the larger of documented and measured. [rest] [measured] */
export function klinesWeight(limit: number): number {
  if (limit < 100) return 1;
  if (limit < 500) return 2;
  if (limit <= 1000) return 5;
  return 10;
}
