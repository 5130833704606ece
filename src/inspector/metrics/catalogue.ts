/**
 * Every metric of a collector. Named after Prometheus' conventions: base units, `_total` for what only grows, and labels
 * over which a sum means something. Labels take their values from closed lists, which are all there from the start.
 */
import type { CollectorMode, CollectorState, SeriesStatus } from '../../status.ts';
import {
  counter,
  counters,
  type Figure,
  gauge,
  gauges,
  histogram,
  type Reading,
  seconds,
  stateSet,
} from './figure.ts';

type StreamState = SeriesStatus['state'];

/** All values of a type, by name: the compiler sees to it that none is missing. */
const all = <Name extends string>(names: Record<Name, true>): Name[] => Object.keys(names) as Name[];

const STATES = all<CollectorState>({
  initialized: true,
  connecting: true,
  streaming: true,
  stopping: true,
  stopped: true,
});
const MODES = all<CollectorMode>({ sockets: true, mixed: true, rest: true, none: true });
const STREAM_STATES = all<StreamState>({
  off: true,
  awaiting: true,
  live: true,
  quiet: true,
  mute: true,
  repairing: true,
  waiting: true,
  retired: true,
});

/** Whether the promise is being kept, and what everybody does. */
const PROMISE: readonly Figure[] = [
  gauges(
    'candlestate_build_info',
    'version',
    'Always 1; the label says which version of candlestate runs.',
    ({ version }) => ({ [version]: 1 }),
  ),
  gauge(
    'candlestate_healthy',
    'Whether the promise is being kept now, as /healthz says it: 1 if so, or else 0.',
    ({ health }) => Number(health.ok),
  ),
  gauges(
    'candlestate_collector_state',
    'state',
    'State of the collector: 1 for the one it is in, 0 for the others.',
    ({ vitals }) => stateSet(STATES, vitals.state),
  ),
  gauges(
    'candlestate_collector_mode',
    'mode',
    'How bars close now: 1 for sockets (all proved), mixed (some), rest (no socket) or none (not running), 0 for the others.',
    ({ vitals }) => stateSet(MODES, vitals.mode),
  ),
  gauge(
    'candlestate_connected',
    'Whether every socket is open, acknowledged and proved: 1 if so, or else 0.',
    ({ vitals }) => Number(vitals.isConnected),
  ),
  gauges('candlestate_streams', 'state', 'Number of series, by the state they are in.', ({ health }) =>
    Object.fromEntries(STREAM_STATES.map((state) => [state, health.streams[state] ?? 0])),
  ),
  gauge(
    'candlestate_ailments',
    'Number of things for which the promise is not being kept: series that are mute or overdue beyond their repair, and the store when it takes nothing.',
    ({ health }) => health.ailing,
  ),
  {
    name: 'candlestate_actors',
    type: 'gauge',
    help: 'Number of actors, by their statechart and the state they are in; what does not fit the bound of names is counted as other.',
    read: ({ actors }) =>
      actors.map(({ machine, state, count }) => ({ labels: { machine, state }, value: count })),
  },
  counter(
    'candlestate_late_events_total',
    'Events that were sent to an actor that had ended, and were dropped, since somebody watches; more than none is a fault in a statechart.',
    ({ lateEvents }) => lateEvents,
  ),
];

