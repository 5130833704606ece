/** Which stream a frame is of, by the bytes of its name: no string is made of them. */
import type { Series } from '../../machines/model/kline.ts';
import { streamName } from './streams.ts';

/** A stream that frames may come of, spelled as they spell it. */
export interface StreamEntry<Owner> {
  /** `btcusdt@kline_1m` */
  readonly name: Uint8Array;
  /** `"BTCUSDT"` and `"1m"`, their quotes included. */
  readonly symbol: Uint8Array;
  readonly interval: Uint8Array;
  readonly owner: Owner;
  /** Another whose name falls into the same slot. */
  next: StreamEntry<Owner> | undefined;
}

/** Names of which one byte means another in JSON, or ends what is looked for, are left to who parses. */
const ODD = /["\\{}\p{Cc}]/u;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf8'));

/** One more byte of a name. The whole number that comes of all picks the slot. */
export const hashOn = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0;

/** Streams by name. They are added and never leave: who ends a series says so elsewhere. */
export class StreamTable<Owner> {
  /** A power of two of them, at least as many as streams. */
  #slots: (StreamEntry<Owner> | undefined)[] = Array(16).fill(undefined);
  #size = 0;

  /** Once for each series. One whose name is odd is never found. */
  add(series: Series, owner: Owner): void {
    if (ODD.test(series.symbol)) return;
    if (this.#size === this.#slots.length) this.#grow();
    this.#put({
      name: bytesOf(streamName(series)),
      symbol: bytesOf(`"${series.symbol}"`),
      interval: bytesOf(`"${series.interval}"`),
      owner,
      next: undefined,
    });
    this.#size += 1;
  }

  /** The stream whose name stands in `bytes` from `start` to `end`, which come to `hash`. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): StreamEntry<Owner> | undefined {
    let entry = this.#slots[hash & (this.#slots.length - 1)];
    for (; entry !== undefined; entry = entry.next) {
      const { name } = entry;
      if (name.length !== end - start) continue;
      let at = 0;
      while (at < name.length && name[at] === bytes[start + at]) at++;
      if (at === name.length) return entry;
    }
    return undefined;
  }

  #put(entry: StreamEntry<Owner>): void {
    const slot = entry.name.reduce(hashOn, 0) & (this.#slots.length - 1);
    entry.next = this.#slots[slot];
    this.#slots[slot] = entry;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = Array(2 * old.length).fill(undefined);
    for (const first of old)
      for (let entry = first, next = first?.next; entry !== undefined; entry = next, next = next?.next)
        this.#put(entry);
  }
}
