/** What a store and its exchange do not agree about: everything counted, the first ones kept. */
import { BLOCK_FIELDS, type BlockField } from '../../../machines/model/block.ts';
import type { Run } from '../../../machines/model/gaps.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { ReplacedFile } from '../archive/archive-client.ts';
import type { HistoryNote } from '../types.ts';

/** One number of one bar. */
export interface Difference extends Series {
  readonly openTime: number;
  readonly field: BlockField;
  readonly stored: number;
  readonly theirs: number;
}

/**
 * Bars that only one side has, or that could not be compared. `here`: stored, and the source has not got them, as it
 * confirmed. `there`: not stored, and the source has them. `unreached`: stored, and the source did not answer, or with
 * what can't be used. `unpublished`: stored, and the archive has no file for their time, or not yet, or the source does not know the symbol.
 */
export type AbsenceKind = 'here' | 'there' | 'unreached' | 'unpublished';

export interface Absence extends Series, Run {
  readonly kind: AbsenceKind;
  readonly bars: number;
}

export interface DifferenceCounts {
  /** Bars that both have. */
  readonly compared: number;
  /** Of these, with a number that differs. */
  readonly different: number;
  /** How often each field differs. */
  readonly fields: Readonly<Record<Exclude<BlockField, 'openTime'>, number>>;
  /** Bars, as {@link AbsenceKind} says. */
  readonly here: number;
  readonly there: number;
  readonly unreached: number;
  readonly unpublished: number;
}

/** Of differences, of absences of each kind, of notes and of replaced files. */
export const DIFFERENCES_LISTED_MAX = 100;

const FIELDS = BLOCK_FIELDS.filter((field) => field !== 'openTime');

const noCounts = (): { -readonly [Name in keyof DifferenceCounts]: DifferenceCounts[Name] } => ({
  compared: 0,
  different: 0,
  fields: Object.fromEntries(FIELDS.map((field) => [field, 0])) as DifferenceCounts['fields'],
  here: 0,
  there: 0,
  unreached: 0,
  unpublished: 0,
});

/** The numbers of a bar by field. */
export type Numbers = (field: BlockField) => number;

export class Differences {
  readonly counts = noCounts();
  readonly listed: Difference[] = [];
  readonly notes: HistoryNote[] = [];
  readonly replaced: ReplacedFile[] = [];
  readonly #absences = new Map<AbsenceKind, Absence[]>();

  /**
   * Whether the two agree, as far as the source has published what is stored. Where nothing at all could be compared, that is
   * not known.
   */
  get isNone(): boolean {
    const { compared, different, here, there, unreached, unpublished } = this.counts;
    const isNothing = compared === 0 && unpublished > 0;
    return !isNothing && different + here + there + unreached + this.replaced.length === 0;
  }

  /** By kind, within a kind as they were found. */
  get absences(): readonly Absence[] {
    return [...this.#absences.values()].flat();
  }

  /** A bar that both have. */
  compare({ symbol, interval }: Series, stored: Numbers, theirs: Numbers): void {
    this.counts.compared++;
    let isSame = true;
    const fields = this.counts.fields as Record<string, number>;
    for (const field of FIELDS) {
      if (stored(field) === theirs(field)) continue;
      isSame = false;
      fields[field] = (fields[field] ?? 0) + 1;
      if (this.listed.length < DIFFERENCES_LISTED_MAX)
        this.listed.push({
          symbol,
          interval,
          openTime: stored('openTime'),
          field,
          stored: stored(field),
          theirs: theirs(field),
        });
    }
    if (!isSame) this.counts.different++;
  }

  /** A bar that is not on both sides. One that follows the last of its kind is one absence with it. */
  miss(kind: AbsenceKind, { symbol, interval }: Series, openTime: number, previous: number): void {
    this.counts[kind]++;
    const all = this.#absences.get(kind) ?? [];
    this.#absences.set(kind, all);
    const last = all.at(-1);
    if (last?.symbol === symbol && last.interval === interval && last.toOpenTime === previous)
      all[all.length - 1] = { ...last, toOpenTime: openTime, bars: last.bars + 1 };
    else if (all.length < DIFFERENCES_LISTED_MAX)
      all.push({ kind, symbol, interval, fromOpenTime: openTime, toOpenTime: openTime, bars: 1 });
  }

  note(notes: readonly HistoryNote[]): void {
    this.notes.push(...notes.slice(0, DIFFERENCES_LISTED_MAX - this.notes.length));
  }

  replace(replaced: ReplacedFile): void {
    if (this.replaced.length < DIFFERENCES_LISTED_MAX) this.replaced.push(replaced);
  }
}
