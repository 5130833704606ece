/** How far a load has come: counters that a watcher reads when it likes. No events, for there would be thousands. */
import type { CandleBlock } from '../../machines/model/block.ts';
import type { CandleSource } from '../../machines/model/kline.ts';
import type { CacheCounts, Piece } from './types.ts';

/** Bars by where they came from. */
export type BySource = Readonly<Record<Exclude<CandleSource, 'stream'>, number>>;

/** A load at one moment. */
export interface HistoryProgress {
  readonly state:
    | 'idle'
    | 'opening'
    | 'planning'
    | 'loading'
    | 'confirming'
    | 'finishing'
    | 'sealing'
    | 'stopped';
  /** Bars that are to be fetched; 0 before it is known. */
  readonly barsPlanned: number;
  /** Of these, those that were there or found lacking. */
  readonly barsDone: number;
  readonly bySource: BySource;
  /** Read from the archive's files and from the network for them. */
  readonly bytes: number;
  /** The last one that was taken. */
  readonly piece: Piece | undefined;
  /** Monotonic ms by the load's clock; undefined: it has not begun. */
  readonly startedAt: number | undefined;
  readonly cache: Readonly<CacheCounts>;
}

/** What a load counts as it goes. */
export interface Counters {
  barsPlanned: number;
  barsDone: number;
  readonly bySource: Record<keyof BySource, number>;
  piece: Piece | undefined;
}

export const newCounters = (): Counters => ({
  barsPlanned: 0,
  barsDone: 0,
  bySource: { vision: 0, rest: 0 },
  piece: undefined,
});

export const noCache = (): CacheCounts => ({ hits: 0, misses: 0, errors: 0, bytesFetched: 0, bytesRead: 0 });

export function countBlocks(counters: Counters, blocks: readonly CandleBlock[]): void {
  for (const { source, rows } of blocks) if (source !== 'stream') counters.bySource[source] += rows;
}

/** So many are kept; the others are counted. */
export class Bounded<Item> {
  readonly #max: number;
  readonly #items: Item[] = [];
  #more = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(items: readonly Item[]): void {
    const kept = items.slice(0, Math.max(0, this.#max - this.#items.length));
    this.#items.push(...kept);
    this.#more += items.length - kept.length;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  /** How many there were beyond those. */
  get more(): number {
    return this.#more;
  }
}