/** From a frame to the store. */
const DATA_PATH: readonly Figure[] = [
  counter(
    'candlestate_frames_total',
    'Messages of every kind that came over the sockets.',
    ({ vitals }) => vitals.counters.frames,
  ),
  counter(
    'candlestate_kline_frames_total',
    'Frames with a bar, forming or closed, of a series that is collected.',
    ({ vitals }) => vitals.counters.klines,
  ),
  counters(
    'candlestate_frames_discarded_total',
    'reason',
    'Frames that no bar was taken from: of another type (ignored), of a series that nobody asked for (foreign), not understood (malformed), of a bar that is closed or named as missing already (late), or behind the end of a retired series (ended).',
    ({ vitals }) => ({
      ignored: vitals.counters.ignored,
      foreign: vitals.counters.foreign,
      malformed: vitals.counters.malformed,
      late: vitals.counters.late,
      ended: vitals.counters.ended,
    }),
  ),
  gauge(
    'candlestate_last_frame_age_seconds',
    'Seconds since the newest frame with a bar, of any series; no line before the first one.',
    ({ vitals }) => seconds(vitals.lastFrameAgeMs),
  ),
  counters(
    'candlestate_bars_closed_total',
    'source',
    'Closed bars that were passed on to the store, by where they came from: the stream, REST, or the archive (vision).',
    ({ vitals }) => ({
      stream: vitals.counters.closedByStream,
      rest: vitals.counters.closedByRest,
      vision: vitals.counters.closedByArchive,
    }),
  ),
  counters(
    'candlestate_bars_discarded_total',
    'reason',
    'Bars that were not passed on: held already (duplicate), not what they claim to be (insane), or turned away because too many rows wait for the store, to be fetched later (refused).',
    ({ vitals }) => ({
      duplicate: vitals.counters.duplicates,
      insane: vitals.counters.insane,
      refused: vitals.counters.refused,
    }),
  ),
  histogram(
    'candlestate_close_lag_seconds',
    'Seconds from the end of a bar to the arrival of its close, of bars that the stream closed in time.',
    ({ vitals }) => vitals.closeLag,
  ),
  histogram(
    'candlestate_commit_duration_seconds',
    'Seconds that it took to commit a batch of rows to the store.',
    ({ vitals }) => vitals.commits.took,
  ),
  gauge(
    'candlestate_last_commit_age_seconds',
    'Seconds since the last commit to the store; no line before the first one.',
    ({ vitals }) => seconds(vitals.commits.lastAgoMs),
  ),
  gauge(
    'candlestate_rows_waiting',
    'Number of rows (bars, gaps and revisions) that wait for the store.',
    ({ vitals }) => vitals.rowsWaiting,
  ),
  counter(
    'candlestate_gaps_named_total',
    'Gaps that were recorded: bars that the exchange itself did not have.',
    ({ vitals }) => vitals.gaps.named,
  ),
  counter(
    'candlestate_gaps_filled_total',
    'Times that bars of a recorded gap turned up after all and were stored.',
    ({ vitals }) => vitals.gaps.filled,
  ),
  gauge(
    'candlestate_gaps_open',
    'Number of gaps, of this run and earlier ones, that are not filled yet; of the 10,000 that are kept in mind.',
    ({ vitals }) => vitals.gaps.open,
  ),
  counter(
    'candlestate_bars_compared_total',
    'Stored bars that were compared with REST once more and found equal.',
    ({ vitals }) => vitals.counters.compared,
  ),
  counter(
    'candlestate_bars_uncompared_total',
    'Stored bars whose comparison was given up, for want of an answer or of the budget for one.',
    ({ vitals }) => vitals.counters.uncompared,
  ),
  counter(
    'candlestate_revisions_total',
    'Stored bars that the exchange had corrected, and that were corrected here.',
    ({ vitals }) => vitals.revisions,
  ),
];

/** Of our clock against the exchange's; while exchange time runs faster than ours, it says nothing. */
const clockOffset = ({ vitals, wallNow }: Reading): number | undefined =>
  vitals.timeScale === 1 && vitals.exchangeTime !== undefined
    ? seconds(vitals.exchangeTime - wallNow)
    : undefined;

/** Sockets, REST and time. */
const NETWORK: readonly Figure[] = [
  counters(
    'candlestate_reconnects_total',
    'cause',
    'Connections that were given up and dialled anew, by why; a planned replacement is none.',
    ({ vitals }) => vitals.reconnects,
  ),
  gauge(
    'candlestate_rest_weight_used',
    'Request weight of this minute, as the exchange counts it for this address; shared by all collectors of the process.',
    ({ vitals }) => vitals.weight.used,
  ),
  gauge(
    'candlestate_rest_weight_limit',
    'Request weight that the exchange grants this address in a minute.',
    ({ vitals }) => vitals.weight.limit,
  ),
  gauge(
    'candlestate_exchange_time_seconds',
    'Time of the exchange, in seconds since the Unix epoch; no line before it is known.',
    ({ vitals }) => seconds(vitals.exchangeTime),
  ),
  gauge(
    'candlestate_exchange_clock_offset_seconds',
    'Seconds by which the clock of the exchange is ahead of that of this machine; no line unless exchange time runs as fast as ours.',
    clockOffset,
  ),
  gauge(
    'candlestate_time_scale',
    'How many seconds of exchange time pass in a second of this machine.',
    ({ vitals }) => vitals.timeScale,
  ),
];

export const FIGURES: readonly Figure[] = [...PROMISE, ...DATA_PATH, ...NETWORK];
