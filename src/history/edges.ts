import type { HistoryNote, HistoryPlan, Loaded } from './types.ts';

export interface Edges {
  /** The plan begins with the first bar, or later. */
  readonly isBeginKnown: boolean;
  /** REST has forgotten the series: only the archive's last bar tells where it ended. */
  readonly hasEnded: boolean;
}

/**
 * The parts of a load, without what lacks beside a series whose first or last bar nobody could be asked for: what the
 * archive has no files of, before the first bar that is found or behind the last one, is no gap.
 */
export async function* withinEdges(
  parts: AsyncIterable<Loaded>,
  plan: HistoryPlan,
  { isBeginKnown, hasEnded }: Edges,
): AsyncGenerator<Loaded, void, undefined> {
  const [first] = plan.query.missing ?? [];
  // What is not missing is there: the series has begun before.
  let hasBegun = isBeginKnown || (first !== undefined && first.from > plan.range.from);
  /** Parts that may turn out to lie behind the end. */
  let held: Loaded[] = [];
  for await (const part of parts) {
    const loaded = hasBegun ? part : fromFirstBar(part, plan);
    const isFound = loaded.blocks.length > 0 || loaded.unreached.length > 0;
    hasBegun ||= isFound;
    if (isFound) {
      yield* held;
      held = [];
    }
    if (hasEnded && loaded.lacking.some(({ fromOpenTime }) => fromOpenTime > lastBarOf(loaded)))
      held.push(loaded);
    else yield loaded;
  }
  for (const part of held)
    yield { ...part, lacking: part.lacking.filter(({ fromOpenTime }) => fromOpenTime < lastBarOf(part)) };
}

function lastBarOf({ blocks }: Loaded): number {
  const last = blocks.at(-1);
  return last?.columns.openTime[last.rows - 1] ?? Number.NEGATIVE_INFINITY;
}

function fromFirstBar(part: Loaded, { query, range }: HistoryPlan): Loaded {
  const first = part.blocks[0]?.columns.openTime[0];
  if (first === undefined) return { ...part, lacking: [] };
  const lacking = part.lacking.filter(({ fromOpenTime }) => fromOpenTime > first);
  if (first <= range.from) return { ...part, lacking };
  const { symbol, interval } = query;
  const note: HistoryNote = {
    symbol,
    interval,
    kind: 'outside',
    from: range.from,
    to: first,
    found: `the archive begins at ${new Date(first).toISOString()}`,
    done: 'taken for the first bar',
  };
  return { ...part, lacking, notes: [...part.notes, note] };
}
