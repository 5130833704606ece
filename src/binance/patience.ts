/** What an answer says of limits: how much was used, what is granted, how long to stay away. Pure. */
import type { HoldKind } from '../../machines/model/hold.ts';
import type { HttpAnswer } from '../ports.ts';
import { USED_WEIGHT_HEADER } from './venue.ts';

/** What is read of an answer. */
type Said = Omit<HttpAnswer, 'bytes'>;

/** A pause that an answer imposes. */
export interface Imposed {
  readonly kind: HoldKind;
  /** ms; 0 where the answer does not say, and nothing can be derived. */
  readonly forMs: number;
  readonly reason: string;
}

/** Above what any answer means in earnest, and still exact, ms. */
const MS_MAX = Number.MAX_SAFE_INTEGER;
/** On top of what is told, ms: their clock and ours are not the same, and early is worse than late. */
const MARGIN_MS = 200;
const MINUTE_MS = 60_000;

/** `Date` of an answer, ms since epoch; undefined when there is none that can be read. */
export function readDate(answer: Pick<HttpAnswer, 'headers'>): number | undefined {
  const date = Date.parse(answer.headers.get('date') ?? '');
  return Number.isNaN(date) ? undefined : date;
}

/** Weight that the address has used in this minute. */
export function readUsedWeight(answer: Pick<HttpAnswer, 'headers'>): number | undefined {
  const text = answer.headers.get(USED_WEIGHT_HEADER) ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * `Retry-After`, ms from now: seconds, or a date, which is read against the `Date` of the same answer, else against
 * the local calendar. 0 when it tells nothing: absent, zero, negative, no number.
 */
export function readRetryAfter(text: string | null | undefined, now: number): number {
  const told = (text ?? '').trim();
  if (/^\d+(\.\d+)?$/.test(told)) return Math.min(MS_MAX, Number(told) * 1_000);
  // A date has letters; `Date.parse` alone would take -1 for the year 2001.
  const date = /[a-z]{3}/i.test(told) ? Date.parse(told) : Number.NaN;
  return date > now ? Math.min(MS_MAX, date - now) : 0;
}

/** `banned until 1791382984200`, as the text of error -1003 has it, ms from now; 0 when it has no such thing. */
function readBannedUntil(text: string, now: number): number {
  const until = Number(/banned until (\d{13,16})\b/i.exec(text)?.[1] ?? 0);
  // `Date` is cut to the second.
  return until > now ? until - now + 1_000 : 0;
}

/**
 * How long the answer asks to be left alone, ms; 0 when it does not.
 * `localNow`: the local calendar, ms since epoch, for an answer without a `Date`.
 */
export function readPatience(answer: Said, localNow: number): number {
  const told = readTold(answer, localNow);
  if (told > 0 || (answer.status !== 429 && answer.status !== 418)) return told;
  const now = readDate(answer) ?? localNow;
  // Not told: until the count of the minute begins anew.
  return MINUTE_MS - (Number.isFinite(now) ? now % MINUTE_MS : 0) + MARGIN_MS;
}

/** What the answer itself says of it, in its header or else in its text, ms; 0 when it does not. */
export function readTold(answer: Said, localNow: number): number {
  const now = readDate(answer) ?? localNow;
  const told = readRetryAfter(answer.headers.get('retry-after'), now);
  if (told > 0) return told + MARGIN_MS;
  if (answer.status !== 429 && answer.status !== 418) return 0;
  const until = readBannedUntil(answer.text, now);
  return until > 0 ? until + MARGIN_MS : 0;
}

const KINDS: Readonly<Record<number, HoldKind>> = {
  403: 'forbidden',
  418: 'banned',
  429: 'limited',
  451: 'restricted',
};

/** The pause that an answer imposes on everybody; undefined when it imposes none. */
export function readImposed(answer: Said, path: string, localNow: number): Imposed | undefined {
  const forMs = readPatience(answer, localNow);
  const reason = `${path} answered HTTP ${answer.status}`;
  const kind = KINDS[answer.status];
  if (kind !== undefined) return { kind, forMs, reason };
  return answer.status >= 500 && forMs > 0 ? { kind: 'limited', forMs, reason } : undefined;
}

/** Weight per minute, of the `rateLimits` of an exchangeInfo body; undefined when it does not say. */
export function readWeightLimit(body: unknown): number | undefined {
  const limits = typeof body === 'object' && body !== null && 'rateLimits' in body ? body.rateLimits : [];
  if (!Array.isArray(limits)) return undefined;
  for (const one of limits as unknown[]) {
    if (typeof one !== 'object' || one === null) continue;
    const { rateLimitType, interval, intervalNum, limit } = one as Record<string, unknown>;
    if (rateLimitType !== 'REQUEST_WEIGHT' || interval !== 'MINUTE') continue;
    const minutes = typeof intervalNum === 'number' && intervalNum >= 1 ? intervalNum : 1;
    if (typeof limit === 'number' && limit >= minutes && Number.isFinite(limit))
      return Math.floor(limit / minutes);
  }
  return undefined;
}
