/** What a life at scale is made of: how many streams, what is sent, and what is told about it. */
import type { Interval } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';

/** What the exchange sends. */
export interface Pace {
  /** Forming frames of each stream. */
  readonly framesPerSecond: number;
  /** Closes come within so long behind the end of their bars, evenly, wall ms; 0: all at once. */
  readonly spreadMs: number;
}

export interface VenuePlan {
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
  /** Exchange time when it starts, ms. */
  readonly begin: number;
  /** How fast exchange time runs. */
  readonly timeScale: number;
  readonly pace: Pace;
}

/** `sent`: tells the closes that were sent, and forgets them. `streams`: how many are subscribed, at how many sockets. */
export type VenueOrder = { readonly do: 'sent' | 'streams' } | { readonly do: 'pace'; readonly pace: Pace };

export interface Subscribed {
  readonly streams: number;
  readonly sockets: number;
}

/** One closed bar after the other, three numbers each: which stream, its open time, and when, by `instant()`. */
export type Told = readonly number[];

/** Streams are numbered by symbol, then interval. */
export const seriesOf = ({ symbols, intervals }: Pick<VenuePlan, 'symbols' | 'intervals'>): Series[] =>
  symbols.flatMap((symbol) => intervals.map((interval) => ({ symbol, interval })));

export interface CollectorPlan {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
  readonly timeScale: number;
  readonly store: string;
  readonly bufferSize?: number;
}

/**
 * `live`: when all are. `told`: the candles that a listener heard, which are then forgotten. `count`: how many. `figures`: what
 * it says of itself. `block`: the next candle's listener does not return for so long. `iterate`: an iterator over all
 * series, which reads one candle and then no more. `drain`: it reads so many in all, and ends. `stop`: how that went.
 */
export type CollectorOrder =
  | { readonly do: 'live' | 'told' | 'count' | 'figures' | 'stop' | 'iterate' }
  | { readonly do: 'block'; readonly ms: number }
  | { readonly do: 'drain'; readonly count: number };

export interface Live {
  readonly streamingMs: number;
  readonly liveMs: number;
}

export interface Figures {
  /** Bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  /** Processor time of its life so far, ms. */
  readonly cpuMs: number;
  readonly rowsWaiting: number;
  readonly refused: number;
  readonly gaps: number;
  /** Its own figure: how long batches took to be committed, ms. */
  readonly commitMeanMs: number;
  readonly commits: number;
}

export interface Stopped {
  readonly ms: number;
  /** Processor time of these, all threads. */
  readonly cpuMs: number;
  readonly clean: boolean;
  /** What it said of each part. */
  readonly parts: string;
  /** Candles that a listener heard and that nobody asked about yet. */
  readonly told: Told;
}
