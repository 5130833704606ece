import { type Candle, sameValues, seriesKey } from '../../machines/model/kline.ts';

/** The exchange may be about to say the same by REST: so long REST is left to settle, wall ms. */
const SETTLE_MS = 1_000;
/** About one bar REST is asked at most so often, wall ms: a stream may repeat what is false for ever. */
const COOLING_MS = 10_000;
/** A bar that is not stored yet, because a hole before it is being filled, is waited for so long, wall ms. */
const PATIENCE_MS = 60_000;
const SUSPECTS_MAX = 1_000;
/** Different closes of one bar that are remembered. */
const CLAIMS_MAX = 4;
/** Looked up at one time: each may take a millisecond of reading. */
const LOOKS_MAX = 20;

/** A stored bar that the stream closed otherwise, too. */
export interface Doubt {
  readonly held: Candle;
  /** The closes of the stream that differ from it, as they came. */
  readonly claims: readonly Candle[];
}

interface Suspect {
  readonly candle: Candle;
  /** What the stream said of it, each once. */
  readonly claims: Candle[];
  /** Closes of this bar that contradict each other: whatever is stored, one of them differs from it. */
  isDisputed: boolean;
  /** Monotonic ms. */
  notBefore: number;
  readonly until: number;
}

/** Bars that came closed a second time, and perhaps with other values: REST is to say which are right. */
export class Suspects {
  readonly #suspects = new Map<string, Suspect>();
  /** When REST was last asked about a bar, monotonic ms; oldest first. */
  readonly #asked = new Map<string, number>();

  /** False when there is no room. */
  add(candle: Candle, now: number): boolean {
    const key = `${seriesKey(candle)}@${candle.openTime}`;
    const known = this.#suspects.get(key);
    if (known !== undefined) {
      known.isDisputed ||= !sameValues(known.candle, candle);
      if (known.claims.length < CLAIMS_MAX && !known.claims.some((claim) => sameValues(claim, candle)))
        known.claims.push(candle);
      return true;
    }
    if (this.#suspects.size >= SUSPECTS_MAX) return false;
    const cooled = (this.#asked.get(key) ?? Number.NEGATIVE_INFINITY) + COOLING_MS;
    const notBefore = Math.max(now + SETTLE_MS, cooled);
    const until = notBefore + PATIENCE_MS;
    this.#suspects.set(key, { candle, claims: [candle], isDisputed: false, notBefore, until });
    return true;
  }

  /** The next suspect that REST is to be asked about; those that prove harmless are let go. */
  next(now: number, stored: (candle: Candle) => Candle | undefined): Doubt | undefined {
    let looks = 0;
    for (const [key, suspect] of this.#suspects) {
      if (suspect.notBefore > now) continue;
      if (++looks > LOOKS_MAX) return undefined;
      const held = stored(suspect.candle);
      if (held === undefined && now < suspect.until) {
        suspect.notBefore = now + SETTLE_MS;
        continue;
      }
      this.#suspects.delete(key);
      if (held === undefined || (!suspect.isDisputed && sameValues(held, suspect.candle))) continue;
      this.#remember(key, now);
      return { held, claims: suspect.claims };
    }
    return undefined;
  }

  /** REST could not be asked about a stored bar. */
  again({ held, claims }: Doubt, now: number): void {
    const notBefore = now + COOLING_MS;
    const until = notBefore + PATIENCE_MS;
    this.#suspects.set(`${seriesKey(held)}@${held.openTime}`, {
      candle: held,
      claims: [...claims],
      isDisputed: true,
      notBefore,
      until,
    });
  }

  #remember(key: string, now: number): void {
    this.#asked.delete(key);
    this.#asked.set(key, now);
    if (this.#asked.size > SUSPECTS_MAX) this.#asked.delete(this.#asked.keys().next().value!);
  }
}
