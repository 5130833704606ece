/** I9, named: what is missing is a gap with a reason, and a gap is about bars that are missing. */
import { isAligned, nextOpenTime } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { toldCandles } from './content.ts';
import { barKey, barName, type Evidence, type Violation } from './evidence.ts';
import { owedBars, rangeOf } from './range.ts';
import type { StoredGap } from './store-file.ts';

interface NamedGap extends Series {
  readonly fromOpenTime: number;
  readonly toOpenTime: number;
  readonly reason: string;
  readonly isFilled: boolean;
}

export function named(evidence: Evidence): Violation[] {
  const { store, truth, series } = evidence;
  const found: Violation[] = [];
  const add = (name: string, detail: string): void => {
    found.push({ invariant: 'named', name, detail });
  };
  const gaps = gapsOf(evidence);
  const openBars = new Set<string>();
  const stored = new Set(store?.candles.map(barKey));
  const there = new Set([...stored, ...toldCandles(evidence).map(({ candle }) => barKey(candle))]);
  for (const gap of gaps) {
    const name = `${seriesKey(gap)} ${gap.fromOpenTime}…${gap.toOpenTime}`;
    if (gap.reason.trim() === '') add('gap without a reason', name);
    const isPlaced =
      isAligned(gap.interval, gap.fromOpenTime) &&
      isAligned(gap.interval, gap.toOpenTime) &&
      gap.fromOpenTime <= gap.toOpenTime;
    if (!isPlaced) {
      add('gap at no bars', name);
      continue;
    }
    for (const openTime of opensOf(gap)) {
      const bar = { ...gap, openTime };
      if (gap.isFilled) {
        if (store !== undefined && !there.has(barKey(bar))) add('filled gap without its bar', barName(bar));
        continue;
      }
      if (openBars.has(barKey(bar))) add('bar in two gaps', barName(bar));
      openBars.add(barKey(bar));
      if (stored.has(barKey(bar))) add('open gap over a stored bar', barName(bar));
      else if (openTime > (truth.endOf?.(gap.symbol) ?? Infinity))
        add('gap behind the end of its symbol', barName(bar));
      else if (truth.candle(gap.symbol, gap.interval, openTime) && !evidence.mayBeOpen(bar))
        add('gap over a bar that the exchange has', `${barName(bar)}: ${gap.reason}`);
    }
  }
  for (const one of series)
    for (const openTime of owedBars(rangeOf(evidence, one))) {
      const bar = { ...one, openTime };
      if (there.has(barKey(bar)) || openBars.has(barKey(bar))) continue;
      const exists = truth.candle(one.symbol, one.interval, openTime) !== undefined;
      if (exists) add('unnamed hole', barName(bar));
      else if (hasLater(evidence, bar)) add('unnamed absence', barName(bar));
    }
  return [...found, ...silentGaps(evidence)];
}

function* opensOf(gap: Pick<NamedGap, 'interval' | 'fromOpenTime' | 'toOpenTime'>): Generator<number> {
  for (let open = gap.fromOpenTime; open <= gap.toOpenTime; open = nextOpenTime(gap.interval, open))
    yield open;
}

/** From the file; without one, what was announced and not taken back. */
function gapsOf({ store, told }: Evidence): NamedGap[] {
  if (store !== undefined) return store.gaps.map((gap) => ({ ...gap, isFilled: gap.filledAt !== null }));
  const filled = new Set<string>();
  for (const one of told)
    if (one.kind === 'gap' && one.gap.status === 'filled')
      for (const openTime of opensOf(one.gap)) filled.add(barKey({ ...one.gap, openTime }));
  return told.flatMap((one) => {
    if (one.kind !== 'gap' || one.gap.status !== 'open') return [];
    const { gap } = one;
    return [...opensOf(gap)]
      .filter((openTime) => !filled.has(barKey({ ...gap, openTime })))
      .map((openTime) => ({ ...gap, fromOpenTime: openTime, toOpenTime: openTime, isFilled: false }));
  });
}

/** A bar that the exchange lacks must be named before a later one goes on; at the end it may still be asked for. */
function hasLater(evidence: Evidence, bar: { symbol: string; interval: string; openTime: number }): boolean {
  const isLater = (one: { symbol: string; interval: string; openTime: number }): boolean =>
    one.symbol === bar.symbol && one.interval === bar.interval && one.openTime > bar.openTime;
  return (
    evidence.store?.candles.some(isLater) === true ||
    toldCandles(evidence).some(({ candle }) => isLater(candle))
  );
}

/** Gaps that were written while somebody listened, and never announced. */
function silentGaps({ store, told, toldIsAll, heldBefore }: Evidence): Violation[] {
  if (store === undefined || !toldIsAll) return [];
  const announced = { open: new Set<string>(), filled: new Set<string>() };
  for (const one of told)
    if (one.kind === 'gap')
      for (const openTime of opensOf(one.gap))
        announced[one.gap.status].add(barKey({ ...one.gap, openTime }));
  const isSilent = (gap: StoredGap, status: 'open' | 'filled'): boolean =>
    [...opensOf(gap)].some((openTime) => {
      const key = barKey({ ...gap, openTime });
      return !announced[status].has(key) && !heldBefore.has(`gap ${key} ${status}`);
    });
  return store.gaps.flatMap((gap): Violation[] => {
    const status = gap.filledAt === null ? 'open' : 'filled';
    if (!isSilent(gap, status)) return [];
    const detail = `${seriesKey(gap)} ${gap.fromOpenTime}…${gap.toOpenTime}`;
    return [{ invariant: 'named', name: `gap ${status} and not announced`, detail }];
  });
}
