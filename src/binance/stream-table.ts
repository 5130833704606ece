/** Which stream a frame is of, by the bytes of its name: no string is made of them. */
import type { Series } from '../../machines/model/kline.ts';
import { streamName } from './streams.ts';

/** What frames of one stream have in common, spelled as they spell it. */
export interface StreamEntry<Owner> {
  /** From the first byte to the event's time: `{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":` */
  readonly head: Uint8Array;
  /** From there to the bar's: `,"s":"BTCUSDT","k":{"t":` */
  readonly middle: Uint8Array;
  /** `"s":"BTCUSDT"` and `"i":"1m"` */
  readonly symbol: Uint8Array;
  readonly interval: Uint8Array;
  readonly owner: Owner;
  readonly hash: number;
  /** Another whose name falls into the same slot. */
  next: StreamEntry<Owner> | undefined;
}

const QUOTE = 0x22;
const CLOSE = 0x7d;

/** A name with one of these means another in JSON or in bytes, or ends what is looked for: left to who parses. */
const ODD = /["\\{}\p{Cc}\p{Cs}]/u;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf8'));

const BEFORE_NAME = '{"stream":"';
/** Where names begin. */
const NAME = BEFORE_NAME.length;

/** What a byte counts in the hash, by its place: each for itself, so that none waits for the one before. */
const WEIGHTS = new Int32Array(64);
for (let index = 0, weight = 1; index < WEIGHTS.length; index++)
  WEIGHTS[index] = weight = (Math.imul(weight, 1_103_515_245) + 12_345) | 1;

/** Of the bytes of a name, from where it begins to the next quote or closing brace; one of them must come. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0;
  let at = NAME;
  for (let byte = bytes[at] as number; byte !== QUOTE && byte !== CLOSE; byte = bytes[++at] as number)
    hash = (hash + Math.imul(byte, WEIGHTS[at & 63] as number)) | 0;
  return hash ^ (hash >>> 15);
}

/** Streams by name. They are added and never leave: who ends a series says so elsewhere. */
export class StreamTable<Owner> {
  /** A power of two of them, at least as many as streams. */
  #slots: (StreamEntry<Owner> | undefined)[] = Array(16).fill(undefined);
  #size = 0;
  /** What many streams spell alike, once: ten thousand of them have some hundred symbols and a dozen intervals. */
  readonly #spelled = new Map<string, Uint8Array>();

  /** Once for each series. One whose name is odd is never found. */
  add(series: Series, owner: Owner): void {
    const { symbol, interval } = series;
    if (ODD.test(symbol)) return;
    if (this.#size === this.#slots.length) this.#grow();
    const head = bytesOf(`${BEFORE_NAME}${streamName(series)}","data":{"e":"kline","E":`);
    this.#put({
      head,
      middle: this.#shared(`,"s":"${symbol}","k":{"t":`),
      symbol: this.#shared(`"s":"${symbol}"`),
      interval: this.#shared(`"i":"${interval}"`),
      owner,
      // Of a Buffer, as messages are: one shape of bytes, one way to read them.
      hash: hashOf(Buffer.from(head)),
      next: undefined,
    });
    this.#size += 1;
  }

  /**
   * The first stream that these bytes, which have a closing brace behind the place of a name, may be of. Where they are
   * not, it may be one of those that are `next` to it.
   */
  candidate(bytes: Uint8Array): StreamEntry<Owner> | undefined {
    const hash = hashOf(bytes);
    let entry = this.#slots[hash & (this.#slots.length - 1)];
    while (entry !== undefined && entry.hash !== hash) entry = entry.next;
    return entry;
  }

  #shared(text: string): Uint8Array {
    const known = this.#spelled.get(text) ?? bytesOf(text);
    this.#spelled.set(text, known);
    return known;
  }

  #put(entry: StreamEntry<Owner>): void {
    const slot = entry.hash & (this.#slots.length - 1);
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
