/** Times from (inclusive) to (exclusive), ms, and what they leave of each other. Total functions over plain data. */
import type { Run } from './gaps.ts';
import { type Interval, nextOpenTime } from './interval.ts';

/** Bars that open in [from, to), ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The same bars as a run has. */
export const spanOf = (interval: Interval, { fromOpenTime, toOpenTime }: Run): Span => ({
  from: fromOpenTime,
  to: nextOpenTime(interval, toOpenTime),
});

/** What of a span lies in another. Empty when nothing does: `to` is then not behind `from`. */
export const within = (span: Span, bounds: Span): Span => ({
  from: Math.max(span.from, bounds.from),
  to: Math.min(span.to, bounds.to),
});

/** Spans in any order as the fewest that cover the same times, ascending. */
export function unite(spans: readonly Span[]): Span[] {
  const united: Span[] = [];
  for (const span of spans.filter(({ from, to }) => from < to).sort((one, other) => one.from - other.from)) {
    const last = united.at(-1);
    if (last === undefined || span.from > last.to) united.push(span);
    else if (span.to > last.to) united[united.length - 1] = { from: last.from, to: span.to };
  }
  return united;
}

/** What is left of `spans` without `others`; both ascend and do not overlap among themselves. */
export function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  const left: Span[] = [];
  let next = 0;
  for (const span of spans) {
    let { from } = span;
    while (next < others.length && (others[next] as Span).to <= from) next += 1;
    for (let index = next; index < others.length; index++) {
      const other = others[index] as Span;
      if (other.from >= span.to) break;
      if (from < other.from) left.push({ from, to: other.from });
      from = Math.max(from, other.to);
    }
    if (from < span.to) left.push({ from, to: span.to });
  }
  return left;
}

/** At most `max` spans that cover all of `spans`, which ascend: those nearest to each other become one. */
export function atMost(spans: readonly Span[], max: number): readonly Span[] {
  if (spans.length <= max) return spans;
  const between = (index: number): number => (spans[index] as Span).from - (spans[index - 1] as Span).to;
  const distances = Float64Array.from({ length: spans.length - 1 }, (_, index) => between(index + 1)).sort();
  // The shortest distances are closed; of those as long as the last of them, as many as there must be.
  const longest = distances[spans.length - max - 1] as number;
  let ties = spans.length - max - distances.indexOf(longest);
  const fewer: Span[] = [spans[0] as Span];
  for (let index = 1; index < spans.length; index++) {
    const [span, distance] = [spans[index] as Span, between(index)];
    const isJoined = distance < longest || (distance === longest && ties-- > 0);
    if (isJoined) fewer[fewer.length - 1] = { from: (fewer.at(-1) as Span).from, to: span.to };
    else fewer.push(span);
  }
  return fewer;
}

/** The open time so many bars on, or back when `bars` is negative. */
export function shift(interval: Interval, openTime: number, bars: number): number {
  if (interval !== '1M') return openTime + bars * (nextOpenTime(interval, openTime) - openTime);
  const date = new Date(openTime);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + bars, 1);
}
