/**
 * Pauses that the exchange imposed: nothing is asked of it by REST while one lasts.
 *
 * - `limited` (429): over the request limit
 * - `banned` (418): the address is banned, for ignoring that
 * - `forbidden` (403): a firewall refuses us; `restricted` (451): our country is not served
 */
export type HoldKind = 'limited' | 'banned' | 'forbidden' | 'restricted';

export interface Hold {
  readonly kind: HoldKind;
  /** Monotonic ms. */
  readonly until: number;
  /** What the exchange said, in words. */
  readonly reason: string;
}

/** What is in force: the gravest of the pauses, and the time until the last of them is over, ms. */
export interface Held {
  readonly kind: HoldKind;
  readonly forMs: number;
  readonly reason: string;
}

const GRAVEST_FIRST: readonly HoldKind[] = ['banned', 'restricted', 'forbidden', 'limited'];

/** A pause is added; one of its kind that lasts longer stays. */
export function withHold(holds: readonly Hold[], hold: Hold): readonly Hold[] {
  const same = holds.find(({ kind }) => kind === hold.kind);
  if (same !== undefined && same.until >= hold.until) return holds;
  return [...holds.filter((one) => one !== same), hold];
}

export const holdsLeft = (holds: readonly Hold[], now: number): readonly Hold[] =>
  holds.filter((hold) => hold.until > now);

export function heldBy(holds: readonly Hold[], now: number): Held | undefined {
  const left = holdsLeft(holds, now);
  const gravest = GRAVEST_FIRST.map((kind) => left.find((hold) => hold.kind === kind)).find(Boolean);
  if (gravest === undefined) return undefined;
  const until = Math.max(...left.map((hold) => hold.until));
  return { kind: gravest.kind, reason: gravest.reason, forMs: Math.ceil(until - now) };
}

const FORBIDDEN_MIN_MS = 60_000;
const FORBIDDEN_MAX_MS = 600_000;

/** Pause after a refusal by a firewall or by country, ms: from a minute to ten, doubled while it goes on. */
export const refusalPause = (before: number): number =>
  Math.min(FORBIDDEN_MAX_MS, FORBIDDEN_MIN_MS * 2 ** Math.min(before, 8));
