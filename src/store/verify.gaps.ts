/** The recorded gaps of one series, walked along with its bars. */
import type { Run } from '../../machines/model/gaps.ts';
import type { Gap } from '../../machines/model/row.ts';
import type { Findings } from './verify.findings.ts';
import type { Grid } from './verify.grid.ts';

/** A gap as it is read. */
export interface StoredGap extends Run, Pick<Gap, 'reason' | 'detectedAt'> {
  readonly isFilled: number;
}

/** The bars that an open gap names: from the first to the last one, by their open times. */
export interface OpenRun {
  readonly from: number;
  readonly to: number;
  readonly gap: Run & Pick<Gap, 'reason' | 'detectedAt'>;
}

interface Context {
  readonly symbol: string;
  readonly interval: string;
  readonly grid: Grid;
  readonly findings: Findings;
}

/**
 * Takes gaps in the order of their beginnings. What can't be is a finding. Bars that are stored are told by
 * {@link store}, ascending, when the gaps that begin before them have been taken.
 */
export class GapWalk {
  readonly #gaps: Iterator<StoredGap>;
  readonly #context: Context;
  #next: StoredGap | undefined;
  /** Where the gaps so far end. */
  #end = Number.NEGATIVE_INFINITY;
  /** The open gap that was taken last, and how many of its bars are stored. */
  #open: StoredGap | undefined;
  #stored = 0;

  constructor(gaps: Iterator<StoredGap>, context: Context) {
    this.#gaps = gaps;
    this.#context = context;
    this.#pull();
  }

  /** Takes the next gap, if that begins at or before `openTime`. One that is filled, or can't be, names nothing. */
  take(openTime: number): OpenRun | 'nothing' | undefined {
    const gap = this.#next;
    if (gap === undefined || gap.fromOpenTime > openTime) return undefined;
    this.#pull();
    const { fromOpenTime, toOpenTime, reason, detectedAt } = gap;
    const { grid } = this.#context;
    if (fromOpenTime > toOpenTime) {
      this.#tell(gap, 'it ends before it begins');
      return 'nothing';
    }
    if (!grid.isOn(fromOpenTime) || !grid.isOn(toOpenTime))
      this.#tell(gap, 'it does not begin and end with a bar');
    if (fromOpenTime <= this.#end) this.#tell(gap, 'it shares bars with a gap before it');
    this.#end = Math.max(this.#end, toOpenTime);
    if (gap.isFilled === 1) return 'nothing';
    this.end();
    this.#open = gap;
    const [from, to] = [grid.from(fromOpenTime), grid.at(toOpenTime)];
    // Beyond what a calendar can say there are no months.
    if (Number.isNaN(from) || Number.isNaN(to)) return 'nothing';
    return { from, to, gap: { fromOpenTime, toOpenTime, reason, detectedAt } };
  }

  /** A bar is stored. */
  store(openTime: number): void {
    if (this.#open !== undefined && openTime <= this.#open.toOpenTime) this.#stored++;
  }

  /** No bar of the gap that was taken last will come any more. */
  end(): void {
    if (this.#open !== undefined && this.#stored > 0)
      this.#tell(this.#open, `${this.#stored} of its bars are stored, and it is not marked as filled`);
    this.#open = undefined;
    this.#stored = 0;
  }

  #pull(): void {
    const { value, done } = this.#gaps.next();
    this.#next = done === true ? undefined : value;
  }

  #tell(gap: StoredGap, found: string): void {
    const { symbol, interval, findings } = this.#context;
    const { fromOpenTime, toOpenTime, reason } = gap;
    findings.add('gap', () => ({
      symbol,
      interval,
      openTime: fromOpenTime,
      toOpenTime,
      found,
      values: { fromOpenTime, toOpenTime, reason },
    }));
  }
}
