import { countBars } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import type { Cursor } from '../pipeline/cursor.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

export interface PourPorts {
  readonly pipeline: Pipeline;
  readonly exchangeClock: { now(): number };
  /** Does something when few rows wait for the store. Rejects with the signal's reason. */
  readonly whenDrained: <Result>(signal: AbortSignal, work: () => Result) => Promise<Result>;
}

/** Bars that go to the store at a time: what closes now must not stand behind a whole day. */
const SLICE_MAX = 300;

/**
 * Gives many bars to the pipeline, ascending, a slice whenever those before are written; every bar that there is before
 * `known` is among them. Behind a hole it gets all the others at once: it knows what is to be done about holes. Returns
 * how many were new.
 */
export async function pourBars(
  { pipeline, exchangeClock, whenDrained }: PourPorts,
  cursor: Cursor,
  candles: readonly Candle[],
  known: number,
  signal: AbortSignal,
): Promise<number> {
  let taken = 0;
  for (let at = 0; at === 0 || at < candles.length; ) {
    const slice = candles.slice(at, at + SLICE_MAX);
    const part = isNext(cursor, slice) ? slice : candles.slice(at);
    const until = candles[at + part.length]?.openTime ?? known;
    const fresh = await whenDrained(signal, () => pipeline.fill(cursor, part, until, exchangeClock.now()));
    taken += fresh;
    if (fresh < part.length) break;
    at += Math.max(1, part.length);
  }
  return taken;
}

/** Whether the bars begin with the one that is due, and none lacks among them. */
function isNext({ due, series }: Cursor, bars: readonly Candle[]): boolean {
  const last = bars.at(-1);
  if (due === undefined || last === undefined || bars[0]?.openTime !== due) return false;
  return countBars(series.interval, due, last.closeTime + 1) === bars.length;
}
