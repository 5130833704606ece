/** What a store is found to have wrong: every finding counted, the first ones of each kind kept. */

/**
 * - `hole`: bars between the first and the last one of a series that are neither stored nor named as missing.
 * - `misaligned`: a bar, or a watermark, that opens at a time at which no bar of its interval can.
 * - `overlapping`: a bar that opens before the one before it has ended.
 * - `ohlc`: values that no bar can have.
 * - `source`: it says to be from where no candle can be from.
 * - `closeTime`: not the last millisecond of the bar.
 * - `unknownInterval`: rows of an interval that the exchange has not; they are counted and not looked at.
 * - `gap`: a recorded gap that can't be: its bars are stored, it ends before it begins, or two share a bar.
 * - `future`: a bar that had not ended by the exchange's time when the store was last written.
 * - `watermark`: a series said to be collected further than anything is stored or named, or from a bar behind that.
 * - `integrity`: what SQLite finds wrong with the file.
 */
export const FINDING_KINDS = [
  'hole',
  'misaligned',
  'overlapping',
  'ohlc',
  'source',
  'closeTime',
  'unknownInterval',
  'gap',
  'future',
  'watermark',
  'integrity',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** One thing that is wrong with a store. */
export interface Finding {
  readonly kind: FindingKind;
  /** Undefined when it is about the whole file. */
  readonly symbol?: string;
  readonly interval?: string;
  /** Of the bar that it is about, or of the first of them, ms. */
  readonly openTime?: number;
  /** Of the last of them, inclusive, ms; undefined when it is about one. */
  readonly toOpenTime?: number;
  /** How many bars it is about, where that is not one. */
  readonly bars?: number;
  /** What was found, for people. */
  readonly found: string;
  /** The row as it is stored; numbers that JSON has no word for are text. */
  readonly values?: Readonly<Record<string, number | string | null>>;
}

export type FindingCounts = Readonly<Record<FindingKind, number>>;

/** Kept of each kind. */
export const LISTED_MAX = 20;

export class Findings {
  readonly #listed: Finding[] = [];
  readonly #counts = Object.fromEntries(FINDING_KINDS.map((kind) => [kind, 0])) as Record<
    FindingKind,
    number
  >;

  /** Counts it. What there is to say is asked for only when it is kept. */
  add(kind: FindingKind, describe: () => Omit<Finding, 'kind'>): void {
    const count = ++this.#counts[kind];
    if (count <= LISTED_MAX) this.#listed.push({ kind, ...describe() });
  }

  get total(): number {
    return FINDING_KINDS.reduce((sum, kind) => sum + this.#counts[kind], 0);
  }

  get counts(): FindingCounts {
    return this.#counts;
  }

  /** By kind, within a kind as they were found. */
  get listed(): readonly Finding[] {
    return FINDING_KINDS.flatMap((kind) => this.#listed.filter((finding) => finding.kind === kind));
  }
}
