/** One series of a store, bar by bar along the times at which its bars open. */
import type { Interval } from '../../machines/model/interval.ts';
import type { Gap } from '../../machines/model/row.ts';
import { impossibility, type StoredBar, type StoredValues, valuesOf } from './verify.bar.ts';
import type { Finding, FindingKind, Findings } from './verify.findings.ts';
import { GapWalk, type OpenRun } from './verify.gaps.ts';
import { Grid } from './verify.grid.ts';
import type { Mark, Scope, SeriesReader } from './verify.reader.ts';
import { FAULT } from './verify.sql.ts';

/** What was found of a series, in the range that was looked at. */
export interface VerifiedSeries {
  readonly symbol: string;
  /** As it is stored: perhaps none that there is. */
  readonly interval: string;
  readonly bars: number;
  /** Open times of the first and the last bar, ms; null without any. */
  readonly firstOpenTime: number | null;
  readonly lastOpenTime: number | null;
  /** Recorded gaps that are not filled, and how many bars they name. */
  readonly openGaps: number;
  readonly openGapBars: number;
  readonly findings: number;
}

export interface WalkContext {
  readonly reader: SeriesReader;
  readonly scope: Scope;
  readonly findings: Findings;
  /** When the store was last written, by exchange time; NaN when it does not say. */
  readonly exchangeTime: number;
  /** Is given every open gap. */
  onGap(gap: Gap): void;
  /** Is told of every bar. */
  onBar(): void;
}

/**
 * The exchange's time as a store notes it is an estimate. Half of the shortest bar: what is stored of a bar that has not
 * ended is nearly always further from its end.
 */
const ESTIMATE_MS = 30_000;

export class SeriesWalk {
  readonly #series: { readonly symbol: string; readonly interval: Interval };
  readonly #context: WalkContext;
  readonly #grid: Grid;
  readonly #gaps: GapWalk;
  readonly #mark: Mark | undefined;
  /** The next bar that has to be there, or to be named. */
  #due: number | undefined;
  /** Where the last bar in its place ends. */
  #end = Number.NEGATIVE_INFINITY;
  #bars = 0;
  #first: number | null = null;
  #last: number | null = null;
  #openGaps = 0;
  #openGapBars = 0;
  /** How far the open gaps reach. */
  #named: Scope | undefined;

  constructor(series: { readonly symbol: string; readonly interval: Interval }, context: WalkContext) {
    const { reader, scope, findings } = context;
    this.#series = series;
    this.#context = context;
    this.#grid = new Grid(series.interval, series.interval === '3d' ? reader.anchor(series) : undefined);
    this.#gaps = new GapWalk(reader.gaps(series, scope), { ...series, grid: this.#grid, findings });
    this.#mark = reader.mark(series);
  }

