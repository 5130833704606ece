import type { AnyActorRef, AnyMachineSnapshot, Snapshot } from 'xstate';
import { isInterval } from '../../../machines/model/interval.ts';
import { seriesKey } from '../../../machines/model/kline.ts';
import { type SeriesStatus, streamState } from '../../status.ts';
import type { ActorRow, ActorStatus, StateValue } from '../protocol.ts';
import { type Identity, type NotedStep, shownStep } from './recent-steps.ts';

/** What is known of one actor. */
export interface ActorRecord {
  readonly actor: AnyActorRef;
  readonly who: Identity;
  readonly parent: string | undefined;
  readonly hasChart: boolean;
  /** `BTCUSDT@1m`, of one that is about a series. */
  readonly series: string | undefined;
  steps: number;
  last: NotedStep | undefined;
  /** As it was told last; undefined: never. */
  row: ActorRow | undefined;
  /** As which its series is counted. */
  counted: SeriesStatus['state'] | undefined;
}

/** Of an actor without a chart, this is nothing. */
const chartId = ({ logic }: AnyActorRef & { logic?: unknown }): string | undefined => {
  const { root, id } = (logic ?? {}) as { root?: unknown; id?: unknown };
  return typeof root === 'object' && typeof id === 'string' ? id : undefined;
};

/** The series that the context names, if it does. */
function seriesOf(snapshot: Snapshot<unknown>): string | undefined {
  const { context } = snapshot as { context?: { series?: { symbol?: unknown; interval?: unknown } } };
  const { symbol, interval } = context?.series ?? {};
  return typeof symbol === 'string' && isInterval(interval) ? seriesKey({ symbol, interval }) : undefined;
}

export function recordOf(id: string, actor: AnyActorRef, parent: string | undefined): ActorRecord {
  const machine = chartId(actor);
  // A root that was given no name has its session's.
  const name = actor.id === actor.sessionId && machine !== undefined ? machine : actor.id;
  return {
    actor,
    who: { id, name, machine: machine ?? '' },
    parent,
    hasChart: machine !== undefined,
    series: machine === undefined ? undefined : seriesOf(actor.getSnapshot()),
    steps: 0,
    last: undefined,
    row: undefined,
    counted: undefined,
  };
}

export const statusOf = ({ actor }: ActorRecord): ActorStatus =>
  (actor.getSnapshot() as Snapshot<unknown>).status;

export const stateOf = ({ actor }: ActorRecord): StateValue =>
  (actor.getSnapshot() as AnyMachineSnapshot).value as StateValue;

/** The state of its series; undefined: it is about none, or has ended. */
export function seriesState(record: ActorRecord): SeriesStatus['state'] | undefined {
  if (record.series === undefined || statusOf(record) !== 'active') return undefined;
  return streamState(record.actor.getSnapshot() as AnyMachineSnapshot);
}

/** When it goes on by itself, wall ms: of one whose context says so, as `dueAt`, by a clock of its own. */
function dueAtOf(record: ActorRecord, wallNow: number): number | undefined {
  if (!record.hasChart || statusOf(record) !== 'active') return undefined;
  const { dueAt, now } = ((record.actor.getSnapshot() as AnyMachineSnapshot).context ?? {}) as {
    dueAt?: unknown;
    now?: unknown;
  };
  if (typeof dueAt !== 'number' || typeof now !== 'function') return undefined;
  try {
    const inMs: unknown = dueAt - (now() as number);
    return typeof inMs === 'number' && inMs > 0 ? Math.round(wallNow + inMs) : undefined;
  } catch {
    // It was no clock.
    return undefined;
  }
}

/** The actor as it is now. */
export function rowOf(record: ActorRecord, wallNow: number): ActorRow {
  const { who, parent, hasChart, series, last } = record;
  const dueAt = dueAtOf(record, wallNow);
  return {
    id: who.id,
    ...(parent === undefined ? {} : { parent }),
    name: who.name,
    ...(hasChart ? { machine: who.machine } : {}),
    status: statusOf(record),
    ...(hasChart ? { value: stateOf(record) } : {}),
    ...(series === undefined ? {} : { series }),
    ...(last === undefined ? {} : { last: shownStep(last) }),
    ...(dueAt === undefined ? {} : { dueAt }),
    steps: record.steps,
  };
}
