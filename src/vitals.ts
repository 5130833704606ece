/** What a collector measures about itself: figures that cost nothing to read, however many series there are. */
import type { ReconnectCause } from '../machines/model/reconnect.ts';
import type { Distribution } from './pipeline/durations.ts';
import { type CollectorOverview, overviewOf } from './status.ts';
import type { Wired } from './wire.ts';

export { RECONNECT_CAUSES, type ReconnectCause } from '../machines/model/reconnect.ts';
export type { Distribution } from './pipeline/durations.ts';

/** Counters are monotonic over the life of a collector, also over several runs. */
export interface CollectorVitals extends CollectorOverview {
  /** Since the newest kline frame of any series, wall ms; absent: none has come. */
  readonly lastFrameAgeMs?: number;
  /** Arrival − end of the bar, of bars that the stream closed, wall ms. One that REST had already does not count. */
  readonly closeLag: Distribution;
  readonly commits: {
    /** Of one batch, wall ms; of a memory-only collector next to nothing. */
    readonly took: Distribution;
    /** Since the last one, wall ms; absent: there was none. */
    readonly lastAgoMs?: number;
  };
  /** Of this minute, as the exchange counts it for this address; shared by all collectors of the process. */
  readonly weight: { readonly used: number; readonly limit: number };
  readonly gaps: {
    /** Holes that were named. */
    readonly named: number;
    /** Times that bars of a gap turned up after all, as often as `gap` said so. */
    readonly filled: number;
    /** Gaps of any run that are not filled yet, of the 10,000 that are kept in mind. */
    readonly open: number;
  };
  /** Bars that the exchange corrected after their close. */
  readonly revisions: number;
  /**
   * Connections that were given up or could not be had, by why. One that was asked to close is none, nor is one whose successor had
   * taken over its streams already.
   */
  readonly reconnects: Readonly<Record<ReconnectCause, number>>;
}

/** The figures of a collector. */
export function vitalsOf(wired: Wired): CollectorVitals {
  const { pipeline, audits, delivery, openGaps, commitTimes, exchangeClock, clock } = wired;
  const lastFrameAgeMs = exchangeClock.sinceStampMs;
  const lastAgoMs = commitTimes.lastAgoMs(clock.now());
  return {
    ...overviewOf(wired),
    ...(lastFrameAgeMs === undefined ? {} : { lastFrameAgeMs }),
    closeLag: wired.closeLag.read(),
    commits: { took: commitTimes.took.read(), ...(lastAgoMs === undefined ? {} : { lastAgoMs }) },
    weight: wired.weight(),
    gaps: { named: pipeline.counters.gaps, filled: delivery.filled, open: openGaps.size },
    revisions: audits.revised,
    reconnects: { ...wired.reconnects },
  };
}
