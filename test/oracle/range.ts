/** Which bars of a series are owed, by the contract's second section and nothing of the program. */
import { nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import { firstOpenFrom } from '../../machines/model/ledger.ts';
import type { Evidence } from './evidence.ts';

export interface Range {
  readonly series: Series;
  /** First bar that is owed; undefined when nothing is. */
  readonly first: number | undefined;
  /** Every bar that ended by then must be there, exchange ms. */
  readonly settledAt: number;
}

/** Most that a close may be late before it counts as owed, exchange ms (contract 2: 5 s and jitter; half a second of wall time at least). */
const graceMs = (timeScale: number): number => Math.max(5_000, 500 * timeScale) + 1_000;

/**
 * From the first bar that is stored, delivered or asked for as history, or that ended after the series was said to
 * be live; up to the last whose grace was over, with time for a repair, before the end.
 */
export function rangeOf(evidence: Evidence, series: Series): Range {
  const { store, told, samples, timeScale, backfillFrom, truth, readAt } = evidence;
  const key = seriesKey(series);
  const isOurs = (candle: Candle): boolean => seriesKey(candle) === key;
  const starts: number[] = [];
  const stored = store?.candles.find(isOurs);
  if (stored !== undefined) starts.push(stored.openTime);
  for (const one of told)
    if (one.kind === 'candle' && isOurs(one.candle)) {
      starts.push(one.candle.openTime);
      break;
    }
  const proved = samples.find(({ series: states }) => ['live', 'quiet'].includes(states.get(key) ?? ''));
  if (proved !== undefined) starts.push(openTimeAt(series.interval, proved.at));
  if (backfillFrom !== undefined) starts.push(firstOpenFrom(series.interval, backfillFrom));
  const first = starts.length === 0 ? undefined : Math.min(...starts);
  const repair = evidence.repairMs * timeScale;
  // A fault that was in force when the grace ended may have kept the repair from happening.
  const undisturbed = evidence.endedAt - repair >= evidence.faultsOverAt;
  const byGrace = evidence.endedAt - repair - graceMs(timeScale);
  // Whatever lies before a bar that is there is owed, whenever that came. One that can't be yet says nothing.
  const isOver = (candle: Candle): boolean => isOurs(candle) && candle.closeTime < readAt;
  const lastTold = told.findLast((one) => one.kind === 'candle' && isOver(one.candle));
  const last = Math.max(
    store?.candles.findLast(isOver)?.closeTime ?? 0,
    lastTold?.kind === 'candle' ? lastTold.candle.closeTime : 0,
  );
  const settledAt = Math.max(last + 1, undisturbed ? byGrace : 0);
  return { series, first, settledAt: Math.min(settledAt, truth.endOf?.(series.symbol) ?? Infinity) };
}

/** Open times of the bars that are owed, ascending. */
export function* owedBars({ series, first, settledAt }: Range): Generator<number> {
  if (first === undefined) return;
  for (
    let open = first;
    nextOpenTime(series.interval, open) <= settledAt;
    open = nextOpenTime(series.interval, open)
  )
    yield open;
}
