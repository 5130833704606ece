import type { FaultOf } from './fault-shapes.ts';
import { type FaultBoard, meansSocket, meansStream } from './faults.ts';

/** What a mute has seen of the clients since it is in force. */
interface Memory {
  /** Sockets that it means; without it also those to come. */
  readonly sockets: ReadonlySet<number> | undefined;
  /** `<socket> <stream>` that were unsubscribed, and those that were subscribed again afterwards. */
  readonly left: Set<string>;
  readonly freed: Set<string>;
}

/** Numbers that are given may be of sockets to come, unless the mute ends with the socket. */
function socketsOf(fault: FaultOf<'mute'>, open: readonly number[]): ReadonlySet<number> | undefined {
  const { sockets, until } = fault;
  if (until === 'reconnect' || sockets === 'open') {
    return new Set(open.filter((number) => meansSocket(fault, number)));
  }
  return sockets === undefined || sockets === 'all' ? undefined : new Set([sockets].flat());
}

/** Which streams are mute on which sockets. */
export class Mutes {
  readonly #faults: FaultBoard;
  readonly #memories = new WeakMap<object, Memory>();

  constructor(faults: FaultBoard) {
    this.#faults = faults;
  }

  /** A mute comes into force while these sockets are open. */
  begin(fault: FaultOf<'mute'>, open: readonly number[]): void {
    const sockets = socketsOf(fault, open);
    this.#memories.set(fault, { sockets, left: new Set(), freed: new Set() });
  }

  /** Who does not get the stream, by the number of the socket; undefined when everybody gets it. */
  of(stream: string): ((socket: number) => boolean) | undefined {
    const memories = this.#faults
      .all('mute')
      .filter((fault) => meansStream(fault, stream))
      .map((fault) => this.#memories.get(fault));
    if (memories.length === 0) return undefined;
    return (socket) =>
      memories.some(
        (memory) => memory?.sockets?.has(socket) !== false && !memory?.freed.has(`${socket} ${stream}`),
      );
  }

  unsubscribed(socket: number, stream: string): void {
    for (const memory of this.#waiting()) memory.left.add(`${socket} ${stream}`);
  }

  subscribed(socket: number, stream: string): void {
    const key = `${socket} ${stream}`;
    for (const memory of this.#waiting()) if (memory.left.delete(key)) memory.freed.add(key);
  }

  /** Memories of the mutes that a resubscription ends. */
  #waiting(): Memory[] {
    const faults = this.#faults.all('mute').filter((fault) => fault.until === 'resubscribe');
    return faults.flatMap((fault) => this.#memories.get(fault) ?? []);
  }
}
