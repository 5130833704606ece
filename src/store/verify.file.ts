/** All that is wrong with a store: synchronous, and for a large file long. Runs in a process of its own. */
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { isInterval } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
import { isDamage, textOf } from './check.file.ts';
import { asStoreError, inspectFile, openToLook, stampOf } from './identity.ts';
import { type Finding, type FindingCounts, Findings, LISTED_MAX } from './verify.findings.ts';
import { type Scope, SeriesReader, type StoredName } from './verify.reader.ts';
import { META } from './verify.sql.ts';
import { SeriesWalk, type VerifiedSeries } from './verify.walk.ts';

/** What of a store is to be looked at. The file itself always is. */
export interface VerifyQuestion {
  readonly path: string;
  /** Default: every one. */
  readonly symbol?: string | undefined;
  readonly interval?: string | undefined;
  /** Bars that open in [from, to), ms. Default: all. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** What was found. */
export interface StoreFindings {
  readonly path: string;
  /** The network that its candles are from; null when the file is too damaged to say. */
  readonly origin: string | null;
  readonly series: readonly VerifiedSeries[];
  /** The first of each kind. */
  readonly findings: readonly Finding[];
  /** All of each kind. SQLite names no more than {@link LISTED_MAX} faults of `integrity`. */
  readonly counts: FindingCounts;
  /** How far each series reaches in the range that was looked at, bars and open gaps together. */
  readonly reaches: readonly (Series & Scope)[];
  /** Open gaps, the first ones. How many there are is said for each series. */
  readonly gaps: readonly Gap[];
}

/** How far it is. */
export interface VerifyProgress {
  /** What is looked at now; undefined: the pages of the file. */
  readonly series: StoredName | undefined;
  /** Series and bars that have been looked at. */
  readonly seriesDone: number;
  readonly bars: number;
}

/** What the process says. */
export type VerifyAnswer =
  | { readonly progress: VerifyProgress }
  | { readonly findings: StoreFindings }
  /** It is no store, or can't be read. */
  | { readonly refused: { readonly message: string; readonly code: string } };

/** Open gaps that are listed. */
export const GAPS_LISTED_MAX = 1_000;
/** Between two words of how far it is, bars. */
const PROGRESS_BARS = 50_000;
/** How often a file that another program begins to change meanwhile is looked at. */
const TRIES_MAX = 3;

/** Nothing is created or changed, except that SQLite makes the index of a log that was copied without it. */
export function verifyFile(question: VerifyQuestion, tell: (answer: VerifyAnswer) => void): void {
  try {
    for (let tries = 1; ; tries++) {
      const before = stampOf(question.path);
      // With a log beside it, it is read as it was at one moment, whatever others do to it.
      const isTakenAsStill = !existsSync(`${question.path}-wal`);
      const findings = lookThrough(question, tell);
      if (isTakenAsStill && stampOf(question.path) !== before && tries < TRIES_MAX) continue;
      tell({ findings });
      return;
    }
  } catch (error) {
    const { message, code } = asStoreError(error, question.path);
    tell({ refused: { message, code } });
  }
}

/** @throws {StoreError} for what is no store; SQLite's errors, but for damage, which is a finding. */
function lookThrough(question: VerifyQuestion, tell: (answer: VerifyAnswer) => void): StoreFindings {
  assertOurs(question.path);
  const database = openToLook(question.path);
  try {
    return new Look(database, question, (progress) => tell({ progress })).run();
  } finally {
    database.close();
  }
}

function assertOurs(path: string): void {
  try {
    if (inspectFile(path).exists) return;
  } catch (error) {
    if (isDamage(error)) return;
    throw error;
  }
  throw asStoreError(new Error(existsSync(path) ? 'it is empty' : 'it does not exist'), path);
}

class Look {
  readonly #database: DatabaseSync;
  readonly #question: VerifyQuestion;
  readonly #tell: (progress: VerifyProgress) => void;
  readonly #findings = new Findings();
  readonly #series: VerifiedSeries[] = [];
  readonly #reaches: (Series & Scope)[] = [];
  readonly #gaps: Gap[] = [];
  readonly #meta = new Map<string, string>();
  #bars = 0;

  constructor(database: DatabaseSync, question: VerifyQuestion, tell: (progress: VerifyProgress) => void) {
    this.#database = database;
    this.#question = question;
    this.#tell = tell;
  }

  run(): StoreFindings {
    // One picture for all questions, while another program may go on writing.
    this.#database.exec('BEGIN');
    this.#unlessDamaged({}, () => this.#readMeta());
    this.#unlessDamaged({}, () => this.#lookAtSeries());
    this.#say(undefined);
    this.#unlessDamaged({}, () => this.#lookAtPages());
    return {
      path: this.#question.path,
      origin: this.#meta.get('origin') ?? null,
      series: this.#series,
      findings: this.#findings.listed,
      counts: this.#findings.counts,
      reaches: this.#reaches,
      gaps: this.#gaps,
    };
  }

  #readMeta(): void {
    for (const { key, value } of this.#database.prepare(META).all())
      this.#meta.set(String(key), String(value));
  }

  #lookAtSeries(): void {
    const reader = new SeriesReader(this.#database);
    const { symbol, interval } = this.#question;
    for (const name of reader.names()) {
      if (symbol !== undefined && name.symbol !== symbol) continue;
      if (interval !== undefined && name.interval !== interval) continue;
      this.#say(name);
      this.#unlessDamaged(name, () => this.#series.push(this.#walk(reader, name)));
    }
  }

  #walk(reader: SeriesReader, name: StoredName): VerifiedSeries {
    const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = this.#question;
    const scope: Scope = { from, to };
    const { symbol, interval } = name;
    if (!isInterval(interval)) return this.#count(reader, name);
    const walk = new SeriesWalk(
      { symbol, interval },
      {
        reader,
        scope,
        findings: this.#findings,
        exchangeTime: Number(this.#meta.get('exchange_time') ?? Number.NaN),
        onGap: (gap) => {
          if (this.#gaps.length < GAPS_LISTED_MAX) this.#gaps.push(gap);
        },
        onBar: () => {
          if (++this.#bars % PROGRESS_BARS === 0) this.#say(name);
        },
      },
    );
    const series = walk.run();
    const { reach } = walk;
    if (reach !== undefined) this.#reaches.push({ symbol, interval, ...reach });
    return series;
  }

  /** Of an interval that there is not. */
  #count(reader: SeriesReader, name: StoredName): VerifiedSeries {
    const bars = reader.count(name);
    const found = 'there is no such interval; its rows were not looked at';
    this.#findings.add('unknownInterval', () => ({ ...name, bars, found }));
    return {
      ...name,
      bars,
      firstOpenTime: null,
      lastOpenTime: null,
      openGaps: 0,
      openGapBars: 0,
      findings: 1,
    };
  }

  #lookAtPages(): void {
    for (const row of this.#database.prepare(`PRAGMA integrity_check(${LISTED_MAX})`).all()) {
      const found = String(Object.values(row)[0]);
      if (found !== 'ok') this.#findings.add('integrity', () => ({ found }));
    }
  }

  /** Damage is a finding, and what else can be read is read. */
  #unlessDamaged(name: Partial<StoredName>, look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!isDamage(error)) throw error;
      const found = `it can't be read to its end: ${textOf(error)}`;
      this.#findings.add('integrity', () => ({ ...name, found }));
    }
  }

  #say(series: StoredName | undefined): void {
    this.#tell({ series, seriesDone: this.#series.length, bars: this.#bars });
  }
}
