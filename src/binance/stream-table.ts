/** Which stream a frame is of, by the bytes of its name: no string is made of them. */
import type { Series } from '../../machines/model/kline.ts';
import { FramePattern, PatternRoom } from './frame-pattern.ts';
import { streamName } from './streams.ts';

/** A name with one of these means another in JSON or in bytes, or ends what is looked for: left to who parses. */
const ODD = /["\\{}\p{Cc}\p{Cs}]/u;
/** No real one is longer. So much, twice in names and all that comes before and between, is less than the shortest frame. */
const SYMBOL_BYTES_MAX = 40;

const BEFORE_NAME = '{"stream":"';
const BEHIND_NAME = '","data":{"e":"kline","E":';
/** Where names begin. */
const NAME = BEFORE_NAME.length;

/** Odd numbers without a pattern: what each four bytes count in the hash. */
const WEIGHTS = [
  0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1, 0xd3a2_646d, 0xfd70_46c5,
] as const;

/**
 * Of 28 bytes from where the name of the frame at `at` begins: the name, and behind short ones what follows all names. Where
 * a longer one goes on is left out: the whole is compared anyway. Each four bytes count for themselves, so that no
 * multiplication waits for the one before.
 */
function hashOf(view: DataView, at: number): number {
  const name = at + NAME;
  const hash =
    (Math.imul(view.getInt32(name, true), WEIGHTS[0]) +
      Math.imul(view.getInt32(name + 4, true), WEIGHTS[1]) +
      Math.imul(view.getInt32(name + 8, true), WEIGHTS[2]) +
      Math.imul(view.getInt32(name + 12, true), WEIGHTS[3]) +
      Math.imul(view.getInt32(name + 16, true), WEIGHTS[4]) +
      Math.imul(view.getInt32(name + 20, true), WEIGHTS[5]) +
      Math.imul(view.getInt32(name + 24, true), WEIGHTS[6])) |
    0;
  return hash ^ (hash >>> 15);
}

/** Streams by name. They are added and never leave: who ends a series says so elsewhere. */
export class StreamTable<Owner> {
  /** A power of two of them, at least as many as streams. */
  #slots: (FramePattern<Owner> | undefined)[] = Array(16).fill(undefined);
  #size = 0;
  readonly #room = new PatternRoom();

  /** Once for each series. One whose name is odd is never found. */
  add(series: Series, owner: Owner): void {
    const { symbol } = series;
    if (ODD.test(symbol) || Buffer.byteLength(symbol) > SYMBOL_BYTES_MAX) return;
    if (this.#size === this.#slots.length) this.#grow();
    const head = Buffer.from(`${BEFORE_NAME}${streamName(series)}${BEHIND_NAME}`);
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    this.#put(new FramePattern(series, view, hashOf(view, 0), owner, this.#room));
    this.#size += 1;
  }

  /** The stream of the frame at `at`, a long one; undefined when it is none of ours, or no such frame. */
  find(view: DataView, at: number): FramePattern<Owner> | undefined {
    const hash = hashOf(view, at);
    let pattern = this.#slots[hash & (this.#slots.length - 1)];
    while (pattern !== undefined && !(pattern.hash === hash && pattern.isHead(view, at)))
      pattern = pattern.next;
    return pattern;
  }

  #put(pattern: FramePattern<Owner>): void {
    const slot = pattern.hash & (this.#slots.length - 1);
    pattern.next = this.#slots[slot];
    this.#slots[slot] = pattern;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = Array(2 * old.length).fill(undefined);
    for (const first of old)
      for (let pattern = first, next = first?.next; pattern !== undefined; pattern = next, next = next?.next)
        this.#put(pattern);
  }
}
