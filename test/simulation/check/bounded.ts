/** I8: whatever a process holds is bounded, whatever befalls it. */
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { LIMITS } from '../../../src/binance/venue.ts';
import type { BinanceDataCollector } from '../../../src/index.ts';
import type { Life } from '../world/life.ts';
import type { Violations } from './violations.ts';
import type { Wire } from './wire.ts';

export interface BoundedPorts {
  readonly violations: Violations;
  readonly wire: Wire;
  readonly life: Life;
  readonly streams: number;
  readonly streamsPerSocket: number;
}

/** Rows that may wait for a disk that does not take them. */
const ROWS_MAX = 10_000;
const REQUESTS_MAX = 50;
/** Actors and timers of a stream at its busiest, and those of all the rest. */
const EACH_MAX = 8;
const OTHERS_MAX = 80;

/** What is open at one moment. Cheap. */
export function lookAtBounds(collector: BinanceDataCollector, ports: BoundedPorts): void {
  const { violations, wire, life, streams, streamsPerSocket } = ports;
  const most = (name: string, count: number, max: number): void => {
    if (count > max) violations.add('I8', `more than ${max} ${name}`, String(count));
  };
  // Each is replaced while it is still up, and one more may be closing.
  const sockets = 3 * Math.ceil(streams / streamsPerSocket) + 1;
  most('sockets', wire.socketsOpen, sockets);
  most('requests at a time', wire.requestsOpen, REQUESTS_MAX);
  most('timers', life.timers, EACH_MAX * streams + OTHERS_MAX);
  most('rows that wait', collector.vitals().rowsWaiting, ROWS_MAX);
}

/** Every actor below the root. Walks the tree. */
export function lookAtActors(collector: BinanceDataCollector, { violations, streams }: BoundedPorts): void {
  const max = EACH_MAX * streams + OTHERS_MAX;
  const count = actorsBelow(collector.actor as unknown as AnyActorRef);
  if (count > max) violations.add('I8', `more than ${max} actors`, String(count));
}

function actorsBelow(actor: AnyActorRef): number {
  const { children } = actor.getSnapshot() as Partial<AnyMachineSnapshot>;
  let count = 1;
  for (const child of Object.values<AnyActorRef | undefined>(children ?? {}))
    if (child !== undefined) count += actorsBelow(child);
  return count;
}

/** Dials of one process: never more in any five minutes than the venue allows. */
export class Dials {
  readonly #violations: Violations;
  readonly #times: number[] = [];

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  dialled(now: number): void {
    const times = this.#times;
    times.push(now);
    while ((times[0] ?? now) <= now - LIMITS.dialsWindowMs) times.shift();
    if (times.length > LIMITS.dialsMax)
      this.#violations.add('I8', `more than ${LIMITS.dialsMax} dials within five minutes`, '');
  }
}
