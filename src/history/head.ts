import type { HistoryNote, HistoryPlan, Loaded } from './types.ts';

/**
 * The beginning of a series whose first bar nobody could be asked for: what the archive has no files of, before the
 * first bar that is found, is no gap.
 */
export class SeriesHead {
  readonly #plan: HistoryPlan;
  #hasBegun: boolean;

  /** `isKnown`: the plan begins with the first bar, or later. */
  constructor(plan: HistoryPlan, isKnown: boolean) {
    const { query, range } = plan;
    const first = query.missing?.[0];
    // What is not missing is there: the series has begun before.
    this.#hasBegun = isKnown || (first !== undefined && first.from > range.from);
    this.#plan = plan;
  }

  /** The pieces of a load, one after the other. */
  of(loaded: Loaded): Loaded {
    if (this.#hasBegun) return loaded;
    const first = loaded.blocks[0]?.columns.openTime[0];
    this.#hasBegun = first !== undefined || loaded.unreached.length > 0;
    const lacking =
      first === undefined ? [] : loaded.lacking.filter(({ fromOpenTime }) => fromOpenTime > first);
    if (this.#hasBegun) return { ...loaded, lacking, notes: [...loaded.notes, ...this.#note(first)] };
    return { ...loaded, lacking };
  }

  #note(first: number | undefined): HistoryNote[] {
    const { query, range } = this.#plan;
    if (first === undefined || first <= range.from) return [];
    const { symbol, interval } = query;
    const found = `the archive begins at ${new Date(first).toISOString()}`;
    return [
      {
        symbol,
        interval,
        kind: 'outside',
        from: range.from,
        to: first,
        found,
        done: 'taken for the first bar',
      },
    ];
  }
}
