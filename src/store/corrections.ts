import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { barBefore, type Run, splitGap } from '../../machines/model/gaps.ts';
import { type Candle, sameValues } from '../../machines/model/kline.ts';
import type { Fill, Gap, Revision } from '../../machines/model/row.ts';
import {
  DELETE_GAP,
  EXTEND_GAP,
  FIND_REVISION,
  GAP_AT,
  INSERT_GAP,
  INSERT_GAP_PIECE,
  INSERT_REVISION,
  OPEN_GAPS_BETWEEN,
  READ_CANDLE,
  UPDATE_CANDLE,
} from './schema.ts';

type Value = number | string;
type KnownGap = Gap & { readonly filledAt: number | null };

const keyOf = (c: Candle): [string, string, number] => [c.symbol, c.interval, c.openTime];
const valuesOf = (c: Candle): Value[] => [
  c.open,
  c.high,
  c.low,
  c.close,
  c.volume,
  c.closeTime,
  c.quoteVolume,
  c.count,
  c.takerBuyVolume,
  c.takerBuyQuoteVolume,
  c.source,
];

/** Stores a bar unless it is there. */
export const insertCandle = (statement: StatementSync, candle: Candle): void => {
  statement.run(...keyOf(candle), ...valuesOf(candle));
};

/**
 * What changes that was stored before, inside the transaction of the caller: gaps whose bars turned up, and bars
 * that the exchange has corrected. What is done already is not done again.
 */
export class Corrections {
  readonly #insertCandle: StatementSync;
  readonly #openGaps: StatementSync;
  readonly #insertGap: StatementSync;
  readonly #gapAt: StatementSync;
  readonly #extendGap: StatementSync;
  readonly #deleteGap: StatementSync;
  readonly #insertPiece: StatementSync;
  readonly #readCandle: StatementSync;
  readonly #updateCandle: StatementSync;
  readonly #findRevision: StatementSync;
  readonly #insertRevision: StatementSync;

  constructor(database: DatabaseSync, insert: StatementSync) {
    this.#insertCandle = insert;
    this.#openGaps = database.prepare(OPEN_GAPS_BETWEEN);
    this.#insertGap = database.prepare(INSERT_GAP);
    this.#gapAt = database.prepare(GAP_AT);
    this.#extendGap = database.prepare(EXTEND_GAP);
    this.#deleteGap = database.prepare(DELETE_GAP);
    this.#insertPiece = database.prepare(INSERT_GAP_PIECE);
    this.#readCandle = database.prepare(READ_CANDLE);
    this.#updateCandle = database.prepare(UPDATE_CANDLE);
    this.#findRevision = database.prepare(FIND_REVISION);
    this.#insertRevision = database.prepare(INSERT_REVISION);
  }

  /** Names bars that are missing. An outage that goes on is found bar by bar, and is one gap all the same. */
  name(gap: Gap): void {
    const { symbol, interval, fromOpenTime, toOpenTime, reason, detectedAt } = gap;
    const gapAt = (openTime: number) => this.#gapAt.get(symbol, interval, openTime) as KnownGap | undefined;
    // Sent again: it is known, and may have been filled since.
    if (gapAt(fromOpenTime) !== undefined) return;
    const before = gapAt(barBefore(interval, fromOpenTime));
    if (before === undefined || before.filledAt !== null || before.reason !== reason)
      this.#insertGap.run(symbol, interval, fromOpenTime, toOpenTime, reason, detectedAt);
    else this.#extendGap.run(toOpenTime, symbol, interval, before.fromOpenTime);
  }

  /** Stores the bars; of the open gaps that they lie in, what is there now is filled, and the rest stays open. */
  fill({ symbol, interval, candles, filledAt }: Fill): void {
    const [first, last] = [candles[0], candles.at(-1)];
    if (first === undefined || last === undefined) return;
    for (const candle of candles) insertCandle(this.#insertCandle, candle);
    const gaps = this.#openGaps.all(symbol, interval, first.openTime, last.openTime);
    for (const gap of gaps as unknown as Gap[]) {
      const { filled, open } = splitGap(interval, gap, candles);
      if (filled.length === 0) continue;
      this.#deleteGap.run(symbol, interval, gap.fromOpenTime);
      const put = ({ fromOpenTime, toOpenTime }: Run, at: number | null): unknown =>
        this.#insertPiece.run(symbol, interval, fromOpenTime, toOpenTime, gap.reason, gap.detectedAt, at);
      for (const run of open) put(run, null);
      for (const run of filled) {
        // A long gap is filled by the hundred, and ends as the one row that it was.
        const before = this.#gapAt.get(symbol, interval, barBefore(interval, run.fromOpenTime)) as
          | KnownGap
          | undefined;
        const isSame = before?.filledAt !== null && before?.detectedAt === gap.detectedAt;
        if (before !== undefined && isSame && before.reason === gap.reason)
          put({ fromOpenTime: before.fromOpenTime, toOpenTime: run.toOpenTime }, filledAt);
        else put(run, filledAt);
      }
    }
  }

  /** Corrects a stored bar and keeps what it was; nothing when it is so already. */
  revise({ after, seenAt }: Revision): void {
    const [key, text] = [keyOf(after), JSON.stringify(after)];
    // Sent again after a later revision has taken it back, it must not count twice.
    if (this.#findRevision.get(...key, text, seenAt) !== undefined) return;
    const stored = this.#readCandle.get(...key) as unknown as Candle | undefined;
    if (stored === undefined || sameValues(stored, after)) return;
    // What the file had, not what was thought of it.
    this.#insertRevision.run(...key, JSON.stringify({ ...stored }), text, after.source, seenAt);
    this.#updateCandle.run(...valuesOf(after), ...key);
  }
}
