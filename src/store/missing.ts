import { isSaidByExchange, WORD_HOLDS_MS } from '../../machines/model/gap-reasons.ts';
import { countBars, nextOpenTime } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { atMost, type Span, shift, spanOf, unite, within, without } from '../../machines/model/spans.ts';
import type { Coverage } from './coverage.ts';

/** Runs that are told at most; more are made fewer by closing the shortest distances. */
const RUNS_MAX = 10_000;
/** So many bars are looked at one by one; more are counted first, by parts. */
const LEAF_BARS = 4_096;
const PARTS = 16;

/**
 * Bars that open in `range` and are worth asking for: neither stored, nor said by the exchange, less than a day ago, not to
 * exist. Ascending; bars that are there may lie between when there are more than 10,000 runs. Of `3d`, a series of which
 * nothing is stored lacks the range as it was given.
 */
export function missingBars(
  coverage: Coverage,
  series: Series,
  range: Span,
  exchangeTime: number,
): readonly Span[] {
  if (range.to <= range.from) return [];
  const from = coverage.firstOpen(series, range.from);
  if (from === undefined) return [{ ...range }];
  const all = { from, to: coverage.firstOpen(series, range.to) as number };
  const told = coverage
    .gaps(series, all)
    .filter((gap) => isSaidByExchange(gap.reason) && exchangeTime - gap.detectedAt < WORD_HOLDS_MS)
    .map((gap) => within(spanOf(series.interval, gap), all));
  const runs = new Runs();
  findHoles(coverage, series, all, runs);
  const left = without(runs.all(), unite(told)).map((run) => within(run, { ...range, from }));
  return atMost(left, RUNS_MAX);
}

/** Bars not stored, of a span between two open times: parts that are whole, or empty, cost one count. */
export function findHoles(coverage: Coverage, series: Series, span: Span, runs: Runs): void {
  const wanted = countBars(series.interval, span.from, span.to);
  const stored = wanted === 0 ? 0 : coverage.count(series, span);
  if (stored === wanted) return;
  if (stored === 0) runs.add(span);
  else if (wanted <= LEAF_BARS) lookAtBars(coverage, series, span, runs);
  else {
    const bars = Math.ceil(wanted / PARTS);
    for (let { from } = span; from < span.to; ) {
      const to = Math.min(shift(series.interval, from, bars), span.to);
      findHoles(coverage, series, { from, to }, runs);
      from = to;
    }
  }
}

function lookAtBars(coverage: Coverage, series: Series, span: Span, runs: Runs): void {
  const { interval } = series;
  let due = span.from;
  for (const openTime of coverage.openTimes(series, span)) {
    // Rows at times at which no bar opens are not what is looked for.
    if (openTime !== shift(interval, due, countBars(interval, due, openTime))) continue;
    if (openTime > due) runs.add({ from: due, to: openTime });
    due = nextOpenTime(interval, openTime);
  }
  if (due < span.to) runs.add({ from: due, to: span.to });
}

/** Runs as they are found, ascending, never many more than are told. */
export class Runs {
  #spans: Span[] = [];

  add(span: Span): void {
    const last = this.#spans.at(-1);
    if (last !== undefined && last.to === span.from)
      this.#spans[this.#spans.length - 1] = { from: last.from, to: span.to };
    else this.#spans.push(span);
    if (this.#spans.length >= 4 * RUNS_MAX) this.#spans = [...atMost(this.#spans, 2 * RUNS_MAX)];
  }

  all(): readonly Span[] {
    return this.#spans;
  }
}
