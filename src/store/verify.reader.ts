/** The rows of one series as they stand in the file, a page at a time. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredBar, StoredValues } from './verify.bar.ts';
import type { StoredGap } from './verify.gaps.ts';
import {
  BAR,
  BARS,
  COUNT_BARS,
  FIRST_BAR,
  GAP_BOUNDS,
  GAPS,
  LAST_BAR,
  NEXT_NAME,
  SAFE,
  STRAY_BARS,
  THREE_DAYS_FROM,
  WATERMARK,
} from './verify.sql.ts';

/** The name of a series as it is stored; perhaps of no interval that there is. */
export interface StoredName {
  readonly symbol: string;
  readonly interval: string;
}

/** Bars that open in [from, to), ms. */
export interface Scope {
  readonly from: number;
  readonly to: number;
}

/** Where a series begins and ends, by what is stored and by what is named as missing, ms. */
export interface Edges {
  readonly first: number | undefined;
  readonly last: number | undefined;
}

/** How far a series is collected: whole from one bar to the other, both inclusive. */
export interface Mark {
  readonly openTime: number;
  /** Undefined: from its first bar. */
  readonly wholeFrom: number | undefined;
}

const QUESTIONS = {
  next: NEXT_NAME,
  bars: BARS,
  bar: BAR,
  stray: STRAY_BARS,
  first: FIRST_BAR,
  last: LAST_BAR,
  count: COUNT_BARS,
  gaps: GAPS,
  bounds: GAP_BOUNDS,
  watermark: WATERMARK,
  anchor: THREE_DAYS_FROM,
} as const;

export class SeriesReader {
  readonly #ask: Readonly<Record<keyof typeof QUESTIONS, StatementSync>>;

  constructor(database: DatabaseSync) {
    this.#ask = Object.fromEntries(
      Object.entries(QUESTIONS).map(([name, sql]) => [name, database.prepare(sql)]),
    ) as Record<keyof typeof QUESTIONS, StatementSync>;
  }

  /** Every series that any table knows, by name, once. */
  *names(): Generator<StoredName, void, undefined> {
    const told = new Set<string>();
    let [symbol, interval] = ['', ''];
    for (;;) {
      const next = this.#ask.next.get(symbol, interval);
      if (next === undefined) return;
      // Of a table without types it may be anything.
      [symbol, interval] = [String(next['symbol']), String(next['interval'])];
      const name = JSON.stringify([symbol, interval]);
      // In a damaged file what lies behind a key may lie before it, too.
      if (told.has(name)) return;
      told.add(name);
      yield { symbol, interval };
    }
  }

  /** Ascending. Those whose open time is no number that there can be are {@link stray}. */
  *bars({ symbol, interval }: StoredName, { from, to }: Scope): Generator<StoredBar, void, undefined> {
    let after = Math.max(from, -SAFE) - 1;
    const before = Math.min(to, SAFE);
    for (;;) {
      const page = this.#ask.bars.all(symbol, interval, after, before) as unknown as StoredBar[];
      yield* page;
      const last = page.at(-1);
      // In a damaged file what lies behind a key may lie before it, too, and would be read for ever.
      if (last === undefined || last.openTime <= after) return;
      after = last.openTime;
    }
  }

  /** The rest of a bar. */
  values({ symbol, interval }: StoredName, openTime: number): StoredValues {
    return { ...this.#ask.bar.get(symbol, interval, openTime) } as unknown as StoredValues;
  }

  /** Open times beyond what a number holds, as text. */
  *stray({ symbol, interval }: StoredName): Generator<string, void, undefined> {
    for (const row of this.#ask.stray.iterate(symbol, interval)) yield String(row['openTime']);
  }

  gaps({ symbol, interval }: StoredName, { from, to }: Scope): Iterator<StoredGap> {
    return this.#ask.gaps.iterate(symbol, interval, from, to) as unknown as Iterator<StoredGap>;
  }

  edges({ symbol, interval }: StoredName): Edges {
    const [first, last] = [this.#ask.first, this.#ask.last].map(
      (ask) => ask.get(symbol, interval)?.['openTime'],
    );
    const bounds = this.#ask.bounds.get(symbol, interval);
    const present = (...times: unknown[]): number[] => times.filter((time) => typeof time === 'number');
    const firsts = present(first, bounds?.['firstOpen']);
    const lasts = present(last, bounds?.['lastOpen']);
    return {
      first: firsts.length === 0 ? undefined : Math.min(...firsts),
      last: lasts.length === 0 ? undefined : Math.max(...lasts),
    };
  }

  count({ symbol, interval }: StoredName): number {
    return Number(this.#ask.count.get(symbol, interval)?.['bars']);
  }

  mark({ symbol, interval }: StoredName): Mark | undefined {
    const row = this.#ask.watermark.get(symbol, interval);
    if (row === undefined) return undefined;
    const { open_time: openTime, from_open_time: wholeFrom } = row;
    return { openTime: Number(openTime), wholeFrom: typeof wholeFrom === 'number' ? wholeFrom : undefined };
  }

  /** A time at which most bars of a series of three days do open. */
  anchor({ symbol, interval }: StoredName): number | undefined {
    const time = this.#ask.anchor.get(symbol, interval)?.['openTime'];
    return typeof time === 'number' ? time : undefined;
  }
}