  run(): VerifiedSeries {
    const { reader, scope, findings, onBar } = this.#context;
    const before = findings.total;
    const { first, last } = reader.edges(this.#series);
    const whole = this.#wholeFrom();
    // What lies before the range was there, so that the range has to begin with a bar.
    if (Math.min(first ?? whole, whole) < scope.from) this.#due = this.#grid.from(scope.from);
    else if (whole < (first ?? whole)) this.#due = this.#grid.from(whole);
    for (const openTime of reader.stray(this.#series))
      this.#tell('misaligned', () => ({
        found: 'it opens at a time that there is not',
        values: { openTime },
      }));
    for (const bar of reader.bars(this.#series, scope)) {
      this.#look(bar);
      onBar();
    }
    this.#takeGaps(Number.POSITIVE_INFINITY);
    this.#gaps.end();
    if (last !== undefined && last >= scope.to) this.#cover(this.#grid.from(scope.to));
    this.#lookAtMark(last);
    return {
      ...this.#series,
      bars: this.#bars,
      firstOpenTime: this.#first,
      lastOpenTime: this.#last,
      openGaps: this.#openGaps,
      openGapBars: this.#openGapBars,
      findings: findings.total - before,
    };
  }

  /** How far it reaches, by what is stored and by what is named as missing; undefined: there is nothing of it. */
  get reach(): Scope | undefined {
    const spans = this.#named === undefined ? [] : [this.#named];
    if (this.#first !== null && this.#last !== null)
      spans.push({ from: this.#grid.at(this.#first), to: this.#grid.next(this.#grid.at(this.#last)) });
    if (spans.length === 0) return undefined;
    return {
      from: Math.min(...spans.map(({ from }) => from)),
      to: Math.max(...spans.map(({ to }) => to)),
    };
  }

  /** From where on the store says that it has every bar; infinite where it says nothing. */
  #wholeFrom(): number {
    const { openTime = Number.NaN, wholeFrom } = this.#mark ?? {};
    return wholeFrom !== undefined && wholeFrom <= openTime ? wholeFrom : Number.POSITIVE_INFINITY;
  }

  #look(bar: StoredBar): void {
    const { openTime } = bar;
    this.#bars++;
    this.#first ??= openTime;
    this.#last = openTime;
    if (bar.faults & FAULT.values) this.#tellBar('ohlc', bar, impossibility);
    if (bar.faults & FAULT.source)
      this.#tellBar('source', bar, ({ source }) => `it is said to be from ${source}`);
    if (openTime < this.#end)
      this.#tellBar('overlapping', bar, () => 'it opens before the one before it has ended');
    if (!this.#grid.isOn(openTime)) {
      // The bars around it are judged as if it were not there.
      this.#tellBar('misaligned', bar, () => `no bar of ${this.#series.interval} opens there`);
      return;
    }
    const next = this.#grid.next(openTime);
    if (bar.closeTime !== next - 1) this.#tellBar('closeTime', bar, () => `its end is ${next - 1}`);
    const { exchangeTime } = this.#context;
    if (next - 1 > exchangeTime + ESTIMATE_MS)
      this.#tellBar(
        'future',
        bar,
        () => `it had not ended when the store was last written, at ${exchangeTime}`,
      );
    this.#takeGaps(openTime);
    this.#cover(openTime, next);
    this.#gaps.store(openTime);
    this.#end = next;
  }

  /** Takes the gaps that begin up to a time. */
  #takeGaps(openTime: number): void {
    for (let run = this.#gaps.take(openTime); run !== undefined; run = this.#gaps.take(openTime))
      if (run !== 'nothing') this.#takeOpen(run);
  }

  #takeOpen({ from, to, gap }: OpenRun): void {
    const { scope, onGap } = this.#context;
    const first = Math.max(from, this.#grid.from(Math.max(scope.from, from)));
    const next = Math.min(
      this.#grid.next(to),
      scope.to < to ? this.#grid.from(scope.to) : Number.POSITIVE_INFINITY,
    );
    this.#openGaps++;
    this.#openGapBars += this.#grid.count(first, next);
    const { from: since = first, to: until = next } = this.#named ?? {};
    this.#named = { from: Math.min(since, first), to: Math.max(until, next) };
    onGap({ ...this.#series, ...gap });
    this.#cover(first, next);
  }

  /** Everything in [from, next) is stored or named; what was due before that is neither. */
  #cover(from: number, next = from): void {
    const due = this.#due;
    if (due !== undefined && from > due) {
      const found = `neither stored nor named${this.#excuse(due, from)}`;
      const [toOpenTime, bars] = [this.#grid.before(from), this.#grid.count(due, from)];
      this.#tell('hole', () => ({ openTime: due, toOpenTime, bars, found }));
    }
    this.#due = Math.max(due ?? next, next);
  }

  /** Where a hole is none of what has been collected: nobody has asked for its bars, or not yet. */
  #excuse(from: number, to: number): string {
    if (this.#mark === undefined) return '';
    const { openTime, wholeFrom = Number.NEGATIVE_INFINITY } = this.#mark;
    if (from > openTime) return ', behind what has been collected so far';
    return to <= wholeFrom ? ', before what has been collected' : '';
  }

  #lookAtMark(last: number | undefined): void {
    if (this.#mark === undefined) return;
    const { openTime: mark, wholeFrom } = this.#mark;
    const areTimes = this.#grid.isOn(mark) && (wholeFrom === undefined || this.#grid.isOn(wholeFrom));
    const found = !areTimes
      ? 'it is no time at which a bar opens'
      : last === undefined || mark > last
        ? `nothing is stored or named behind ${last ?? 'the beginning'}`
        : wholeFrom !== undefined && wholeFrom > this.#grid.next(mark)
          ? `it is to be whole from ${wholeFrom} on, and that lies behind it`
          : undefined;
    if (found !== undefined) this.#tell('watermark', () => ({ openTime: mark, found }));
  }

  #tellBar(
    kind: FindingKind,
    { openTime }: StoredBar,
    say: (values: StoredValues) => string | undefined,
  ): void {
    this.#tell(kind, () => {
      const values = this.#context.reader.values(this.#series, openTime);
      return { openTime, found: say(values) ?? 'no bar can be so', values: valuesOf(values) };
    });
  }

  #tell(kind: FindingKind, describe: () => Omit<Finding, 'kind' | 'symbol' | 'interval'>): void {
    this.#context.findings.add(kind, () => ({ ...this.#series, ...describe() }));
  }
}
