import { countBars } from '../../machines/model/interval.ts';
import { type Candle, type Series, sameValues, seriesKey } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { Suspects } from './suspects.ts';

/** Bars that committed so long before have had their time, exchange ms (contract 2). */
const WINDOW_MS = 15 * 60_000;
/** The oldest bar of a series that waits is compared so long after its end, exchange ms: with those behind it. */
const AFTER_MS = 10 * 60_000;
/** Up to so much later, so that a thousand series do not ask at once, exchange ms. */
const SPREAD_MS = 2 * 60_000;
/** A bar may still change for some minutes after its end: nothing is compared before, exchange ms and wall ms. */
const SETTLE_MS = 6 * 60_000;
const SETTLE_WALL_MS = 500;
/** A bar that came twice differently is asked about until REST has it for certain, or it is so old, exchange ms. */
const DISPUTE_MS = 6 * 60_000;
/** A series whose answer was no use is asked again after this, exchange ms. */
const AGAIN_MS = 2 * 60_000;
/** What could not be compared for so long is left, exchange ms in which somebody looked. */
const GIVE_UP_MS = 30 * 60_000;
/** Between two looks more than this has not been waited, but slept, exchange ms and wall ms. */
const LOOK_MS = 60_000;
const LOOK_WALL_MS = 1_000;
/** However fast exchange time runs, REST answers in wall time: window and patience are at least so long, wall ms. */
const WINDOW_WALL_MS = 10_000;
const GIVE_UP_WALL_MS = 30_000;
/** Bars of one question: below the row count at which a request weighs more than 2. */
const ROWS_MAX = 499;
/** Bars of one series that wait. */
const WAITING_MAX = 1_000;

/** Stored bars that REST is asked about, ascending, of one series. */
export interface AuditQuestion {
  readonly series: Series;
  readonly bars: readonly Candle[];
  /** How many rows lie between the first and the last, both counted. */
  readonly rows: number;
  /** One bar that came twice with different values: that is asked besides, and replaces nothing. */
  readonly isSuspect: boolean;
  /** What the stream said of that bar besides. */
  readonly claims: readonly Candle[];
}

/** Monotonic ms, and exchange ms. */
export interface Instant {
  readonly now: number;
  readonly exchangeNow: number;
}

export interface AuditCounters {
  /** Bars that REST had as they were held. */
  compared: number;
  /** Bars that REST had otherwise: corrected. */
  revised: number;
  /** Bars that were left, for want of an answer or of the budget for one. */
  uncompared: number;
}

export interface AuditOptions {
  readonly timeScale: number;
  readonly random: () => number;
  /** A committed bar as it is stored, from memory alone; it is asked at each bar that comes twice. */
  readonly held: (series: Series, openTime: number) => Candle | undefined;
  /** The same, from the store if need be. */
  readonly stored: (series: Series, openTime: number) => Candle | undefined;
}

interface Waiting {
  readonly series: Series;
  /** By open time, as they were committed: ascending, but for what a new start adds. */
  readonly bars: Map<number, Candle>;
  /** Since when each waits, in ms that were watched. */
  readonly since: Map<number, number>;
  /** Exchange ms. */
  dueAt: number;
}

/**
 * Which closed bars are still to be compared with REST, and what comes of it. Each once, some minutes after its end,
 * as many at a time as wait; a bar that came twice with different values at once. State only: who asks is
 * `actors/audit-bars.ts`.
 */
export class Audits {
  readonly counters: AuditCounters = { compared: 0, revised: 0, uncompared: 0 };
  readonly #options: AuditOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #suspects = new Suspects();
  /** Corrections that are on their way to the store, by bar. */
  readonly #underWay = new Map<string, Candle>();
  readonly #settleMs: number;
  readonly #giveUpMs: number;
  readonly #lookMs: number;
  /** Exchange ms of the latest look, and for how long there have been looks: a machine that sleeps asks nobody. */
  #lookedAt = Number.NaN;
  #watchedMs = 0;
  /** Bars that ended longer ago than this are not compared any more, exchange ms. */
  readonly windowMs: number;

