/** I1, I2 and I3 of what is delivered, bar by bar as it comes: once, in order, committed, and as the exchange has it. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isAligned, nextOpenTime, previousOpenTime } from '../../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../../machines/model/kline.ts';
import type { GapNotice } from '../../../src/index.ts';
import type { Truth } from '../../../src/simulator/index.ts';
import { difference } from '../../oracle/content.ts';
import { barKey, barName } from '../../oracle/evidence.ts';
import type { Violations } from './violations.ts';
import type { Untruths } from './wire.ts';

export interface BarPorts {
  readonly violations: Violations;
  readonly truth: Truth;
  readonly untruths: Untruths;
  /** Exchange time. */
  readonly now: () => number;
  /** The store, once it is there. */
  readonly database: () => DatabaseSync | undefined;
}

const ONE = `SELECT symbol, interval, open_time AS openTime, open, high, low, close, volume, close_time AS closeTime,
  quote_volume AS quoteVolume, count, taker_buy_volume AS takerBuyVolume,
  taker_buy_quote_volume AS takerBuyQuoteVolume, source
  FROM candles WHERE symbol = ? AND interval = ? AND open_time = ?`;
const LAST_CANDLES = 'SELECT symbol, interval, MAX(open_time) AS at FROM candles GROUP BY symbol, interval';
const LAST = `SELECT symbol, interval, MAX(at) AS at FROM (
  ${LAST_CANDLES}
  UNION ALL SELECT symbol, interval, MAX(to_open_time) AS at FROM gaps GROUP BY symbol, interval
) GROUP BY symbol, interval`;

/** What the listeners of one run of one process are told. */
export class ToldBars {
  /** Open times that were told as candles, by series. */
  readonly candles = new Map<string, number[]>();
  readonly #ports: BarPorts;
  /** Of each series the last bar that is behind us: told, or stored before this run. */
  readonly #last = new Map<string, number>();
  readonly #announced = new Set<string>();
  readonly #stored: StoredBars;
  bars = 0;
  gaps = 0;
  revisions = 0;

