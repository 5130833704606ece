/** Why a socket ended, as far as it decides when to dial again. */
export interface Ending {
  /** WebSocket close code; 1006 without a close frame; 0 when we gave it up ourselves. */
  readonly code: number;
  /** HTTP status of a refused handshake. */
  readonly status?: number;
  /** How long the server asked to be left alone, ms. */
  readonly retryAfterMs?: number;
  /** The server had said beforehand that it would go. */
  readonly announced?: true;
  /** Given up since it withheld data that there was: somebody should know, for it may be the wrong route. */
  readonly mute?: true;
}

export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** At least this long after an answer that a quick retry can't change (404, 403, 451, 1008, 1013), ms. */
  readonly slowMs: number;
}

export const DEFAULT_BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 60_000, slowMs: 30_000 };

/** Longest delay of a Node timer: about 24.8 days. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Wrong host or path, moved elsewhere, refused by a firewall or by country, banned: an operator must act, but we
 * keep asking, slowly.
 */
const HOPELESS_STATUS: ReadonlySet<number> = new Set([202, 301, 302, 303, 307, 308, 403, 404, 418, 451]);
/** Over a limit: nobody need act, but a quick retry makes it worse. */
const LIMITED_STATUS = 429;
/** Maintenance or rotation of the server: what comes next on another one is as good as ever. */
const GOING_AWAY = 1001;
/** The server says that we broke a rule; dialling again at once would break it again. */
const POLICY_VIOLATION = 1008;
/** Come back after 5 to 30 s, at random. Source: IANA's registry of close codes. */
const SERVICE_RESTART = 1012;
/** Overloaded. */
const TRY_AGAIN_LATER = 1013;

const isHopeless = (end: Ending): boolean =>
  (end.status !== undefined && HOPELESS_STATUS.has(end.status)) || end.code === POLICY_VIOLATION;

/** True when the end calls for an operator's eyes. */
export const isAlarming = (end: Ending): boolean => isHopeless(end) || end.mute === true;

/** What the end itself demands, ms: however soon the backoff would let us. */
function patience(policy: BackoffPolicy, random: number, end: Ending): number {
  if (isHopeless(end) || end.status === LIMITED_STATUS || end.code === TRY_AGAIN_LATER)
    return policy.slowMs * (1 + random / 4);
  return end.code === SERVICE_RESTART ? (policy.slowMs * (1 + 5 * random)) / 6 : 0;
}

/**
 * Delay before the next dial, ms: full jitter over an exponential cap, so that many clients that fell
 * together do not return together. Never earlier than the server asked, and that may be longer than a timer lasts.
 * A server that goes away is left at once, the first time.
 */
export function reconnectDelay(policy: BackoffPolicy, attempt: number, random: number, end: Ending): number {
  const isLeaving = end.code === GOING_AWAY || end.announced === true;
  const cap = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 16));
  const jittered = isLeaving && attempt === 0 ? 0 : random * cap;
  return Math.ceil(Math.max(jittered, patience(policy, random, end), end.retryAfterMs ?? 0));
}

/** How long one timer can wait of what is left, ms. */
export const timerPiece = (leftMs: number): number => Math.min(TIMER_MAX_MS, Math.max(1, Math.ceil(leftMs)));

/** Longest pause between two attempts to ask the exchange at the start, unless it asks for more, ms. */
const PREPARE_MAX_MS = 15_000;

/**
 * Pause before the exchange is asked again at the start, ms: doubled each time, and never shorter than what the
 * error says that it asks for (`retryAfterMs`).
 */
export function prepareDelay(baseMs: number, tries: number, error: unknown): number {
  const backoff = Math.min(PREPARE_MAX_MS, baseMs * 2 ** Math.min(tries, 16));
  return Math.max(backoff, patienceOf(error));
}

/** How long an error asks to be left alone (`retryAfterMs`), ms; 0 when it does not. */
export function patienceOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('retryAfterMs' in error)) return 0;
  const asked = Number(error.retryAfterMs);
  return asked > 0 ? Math.min(TIMER_MAX_MS, asked) : 0;
}

/** Delay before a repair is tried again, ms: 1, 2, 4 … 30 s, up to a quarter more. */
export const repairDelay = (tries: number, random: number): number =>
  Math.round(Math.min(30_000, 1_000 * 2 ** tries) * (1 + random / 4));