  constructor(options: AuditOptions) {
    const { timeScale } = options;
    this.#options = options;
    this.#settleMs = Math.max(SETTLE_MS, SETTLE_WALL_MS * timeScale);
    this.#giveUpMs = Math.max(GIVE_UP_MS, GIVE_UP_WALL_MS * timeScale);
    this.#lookMs = Math.max(LOOK_MS, LOOK_WALL_MS * timeScale);
    this.windowMs = Math.max(WINDOW_MS, WINDOW_WALL_MS * timeScale);
  }

  /** Bars that wait to be compared. */
  get waiting(): number {
    let count = 0;
    for (const one of this.#waiting.values()) count += one.bars.size;
    return count;
  }

  /** Rows that are committed. */
  note(rows: readonly Row[], exchangeNow: number): void {
    for (const row of rows) {
      // What the stream closed and a hole kept waiting is old by now, and REST was never asked about it.
      if ('candle' in row) this.#add(row.candle, exchangeNow, row.candle.source === 'stream');
      else if ('revision' in row) this.#landed(row.revision.after);
    }
  }

  /** A stored bar of an earlier run; an archive file is the exchange's last word already. */
  add(bar: Candle, exchangeNow: number): void {
    this.#add(bar, exchangeNow, false);
  }

  #add(bar: Candle, exchangeNow: number, isNew: boolean): void {
    if (bar.source === 'vision' || !(isNew || bar.closeTime > exchangeNow - this.windowMs)) return;
    const key = seriesKey(bar);
    let one = this.#waiting.get(key);
    if (one === undefined) {
      const { symbol, interval } = bar;
      one = {
        series: { symbol, interval },
        bars: new Map(),
        since: new Map(),
        dueAt: this.#dueOf(bar),
      };
      this.#waiting.set(key, one);
    }
    one.bars.set(bar.openTime, bar);
    one.since.set(bar.openTime, this.#watchedMs);
    if (one.bars.size > WAITING_MAX) this.#leave(one, one.bars.keys().next().value!);
  }

  /** A closed bar came for one that is held already. `now` is monotonic ms. */
  secondClose(candle: Candle, now: number): void {
    const held = this.#underWay.get(barKey(candle)) ?? this.#options.held(candle, candle.openTime);
    if (held !== undefined && sameValues(held, candle)) return;
    if (!this.#suspects.add(candle, now)) this.counters.uncompared += 1;
  }

  /** What is to be asked now, the most urgent first; undefined: nothing. */
  next({ exchangeNow, now }: Instant): AuditQuestion | undefined {
    const suspect = this.#suspects.next(now, (candle) => this.#stored(candle));
    if (suspect !== undefined) {
      const { held, claims } = suspect;
      return { series: held, bars: [held], rows: 1, isSuspect: true, claims };
    }
    this.#look(exchangeNow);
    let due: Waiting | undefined;
    for (const [key, one] of this.#waiting) {
      this.#forget(key, one);
      if (one.dueAt > exchangeNow || one.dueAt >= (due?.dueAt ?? Number.POSITIVE_INFINITY)) continue;
      if (this.#settled(one, exchangeNow).length > 0) due = one;
    }
    if (due === undefined) return undefined;
    const { series } = due;
    const settled = this.#settled(due, exchangeNow);
    const first = settled[0]!.openTime;
    const rowsTo = (bar: Candle): number => countBars(series.interval, first, bar.closeTime + 1);
    const bars = settled.filter((bar) => rowsTo(bar) <= ROWS_MAX);
    return { series, bars, rows: rowsTo(bars.at(-1)!), isSuspect: false, claims: [] };
  }

  /** What REST has of the bars of a question, as far as it was final. `offer` takes a row for the store, or not. */
  answered(
    question: AuditQuestion,
    told: readonly Candle[],
    time: Instant,
    offer: (row: Row) => boolean,
  ): void {
    const { exchangeNow } = time;
    const has = new Map(told.map((candle) => [candle.openTime, candle]));
    const one = this.#waiting.get(seriesKey(question.series));
    for (const before of question.bars) {
      const after = has.get(before.openTime);
      if (after === undefined) {
        // Not final there yet, or a copy that lags: two closes that differ are not left to the comparison of later.
        const isNew = before.closeTime > time.exchangeNow - DISPUTE_MS;
        if (question.isSuspect && isNew)
          this.#suspects.again({ held: before, claims: question.claims }, time.now);
        continue;
      }
      const isEqual = sameValues(before, after);
      if (!isEqual && !offer({ revision: { before, after, seenAt: Math.round(exchangeNow) } })) continue;
      if (!isEqual) {
        this.counters.revised += 1;
        this.#underWay.set(barKey(after), after);
        if (question.isSuspect && one?.bars.has(after.openTime)) one.bars.set(after.openTime, after);
      }
      // A suspect may have been asked about before it settled: it is compared with the others all the same.
      if (question.isSuspect) continue;
      if (isEqual) this.counters.compared += 1;
      one?.bars.delete(before.openTime);
      one?.since.delete(before.openTime);
    }
    if (!question.isSuspect) this.#schedule(question, exchangeNow);
  }

  /** A question got no answer; `isFinal`: nor would it the next time. */
  failed(question: AuditQuestion, isFinal: boolean, { now, exchangeNow }: Instant): void {
    if (question.isSuspect) {
      const [bar] = question.bars;
      if (isFinal || bar === undefined) this.counters.uncompared += 1;
      else this.#suspects.again({ held: bar, claims: question.claims }, now);
      return;
    }
    const one = this.#waiting.get(seriesKey(question.series));
    if (isFinal && one !== undefined) for (const bar of question.bars) this.#leave(one, bar.openTime);
    this.#schedule(question, exchangeNow);
  }

  /** When a series is asked about next; what has nothing to be asked about is let go of. */
  #schedule({ series }: AuditQuestion, exchangeNow: number): void {
    const key = seriesKey(series);
    const one = this.#waiting.get(key);
    const [oldest] = one?.bars.values() ?? [];
    if (one === undefined || oldest === undefined) this.#waiting.delete(key);
    else one.dueAt = Math.max(this.#dueOf(oldest), exchangeNow + AGAIN_MS);
  }

  #dueOf = (oldest: Candle): number => oldest.closeTime + AFTER_MS + SPREAD_MS * this.#options.random();

  #settled(one: Waiting, exchangeNow: number): Candle[] {
    return [...one.bars.values()]
      .filter((bar) => bar.closeTime <= exchangeNow - this.#settleMs)
      .sort((a, b) => a.openTime - b.openTime);
  }

  #look(exchangeNow: number): void {
    const step = exchangeNow - this.#lookedAt;
    if (step > 0) this.#watchedMs += Math.min(step, this.#lookMs);
    this.#lookedAt = exchangeNow;
  }

  #forget(key: string, one: Waiting): void {
    for (const openTime of one.bars.keys()) {
      if ((one.since.get(openTime) ?? 0) > this.#watchedMs - this.#giveUpMs) break;
      this.#leave(one, openTime);
    }
    if (one.bars.size === 0) this.#waiting.delete(key);
  }

  #leave(one: Waiting, openTime: number): void {
    one.since.delete(openTime);
    if (one.bars.delete(openTime)) this.counters.uncompared += 1;
  }

  /** A correction is stored. */
  #landed(after: Candle): void {
    const key = barKey(after);
    if (this.#underWay.get(key) === after) this.#underWay.delete(key);
  }

  #stored(candle: Candle): Candle | undefined {
    return this.#underWay.get(barKey(candle)) ?? this.#options.stored(candle, candle.openTime);
  }
}

export const barKey = (candle: Candle): string => `${seriesKey(candle)}@${candle.openTime}`;
