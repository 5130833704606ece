import { type ControlMethod, controlMessage, fittingNames } from '../binance/streams.ts';
import { LIMITS } from '../binance/venue.ts';
import type { Clock, Timer } from '../ports.ts';

export interface SubscriptionsPorts {
  readonly clock: Clock;
  readonly send: (text: string) => void;
  readonly ackTimeoutMs: number;
  /** Everything that was asked for so far has been acknowledged. Told once. */
  readonly onAcked: () => void;
  /** What was asked for can't be had on this socket. */
  readonly onRefused: (reason: string) => void;
  readonly onOddity: (message: string, fields: object) => void;
}

/** A control message that was sent and is not answered. */
interface Asked {
  readonly method: ControlMethod;
  readonly names: readonly string[];
  readonly isRetry: boolean;
  readonly deadline: Timer;
}

/** Names to be asked for once more, for the first time brought nothing. */
type Retry = Pick<Asked, 'method' | 'names'>;

const PAUSE_MS = 1_000 / LIMITS.controlMessagesPerSecond;

/**
 * What one socket is subscribed to, and the control messages that make it so: paced, for the venue closes a socket
 * that sends more than ten a second; few, for names that wait leave together; and never for more streams than a
 * socket may carry, for the first one too many would cost all of them.
 */
export class Subscriptions {
  readonly #ports: SubscriptionsPorts;
  /** Names that are subscribed or about to be. */
  readonly #wanted = new Set<string>();
  readonly #leaving = new Set<string>();
  readonly #joining = new Set<string>();
  #retries: Retry[] = [];
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #pause: Timer | undefined;
  /** Acknowledged once, or proved by data: from then on a single failure is not to cost the whole socket. */
  #isSettled = false;

  constructor(ports: SubscriptionsPorts) {
    this.#ports = ports;
  }

  subscribe(names: readonly string[]): void {
    const refused: string[] = [];
    for (const name of names) {
      if (this.#wanted.has(name)) continue;
      if (this.#wanted.size >= LIMITS.streamsPerSocketMax) {
        refused.push(name);
        continue;
      }
      this.#wanted.add(name);
      this.#joining.add(name);
    }
    if (refused.length > 0)
      this.#ports.onOddity('streams beyond what one socket may carry are not subscribed', {
        streams: refused.length,
        first: refused[0],
        most: LIMITS.streamsPerSocketMax,
      });
    this.#go();
  }

  unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#wanted.delete(name)) continue;
      // What has not been asked for yet need not be taken back, unless it had been before.
      if (!this.#joining.delete(name)) this.#leaving.add(name);
    }
    this.#go();
  }

  /** Takes names that are subscribed back and asks for them again. */
  resubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#wanted.has(name) || this.#joining.has(name)) continue;
      this.#leaving.add(name);
      this.#joining.add(name);
    }
    this.#go();
  }

  /** Data came: what is still unanswered is judged as what is asked for later. */
  settle(): void {
    this.#isSettled = true;
  }

  /** An acknowledgement. One that answers nothing of ours, or answers it too late, is no news. */
  acknowledged(id: number): void {
    if (this.#take(id) !== undefined) this.#tellWhenAll();
  }

  /** An error reply; without an id when the exchange could not even read what it answers. */
  refused(id: number | undefined, code: number, message: string): void {
    this.#ports.onOddity('the exchange refused a control message', { code, message });
    const reason = `code ${code} ${message}`;
    // One that answers nothing of ours is a stray, and no reason to lose every stream of the socket.
    const isOurs = id === undefined ? this.#asked.size > 0 : this.#asked.has(id);
    if (!this.#isSettled && isOurs) {
      this.#ports.onRefused(reason);
      return;
    }
    const asked = this.#take(id ?? this.#onlyId());
    if (asked !== undefined) this.#inVain(asked);
  }

  /** Sends nothing more and waits for nothing. */
  clear(): void {
    for (const set of [this.#wanted, this.#leaving, this.#joining]) set.clear();
    this.#retries = [];
    for (const id of [...this.#asked.keys()]) this.#take(id);
    if (this.#pause !== undefined) this.#ports.clock.clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #tellWhenAll(): void {
    const isIdle = this.#asked.size + this.#joining.size + this.#leaving.size + this.#retries.length === 0;
    if (this.#isSettled || !isIdle) return;
    this.#isSettled = true;
    this.#ports.onAcked();
  }

  /** Sends what waits, unless the last message is too recent. */
  #go(): void {
    if (this.#pause !== undefined) return;
    const next = this.#next();
    if (next === undefined) {
      this.#tellWhenAll();
      return;
    }
    const id = ++this.#lastId;
    const { clock, ackTimeoutMs } = this.#ports;
    this.#asked.set(id, { ...next, deadline: clock.setTimeout(() => this.#unanswered(id), ackTimeoutMs) });
    this.#ports.send(controlMessage(next.method, next.names, id));
    this.#pause = clock.setTimeout(() => {
      this.#pause = undefined;
      this.#go();
    }, PAUSE_MS);
  }

  /** Names leave before others join, so that there is room, and so that one that is renewed is off in between. */
  #next(): Omit<Asked, 'deadline'> | undefined {
    for (let retry = this.#retries.shift(); retry !== undefined; retry = this.#retries.shift()) {
      const { method } = retry;
      // Only those about which nobody has changed his mind.
      const names = retry.names.filter((name) => this.#wanted.has(name) === (method === 'SUBSCRIBE'));
      if (names.length > 0) return { method, names, isRetry: true };
    }
    const method = this.#leaving.size > 0 ? 'UNSUBSCRIBE' : 'SUBSCRIBE';
    const waiting = this.#leaving.size > 0 ? this.#leaving : this.#joining;
    const names = fittingNames(waiting);
    for (const name of names) waiting.delete(name);
    return names.length > 0 ? { method, names, isRetry: false } : undefined;
  }

  #unanswered(id: number): void {
    const asked = this.#take(id);
    // Whoever opened the socket waits for its first acknowledgements, and gives it up without them.
    if (asked !== undefined && this.#isSettled) this.#inVain(asked);
  }

  /** Once more; from then on data decides: a stream that stays mute is found by its own proof. */
  #inVain(asked: Asked): void {
    if (!asked.isRetry) {
      this.#again(asked);
      return;
    }
    this.#ports.onOddity('control messages are not acknowledged', {
      method: asked.method,
      streams: asked.names.length,
      first: asked.names[0],
    });
  }

  #again({ method, names }: Asked): void {
    this.#retries.push({ method, names });
    this.#go();
  }

  #take(id: number | undefined): Asked | undefined {
    const asked = id === undefined ? undefined : this.#asked.get(id);
    if (asked === undefined || id === undefined) return undefined;
    this.#asked.delete(id);
    this.#ports.clock.clearTimeout(asked.deadline);
    return asked;
  }

  /** What an answer without an id must mean. */
  #onlyId(): number | undefined {
    return this.#asked.size === 1 ? [...this.#asked.keys()][0] : undefined;
  }
}
