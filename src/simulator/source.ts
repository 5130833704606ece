import type { Interval } from '../../machines/model/interval.ts';
import type { SymbolInfo } from './symbols.ts';
import type { Scale, Units, WireBar } from './units.ts';

/**
 * Where the bars of one symbol come from: the generator or recorded rows. It knows base bars alone (minutes
 * as a rule); everything larger is summed by the {@link file://./market.ts market}. Times are exchange ms.
 */
export interface BarSource {
  readonly info: SymbolInfo;
  readonly scale: Scale;
  readonly baseInterval: Interval;
  readonly baseMs: number;
  /** Writes the final base bar into `out`; false when the exchange has none. */
  read(openTime: number, out: Units): boolean;
  /** The same bar after the trades up to `at` (inclusive) alone. */
  readForming(openTime: number, at: number, out: Units): boolean;
  /** Time of the first trade in [from, until), or Infinity. */
  tradeBetween(from: number, until: number): number;
  /** Open time of the first base bar at or after `time`, or Infinity. */
  nextOpen(time: number): number;
  /** Open time of the last base bar at or before `time`, or -Infinity. */
  previousOpen(time: number): number;
  /** Price in ticks of the bars without trades that streams close where the exchange has no bars any more. */
  readonly echo?: number | undefined;
  /** The base bar in the very text of the recording, if this is one. */
  verbatim?(openTime: number): WireBar | undefined;
}
