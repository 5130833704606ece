import type { CandleSource } from '../../machines/model/kline.ts';

/** What has come in and what became of it. Monotonic over the life of a collector. */
export interface Counters {
  /** Messages of every kind. */
  frames: number;
  /** Kline frames of our series. */
  klines: number;
  /** Events of another type. */
  ignored: number;
  /** Kline frames of a series that nobody asked for. */
  foreign: number;
  malformed: number;
  /** Closed bars that were held already. */
  duplicates: number;
  /** Frames of a forming bar that has been passed on as closed already, or was named as missing. */
  late: number;
  /** Frames of bars behind the end of a retired series. */
  ended: number;
  /** Closed bars, and first frames of a series, that can't be what they claim. */
  insane: number;
  /** Closed bars turned away because the rows that wait for the store are at their bound; fetched later. */
  refused: number;
  /** Closed bars passed on, by source. */
  closedByStream: number;
  closedByRest: number;
  closedByArchive: number;
  gaps: number;
}

export const noCounts = (): Counters => ({
  frames: 0,
  klines: 0,
  ignored: 0,
  foreign: 0,
  malformed: 0,
  duplicates: 0,
  late: 0,
  ended: 0,
  insane: 0,
  refused: 0,
  closedByStream: 0,
  closedByRest: 0,
  closedByArchive: 0,
  gaps: 0,
});

/** The counter of a closed bar, by where it came from. */
export const CLOSED_BY = {
  stream: 'closedByStream',
  rest: 'closedByRest',
  vision: 'closedByArchive',
} as const satisfies Record<CandleSource, keyof Counters>;
