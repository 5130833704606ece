import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import type { Candle, Series } from '../machines/model/kline.ts';
import { type Standing, streamId } from './actors/roster.ts';
import type { AuditCounters } from './pipeline/audits.ts';
import type { Counters } from './pipeline/counters.ts';
import type { CollectorActor, Wired } from './wire.ts';

/** The life of a collector, as in its statechart. */
export type CollectorState = 'initialized' | 'connecting' | 'streaming' | 'stopping' | 'stopped';

/**
 * How bars close now. `sockets`: every socket is proved. `mixed`: some are; the series of the others close by
 * REST. `rest`: none is, and all series close by REST, a little later and within its budget. `none`: it is not
 * running, or has not learned yet what there is to collect.
 */
export type CollectorMode = 'sockets' | 'mixed' | 'rest' | 'none';

/**
 * One series. `awaiting`: no proof of life on this connection yet; `live`: frames come; `quiet`: REST shows
 * that it does not trade; `mute`: its symbol trades, or its frames are garbage, and REST keeps it complete; `repairing`:
 * owed bars are being fetched; `waiting`: its symbol is listed and does not trade yet; `retired`: its symbol has
 * ended, and `last` is the last bar; `off`: not running.
 */
export interface SeriesStatus extends Series {
  readonly state: 'off' | 'awaiting' | 'live' | 'quiet' | 'mute' | 'repairing' | 'waiting' | 'retired';
  /** The exchange has halted its symbol: bars may be lacking there. */
  readonly isHalted?: true;
  /** The last closed bar that was passed on. */
  readonly last?: Candle;
  /** Closed bars passed on in this process. */
  readonly closed: number;
  /** Of these, committed and delivered. */
  readonly stored: number;
}

/** What was counted over the life of a collector. */
export interface CollectorCounters extends Readonly<Counters & AuditCounters> {}

/** What a collector does, at one moment, whichever its series. */
export interface CollectorOverview {
  readonly state: CollectorState;
  readonly isConnected: boolean;
  readonly mode: CollectorMode;
  /** Exchange time, ms; absent before it is known. */
  readonly exchangeTime?: number;
  readonly timeScale: number;
  readonly counters: CollectorCounters;
  /** Rows that wait for the store. */
  readonly rowsWaiting: number;
}

/** The same with every series. */
export interface CollectorStatus extends CollectorOverview {
  readonly series: readonly SeriesStatus[];
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
  const feeds = childrenOf(actor.getSnapshot());
  for (const id in feeds) {
    if (!id.startsWith('feed')) continue;
    // Of ten thousand streams: no list of pairs is made of them.
    const streams = childrenOf(feeds[id]?.getSnapshot() as AnyMachineSnapshot);
    for (const childId in streams)
      if (childId.startsWith('stream.'))
        states.set(childId, streamState(streams[childId]?.getSnapshot() as AnyMachineSnapshot));
  }
  return states;
}

const childrenOf = (snapshot: AnyMachineSnapshot): Record<string, AnyActorRef | undefined> =>
  snapshot.children as Record<string, AnyActorRef | undefined>;

/** The state of a series, read from the chart of its stream. */
export function streamState(snapshot: AnyMachineSnapshot): SeriesStatus['state'] {
  if (snapshot.status !== 'active') return 'off';
  if (snapshot.hasTag('mute')) return 'mute';
  if (snapshot.hasTag('repairing')) return 'repairing';
  // Cheaper by far than to have it matched.
  if ((snapshot.value as { open?: { proof?: unknown } }).open?.proof === 'quiet') return 'quiet';
  return snapshot.hasTag('live') ? 'live' : 'awaiting';
}

/** Whether every socket is proved. */
export const isConnected = (actor: CollectorActor): boolean =>
  actor.getSnapshot().matches({ streaming: 'full' });

export function modeOf(actor: CollectorActor): CollectorMode {
  const snapshot = actor.getSnapshot();
  if (isConnected(actor)) return 'sockets';
  if (snapshot.matches('streaming')) return 'mixed';
  const isPolling =
    snapshot.matches({ connecting: 'polling' }) || snapshot.matches({ connecting: { first: 'dialing' } });
  return isPolling ? 'rest' : 'none';
}

/** What is to be said of a series without a stream: its symbol's standing is why. */
const withoutStream = (standing: Standing | undefined): SeriesStatus['state'] =>
  standing === 'waiting' || standing === 'retired' ? standing : 'off';

export function overviewOf({ actor, pipeline, audits, exchangeClock }: Wired): CollectorOverview {
  const exchangeTime = exchangeClock.now();
  return {
    state: topState(actor),
    isConnected: isConnected(actor),
    mode: modeOf(actor),
    ...(Number.isFinite(exchangeTime) ? { exchangeTime } : {}),
    timeScale: exchangeClock.timeScale,
    counters: { ...pipeline.counters, ...audits },
    rowsWaiting: actor.getSnapshot().context.store.rows.size,
  };
}

export function statusOf(wired: Wired): CollectorStatus {
  const { actor, pipeline, delivery, roster } = wired;
  const states = streamStates(actor);
  const series = [...pipeline.cursors()].map((cursor): SeriesStatus => {
    const { key } = cursor;
    const standing = roster.standing(cursor.series.symbol);
    return {
      ...cursor.series,
      state: cursor.isEnded ? 'retired' : (states.get(streamId(cursor.series)) ?? withoutStream(standing)),
      ...(standing === 'halted' ? { isHalted: true } : {}),
      closed: cursor.closed,
      stored: delivery.deliveredOf(key),
      ...(cursor.last === undefined ? {} : { last: cursor.last }),
    };
  });
  return { ...overviewOf(wired), series };
}
