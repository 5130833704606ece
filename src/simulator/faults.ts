import { z } from 'zod';
import type { Clock } from '../ports.ts';

/** How long a fault is in force: wall ms, or a number of times; without either until it is cleared. */
const span = { forMs: z.number().positive().optional(), times: z.int().positive().optional() };
const streams = z.array(z.string()).optional();
const status = z.int().min(200).max(599);

/** Codes that a close frame may carry. Source: RFC 6455, 7.4, and the `ws` package. */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);

/**
 * Every fault that can be asked for, one entry each. What it does is said in `docs/simulator.md` and done
 * where the name is asked for with {@link FaultBoard.take} or {@link FaultBoard.find}.
 */
const SHAPES = [
  z.strictObject({
    kind: z.literal('drop'),
    /** Number of a socket as in the log. */
    sockets: z.union([z.literal('all'), z.int().positive()]).optional(),
    code: z.int().refine(isCloseCode, 'a code that a close frame may carry, as 1001 or 1008').optional(),
    reason: z.string().max(123).optional(),
  }),
  z.strictObject({ kind: z.literal('halfOpen'), forMs: span.forMs }),
  z.strictObject({ kind: z.literal('mute'), streams, forMs: span.forMs }),
  z.strictObject({
    kind: z.literal('refuse'),
    status: z.union([z.literal(0), status]).optional(),
    retryAfter: z.string().optional(),
    ...span,
  }),
  z.strictObject({ kind: z.literal('hangHandshake'), ...span }),
  z.strictObject({
    kind: z.literal('malformed'),
    text: z.string().optional(),
    /** One garbage frame before each n-th data frame; without it one now, on every socket. */
    every: z.int().positive().optional(),
    ...span,
  }),
  z.strictObject({
    kind: z.literal('closes'),
    mode: z.enum(['delay', 'omit', 'duplicate']),
    /** Exchange ms, 30,000 if not given. */
    delayMs: z.number().nonnegative().optional(),
    streams,
    ...span,
  }),
  z.strictObject({ kind: z.literal('noCloseAnswer'), forMs: span.forMs }),
  z.strictObject({ kind: z.literal('noPong'), ...span }),
  z.strictObject({ kind: z.literal('noAck'), ...span }),
  z.strictObject({ kind: z.literal('errorAck'), code: z.int(), msg: z.string(), ...span }),
  z.strictObject({
    kind: z.literal('rest'),
    /** Prefix of the path; every path if not given. */
    path: z.string().optional(),
    status: status.optional(),
    /** Text, or a value that is sent as JSON. */
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    contentType: z.string().optional(),
    /** Wall ms before the answer. */
    delayMs: z.number().nonnegative().optional(),
    /** Never answer, or stop after half of the body. */
    hang: z.enum(['headers', 'body']).optional(),
    ...span,
  }),
] as const;

/** Schema of a fault, as `POST /faults` takes it. */
export const faultSchema = z.discriminatedUnion('kind', SHAPES);
export type Fault = z.infer<typeof faultSchema>;
export type FaultKind = Fault['kind'];
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;
export const FAULT_KINDS: readonly FaultKind[] = SHAPES.map((shape) => shape.shape.kind.value);

interface Entry {
  readonly fault: Fault;
  /** Monotonic wall time, Infinity if not bounded. */
  readonly until: number;
  left: number;
}

/** The faults in force. */
export class FaultBoard {
  readonly #clock: Clock;
  #entries: Entry[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(fault: Fault): void {
    const span = fault as { forMs?: number; times?: number };
    const until = this.#clock.now() + (span.forMs ?? Infinity);
    this.#entries.push({ fault, until, left: span.times ?? Infinity });
  }

  clear(): void {
    this.#entries = [];
  }

  /** Faults in force, oldest first. */
  active(): readonly Fault[] {
    this.#expire();
    return this.#entries.map((entry) => entry.fault);
  }

  /** The oldest fault of the kind in force, without using it up. */
  find<K extends FaultKind>(kind: K, fits?: (fault: FaultOf<K>) => boolean): FaultOf<K> | undefined {
    return this.#entry(kind, fits)?.fault as FaultOf<K> | undefined;
  }

  /** The same, and one of its `times` is used up. */
  take<K extends FaultKind>(kind: K, fits?: (fault: FaultOf<K>) => boolean): FaultOf<K> | undefined {
    const entry = this.#entry(kind, fits);
    if (entry) entry.left--;
    return entry?.fault as FaultOf<K> | undefined;
  }

  #entry<K extends FaultKind>(kind: K, fits?: (fault: FaultOf<K>) => boolean): Entry | undefined {
    if (this.#entries.length === 0) return undefined;
    this.#expire();
    return this.#entries.find(
      (entry) => entry.fault.kind === kind && (fits === undefined || fits(entry.fault as FaultOf<K>)),
    );
  }

  #expire(): void {
    const now = this.#clock.now();
    if (this.#entries.some((entry) => entry.left <= 0 || entry.until <= now)) {
      this.#entries = this.#entries.filter((entry) => entry.left > 0 && entry.until > now);
    }
  }
}

/** Whether a fault that may name streams means this one. */
export const meansStream = (fault: { streams?: string[] | undefined }, name: string): boolean =>
  fault.streams === undefined || fault.streams.includes(name);
