import { z } from 'zod';
import { INTERVALS } from '../../machines/model/interval.ts';

/** How long a fault is in force: wall ms, or a number of times; without either until it is cleared. */
const span = { forMs: z.number().positive().optional(), times: z.int().positive().optional() };
const streams = z.array(z.string()).optional();
const status = z.int().min(200).max(599);
const time = z.int().nonnegative();
const interval = z.enum(INTERVALS);
/** Numbers of sockets as in the log; `open`: those that are open now. */
const sockets = z
  .union([z.literal(['all', 'open']), z.int().positive(), z.array(z.int().positive()).min(1)])
  .optional();
const amount = z.string().regex(/^-?\d+(\.\d+)?$/u, 'decimal text');

/** Codes that a close frame may carry. Source: RFC 6455, 7.4, and the `ws` package. */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
const closeCode = z
  .int()
  .refine(isCloseCode, 'a code that a close frame may carry, as 1001 or 1008')
  .optional();
const ascends = (range: { from: number; to: number }): boolean => range.from <= range.to;

/** Faults of sockets and handshakes. */
const SOCKETS = [
  z.strictObject({
    kind: z.literal('drop'),
    sockets,
    code: closeCode,
    reason: z.string().max(123).optional(),
  }),
  z.strictObject({ kind: z.literal('halfOpen'), sockets, forMs: span.forMs }),
  z.strictObject({ kind: z.literal('tear'), sockets, end: z.enum(['fin', 'reset']).optional() }),
  z.strictObject({
    kind: z.literal('dribble'),
    sockets,
    bytesPerSecond: z.number().positive(),
    forMs: span.forMs,
  }),
  z.strictObject({
    kind: z.literal('notice'),
    event: z
      .string()
      .regex(/^\w{1,40}$/u)
      .optional(),
    /** Wall ms until the sockets that got it are closed with 1001. */
    closeAfterMs: z.number().nonnegative().optional(),
  }),
  z.strictObject({
    kind: z.literal('mute'),
    streams,
    sockets,
    until: z.enum(['resubscribe', 'reconnect']).optional(),
    forMs: span.forMs,
  }),
  z.strictObject({
    kind: z.literal('refuse'),
    status: z.union([z.literal(0), status]).optional(),
    retryAfter: z.string().optional(),
    location: z.string().optional(),
    ...span,
  }),
  z.strictObject({ kind: z.literal('hangHandshake'), ...span }),
  z.strictObject({ kind: z.literal('slam'), code: closeCode, ...span }),
  z.strictObject({ kind: z.literal('noCloseAnswer'), forMs: span.forMs }),
  z.strictObject({ kind: z.literal('noPong'), ...span }),
  z.strictObject({ kind: z.literal('noAck'), ...span }),
  z.strictObject({ kind: z.literal('errorAck'), code: z.int(), msg: z.string(), ...span }),
] as const;

/** Faults of the frames that streams send. */
const FRAMES = [
  z.strictObject({
    kind: z.literal('malformed'),
    text: z.string().optional(),
    /** One garbage frame before each n-th data frame; without it one now, on every socket. */
    every: z.int().positive().optional(),
    ...span,
  }),
  z.strictObject({
    kind: z.literal('closes'),
    mode: z.enum(['delay', 'omit', 'duplicate', 'alter', 'conflict', 'insane', 'early', 'swap']),
    /** Exchange ms, 30,000 if not given. */
    delayMs: z.number().nonnegative().optional(),
    streams,
    ...span,
  }),
  z.strictObject({ kind: z.literal('replay'), streams, bars: z.int().positive().max(1000) }),
] as const;

/** Faults of REST and archive. */
const HTTP = [
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
    /** Reset the TCP connection instead of an answer. */
    destroy: z.literal(true).optional(),
    /** End the connection after half of the body. */
    cut: z.literal(true).optional(),
    /** Say gzip, and send what can't be unpacked. */
    gzip: z.literal('bad').optional(),
    ...span,
  }),
  z.strictObject({
    kind: z.literal('lag'),
    /** Exchange ms. */
    lagMs: z.number().positive(),
    show: z.enum(['nothing', 'open']).optional(),
    ...span,
  }),
  z
    .strictObject({
      kind: z.literal('absent'),
      symbol: z.string(),
      interval: interval.optional(),
      from: time,
      to: time,
      ...span,
    })
    .refine(ascends, 'from must not be after to'),
  z.strictObject({
    kind: z.literal('ban'),
    forMs: z.number().positive(),
    retryAfter: z.boolean().optional(),
    text: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('weight'), used: z.int().nonnegative() }),
] as const;

/** What happens to the market itself, for good. */
const MARKET = [
  z.strictObject({
    kind: z.literal('symbol'),
    symbol: z.string(),
    action: z.enum(['list', 'halt', 'resume', 'settle', 'delist']),
  }),
  z
    .strictObject({ kind: z.literal('outage'), symbol: z.string().optional(), from: time, to: time })
    .refine(ascends, 'from must not be after to'),
  z.strictObject({
    kind: z.literal('revise'),
    symbol: z.string(),
    interval,
    openTime: z.union([z.literal('last'), time]),
    /** The new values; without them close, volume and count are others. */
    values: z
      .strictObject({
        open: amount,
        high: amount,
        low: amount,
        close: amount,
        volume: amount,
        quoteVolume: amount,
        takerBuyVolume: amount,
        takerBuyQuoteVolume: amount,
        count: z.int().nonnegative(),
      })
      .partial()
      .optional(),
  }),
] as const;

/**
 * Every fault that can be asked for, one entry each. What it does is said in `docs/simulator.md` and done
 * where the name is asked for: things of one moment in `commands.ts`, lasting ones by {@link FaultBoard}.
 */
const SHAPES = [...SOCKETS, ...FRAMES, ...HTTP, ...MARKET] as const;

/** Schema of a fault, as `POST /faults` takes it. */
export const faultSchema = z.discriminatedUnion('kind', SHAPES);
export type Fault = z.infer<typeof faultSchema>;
export type FaultKind = Fault['kind'];
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;
export const FAULT_KINDS: readonly FaultKind[] = SHAPES.map((shape) => shape.shape.kind.value);

/** A fault that can't be done as things are, as the halt of a symbol that is not listed. */
export class ImpossibleFault extends RangeError {}