  constructor(ports: BarPorts) {
    this.#ports = ports;
    this.#stored = new StoredBars(ports.database);
    for (const { symbol, interval, at } of this.#stored.last())
      this.#last.set(seriesKey({ symbol, interval }), at);
  }

  candle(candle: Candle): void {
    const { violations, truth, untruths, now } = this.#ports;
    const key = seriesKey(candle);
    const last = this.#last.get(key);
    const { openTime, interval } = candle;
    this.bars += 1;
    const told = this.candles.get(key);
    if (told === undefined) this.candles.set(key, [openTime]);
    else told.push(openTime);
    if (last === openTime) violations.add('I1', 'delivered twice, or again after a restart', barName(candle));
    else if (last !== undefined && openTime < last) violations.add('I2', 'out of order', barName(candle));
    if (last !== undefined) this.#skips(candle, last, 'skipped without a gap');
    this.#last.set(key, Math.max(openTime, last ?? openTime));
    if (this.#announced.has(barKey(candle)))
      violations.add('I2', 'delivered behind its gap', barName(candle));
    if (!isAligned(interval, openTime) || nextOpenTime(interval, openTime) > now())
      violations.add('I1', 'delivered a bar that is not over', barName(candle));
    const stored = this.#stored.find(candle, openTime);
    if (stored === undefined) violations.add('I1', 'delivered before it was committed', barName(candle));
    else if (difference(candle, stored) !== undefined && !this.#stored.wasRevised(candle))
      violations.add(
        'I3',
        'delivered otherwise than committed',
        `${barName(candle)}: ${difference(candle, stored)}`,
      );
    const wanted = truth.candle(candle.symbol, interval, openTime);
    const differs = wanted === undefined ? 'the exchange has no such bar' : difference(candle, wanted);
    if (differs !== undefined && !untruths.has(candle))
      violations.add('I3', 'delivered what the exchange never said', `${barName(candle)}: ${differs}`);
  }

  /** What an iterator gives out behind the bar that it gave out `before`. */
  read(candle: Candle, before: number | undefined): void {
    const { violations } = this.#ports;
    if (before !== undefined) this.#skips(candle, before, 'an iterator skipped without a gap');
    const stored = this.#stored.find(candle, candle.openTime);
    const differs = stored === undefined ? 'it is not stored' : difference(candle, stored);
    if (differs !== undefined && !this.#stored.wasRevised(candle))
      violations.add('I3', 'an iterator gives out otherwise than stored', `${barName(candle)}: ${differs}`);
  }

  /** A bar that is stored behind whatever was told, and was told neither as a candle nor as a gap that was filled since. */
  untold(): string | undefined {
    for (const { at, ...series } of this.#stored.lastCandles()) {
      const last = this.#last.get(seriesKey(series)) ?? Number.NEGATIVE_INFINITY;
      for (let openTime = at; openTime > last; openTime = previousOpenTime(series.interval, openTime)) {
        if (this.#announced.has(barKey({ ...series, openTime }))) continue;
        if (this.#stored.find(series, openTime) !== undefined) return barName({ ...series, openTime });
        break;
      }
    }
    return undefined;
  }

  gap(gap: GapNotice): void {
    const { violations } = this.#ports;
    if (gap.reason.trim() === '') violations.add('I9', 'gap without a reason', seriesKey(gap));
    if (gap.status !== 'open') return;
    this.gaps += 1;
    for (let open = gap.fromOpenTime; open <= gap.toOpenTime; open = nextOpenTime(gap.interval, open)) {
      this.#announced.add(barKey({ ...gap, openTime: open }));
      if (this.#stored.find(gap, open) !== undefined)
        violations.add('I9', 'a gap over a bar that is stored', barName({ ...gap, openTime: open }));
    }
  }

  revision({ before, after }: { readonly before: Candle; readonly after: Candle }): void {
    const { violations, truth, untruths } = this.#ports;
    this.revisions += 1;
    if (barKey(before) !== barKey(after) || difference(before, after) === undefined)
      violations.add('I3', 'a revision that changes nothing', barName(after));
    const wanted = truth.candle(after.symbol, after.interval, after.openTime);
    const differs = wanted === undefined ? 'the exchange has no such bar' : difference(after, wanted);
    if (differs !== undefined && !untruths.has(after))
      violations.add('I3', 'revised to what the exchange never said', `${barName(after)}: ${differs}`);
  }

  /** Whether a gap says that it is lacking, in this run or before it. */
  isNamed(series: Series, openTime: number): boolean {
    return this.#announced.has(barKey({ ...series, openTime })) || this.#stored.isGap(series, openTime);
  }

  /** Whatever lies between two bars was announced as a gap, in this run or before it. */
  #skips(candle: Candle, last: number, name: string): void {
    const { interval, openTime } = candle;
    for (let open = nextOpenTime(interval, last); open < openTime; open = nextOpenTime(interval, open)) {
      const bar = { ...candle, openTime: open };
      if (this.isNamed(candle, open)) continue;
      this.#ports.violations.add('I2', name, `${barName(bar)}, before ${barName(candle)}`);
      return;
    }
  }
}

const REVISIONS = `SELECT before FROM revisions WHERE symbol = ? AND interval = ? AND open_time = ?`;
const GAP = `SELECT 1 FROM gaps WHERE symbol = ? AND interval = ? AND from_open_time <= ? AND to_open_time >= ?`;

/** A look into the store, also when it is another one after a loss of power. */
class StoredBars {
  readonly #database: () => DatabaseSync | undefined;
  #of: DatabaseSync | undefined;
  #one: StatementSync | undefined;
  #gap: StatementSync | undefined;
  #revisions: StatementSync | undefined;

  constructor(database: () => DatabaseSync | undefined) {
    this.#database = database;
  }

  find({ symbol, interval }: Series, openTime: number): Candle | undefined {
    this.#prepare();
    return this.#one?.get(symbol, interval, openTime) as Candle | undefined;
  }

  /** Whether a revision says that it was stored so: both may have been committed at once. */
  wasRevised(candle: Candle): boolean {
    this.#prepare();
    const rows = this.#revisions?.all(candle.symbol, candle.interval, candle.openTime) ?? [];
    return rows.some(({ before }) => difference(JSON.parse(String(before)) as Candle, candle) === undefined);
  }

  isGap({ symbol, interval }: Series, openTime: number): boolean {
    this.#prepare();
    return this.#gap?.get(symbol, interval, openTime, openTime) !== undefined;
  }

  /** Of each series the last bar that is stored, or named as lacking. */
  last(): (Series & { readonly at: number })[] {
    const database = this.#prepare();
    return (database?.prepare(LAST).all() ?? []) as unknown as (Series & { readonly at: number })[];
  }

  /** Of each series the last bar that is stored. */
  lastCandles(): (Series & { readonly at: number })[] {
    const database = this.#prepare();
    return (database?.prepare(LAST_CANDLES).all() ?? []) as unknown as (Series & { readonly at: number })[];
  }

  #prepare(): DatabaseSync | undefined {
    const database = this.#database();
    if (database === this.#of || database === undefined) return database;
    // A store that is being made has no tables yet.
    const made = database.prepare(`SELECT count(*) AS tables FROM sqlite_master WHERE name = 'gaps'`).get();
    if (made?.['tables'] === 0) return undefined;
    this.#of = database;
    this.#one = database.prepare(ONE);
    this.#gap = database.prepare(GAP);
    this.#revisions = database.prepare(REVISIONS);
    return database;
  }
}
