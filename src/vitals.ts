/** What a collector measures about itself: figures that cost nothing to read, however many series there are. */
import type { AuditCounters } from './pipeline/audits.ts';
import type { Counters } from './pipeline/counters.ts';
import { type CollectorMode, type CollectorState, modeOf, topState } from './status.ts';
import type { Wired } from './wire.ts';

/** How often something took how long. Cumulative over the life of a collector. */
export interface Distribution {
  /** Upper bounds of the buckets, inclusive, ascending; one more bucket is above all. */
  readonly bounds: readonly number[];
  /** How many fell into each bucket; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  /** The newest; absent: there was none. */
  readonly last?: number;
}

/** Why a connection was given up and dialled anew. */
export type ReconnectCause = (typeof RECONNECT_CAUSES)[number];

/**
 * `closed`: by the peer or the network; `announced`: closed after the exchange had said so; `refused`: the handshake was
 * answered with an HTTP status; `unreachable`: it was not answered; `unacknowledged`: the subscription was refused or not
 * acknowledged; `silent`: no sign of life (half-open), or no data and nobody could tell why; `mute`: its symbols trade
 * and no data came; `garbled`: its frames could not be understood; `failed`: a fault of ours, or no permit to dial.
 */
export const RECONNECT_CAUSES = [
  'closed',
  'announced',
  'refused',
  'unreachable',
  'unacknowledged',
  'silent',
  'mute',
  'garbled',
  'failed',
] as const;

/** Counters are monotonic over the life of a collector, also over several runs. */
export interface CollectorVitals {
  readonly state: CollectorState;
  readonly isConnected: boolean;
  readonly mode: CollectorMode;
  /** Exchange time, ms; absent before it is known. */
  readonly exchangeTime?: number;
  readonly timeScale: number;
  readonly counters: Readonly<Counters & AuditCounters>;
  /** Since the newest kline frame of any series, wall ms; absent: none has come. */
  readonly lastFrameAgeMs?: number;
  /** Rows that wait for the store. */
  readonly rowsWaiting: number;
  /** Arrival − end of the bar, of bars that the stream closed in time, wall ms. */
  readonly closeLag: Distribution;
  readonly commits: {
    /** Of one batch, wall ms. */
    readonly took: Distribution;
    /** Since the last one, wall ms; absent: there was none. */
    readonly lastAgoMs?: number;
  };
  /** Of this minute, as the exchange counts it for this address; shared by all collectors of the process. */
  readonly weight: { readonly used: number; readonly limit: number };
  readonly gaps: {
    /** Holes that were named. */
    readonly named: number;
    /** Times that bars of a gap turned up after all. */
    readonly filled: number;
    /** Gaps of any run that are not filled yet, of the 10,000 that are kept in mind. */
    readonly open: number;
  };
  readonly revisions: number;
  /** Connections that were given up, by why. A rotation that overlaps is none. */
  readonly reconnects: Readonly<Record<ReconnectCause, number>>;
}

const NOTHING: Distribution = { bounds: [], counts: [0], count: 0, sum: 0 };

/** The figures of a collector. */
export function vitalsOf({ actor, pipeline, audits, openGaps, exchangeClock }: Wired): CollectorVitals {
  const exchangeTime = exchangeClock.now();
  return {
    state: topState(actor),
    isConnected: actor.getSnapshot().matches({ streaming: 'full' }),
    mode: modeOf(actor),
    ...(Number.isFinite(exchangeTime) ? { exchangeTime } : {}),
    timeScale: exchangeClock.timeScale,
    counters: { ...pipeline.counters, ...audits },
    rowsWaiting: actor.getSnapshot().context.store.rows.size,
    closeLag: NOTHING,
    commits: { took: NOTHING },
    weight: { used: 0, limit: 2_400 },
    gaps: { named: pipeline.counters.gaps, filled: 0, open: openGaps.size },
    revisions: audits.revised,
    reconnects: Object.fromEntries(RECONNECT_CAUSES.map((cause) => [cause, 0])) as Record<
      ReconnectCause,
      number
    >,
  };
}
