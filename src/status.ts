import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { type Candle, type Series, seriesKey } from '../machines/model/kline.ts';
import type { Counters, Pipeline } from './pipeline/pipeline.ts';
import type { CollectorActor } from './wire.ts';

/** The life of a collector, as in its statechart. */
export type CollectorState = 'initialized' | 'connecting' | 'streaming' | 'stopping' | 'stopped';

/**
 * One series. `awaiting`: no proof of life on this connection yet; `live`: frames come; `quiet`: REST shows
 * that it does not trade; `mute`: its symbol trades, or its frames are garbage, and REST keeps it complete; `repairing`:
 * owed bars are being fetched; `retired`: its symbol has ended; `off`: not running.
 */
export interface SeriesStatus extends Series {
  readonly state: 'off' | 'awaiting' | 'live' | 'quiet' | 'mute' | 'repairing' | 'retired';
  /** The last closed bar that was passed on. */
  readonly last?: Candle;
  /** Closed bars passed on in this process. */
  readonly closed: number;
  /** Of these, committed and delivered. */
  readonly stored: number;
}

export interface CollectorStatus {
  readonly state: CollectorState;
  readonly isConnected: boolean;
  /** Exchange time, ms; absent before it is known. */
  readonly exchangeTime?: number;
  readonly timeScale: number;
  readonly series: readonly SeriesStatus[];
  readonly counters: Readonly<Counters>;
  /** Rows that wait for the store. */
  readonly rowsWaiting: number;
}

/** The top level state; a root that failed is over. */
export const topState = (actor: CollectorActor): CollectorState => {
  const snapshot = actor.getSnapshot();
  if (snapshot.status !== 'active') return 'stopped';
  const { value } = snapshot;
  return (typeof value === 'string' ? value : Object.keys(value)[0]) as CollectorState;
};

/** State of every stream, read from the charts: feeds below the root, streams below the feeds. */
function streamStates(actor: CollectorActor): Map<string, SeriesStatus['state']> {
  const states = new Map<string, SeriesStatus['state']>();
  for (const [id, feed] of Object.entries(childrenOf(actor.getSnapshot()))) {
    if (!id.startsWith('feed')) continue;
    for (const [childId, child] of Object.entries(childrenOf(feed?.getSnapshot() as AnyMachineSnapshot)))
      if (childId.startsWith('stream.'))
        states.set(childId.slice('stream.'.length), streamState(child?.getSnapshot() as AnyMachineSnapshot));
  }
  return states;
}

const childrenOf = (snapshot: AnyMachineSnapshot): Record<string, AnyActorRef | undefined> =>
  snapshot.children as Record<string, AnyActorRef | undefined>;

function streamState(snapshot: AnyMachineSnapshot): SeriesStatus['state'] {
  if (snapshot.status !== 'active') return 'off';
  if (snapshot.hasTag('mute')) return 'mute';
  if (snapshot.hasTag('repairing')) return 'repairing';
  if (snapshot.matches({ open: { proof: 'quiet' } })) return 'quiet';
  return snapshot.hasTag('live') ? 'live' : 'awaiting';
}

export function statusOf(parts: {
  actor: CollectorActor;
  pipeline: Pipeline;
  storedOf: (key: string) => number;
  exchangeNow: number;
  timeScale: number;
  rowsWaiting: number;
}): CollectorStatus {
  const states = streamStates(parts.actor);
  const series = [...parts.pipeline.cursors()].map((cursor): SeriesStatus => {
    const key = seriesKey(cursor.series);
    return {
      ...cursor.series,
      state: cursor.isEnded ? 'retired' : (states.get(key) ?? 'off'),
      closed: cursor.closed,
      stored: parts.storedOf(key),
      ...(cursor.last === undefined ? {} : { last: cursor.last }),
    };
  });
  return {
    state: topState(parts.actor),
    isConnected: parts.actor.getSnapshot().matches({ streaming: 'full' }),
    ...(Number.isFinite(parts.exchangeNow) ? { exchangeTime: parts.exchangeNow } : {}),
    timeScale: parts.timeScale,
    series,
    counters: { ...parts.pipeline.counters },
    rowsWaiting: parts.rowsWaiting,
  };
}
