/** The questions that a store is asked when it is verified. */

/** What a double holds exactly; times beyond are none, and could not be read as numbers. */
export const SAFE = Number.MAX_SAFE_INTEGER;

/** What a bar has wrong by itself, added up. */
export const FAULT = { values: 1, source: 2 } as const;

/** Rows that are read at a time: larger pages are not faster (2.6 million rows in 1.5 s, 2 cores, Node 24). */
export const PAGE_ROWS = 2_000;

/**
 * True for what `impossibility` of verify.bar.ts finds nothing wrong with, and for nothing else: what is no number is greater
 * than every number, and what is null is not true. Here, because reading every number of every bar takes four times as long.
 */
const IS_PLAUSIBLE = `(low >= 0 AND high < 9e999 AND open BETWEEN low AND high AND close BETWEEN low AND high
  AND taker_buy_volume BETWEEN 0 AND volume AND volume < 9e999
  AND taker_buy_quote_volume BETWEEN 0 AND quote_volume AND quote_volume < 9e999
  AND count BETWEEN 0 AND ${SAFE}) IS TRUE`;
const IS_SOURCE = "(source IN ('stream', 'rest', 'vision')) IS TRUE";

/** Bars that open behind the first time and before the second. A time too large for a number would end the reading. */
export const BARS = `SELECT open_time AS openTime, CAST(close_time AS REAL) AS closeTime,
  (NOT ${IS_PLAUSIBLE}) * ${FAULT.values} + (NOT ${IS_SOURCE}) * ${FAULT.source} AS faults
  FROM candles WHERE symbol = ? AND interval = ? AND open_time > ? AND open_time < ?
  ORDER BY open_time LIMIT ${PAGE_ROWS}`;

export const BAR = `SELECT open, high, low, close, volume, CAST(close_time AS REAL) AS closeTime,
  quote_volume AS quoteVolume, CAST(count AS REAL) AS count, taker_buy_volume AS takerBuyVolume,
  taker_buy_quote_volume AS takerBuyQuoteVolume, source
  FROM candles WHERE symbol = ? AND interval = ? AND open_time = ?`;

/** Bars whose open time is no time at all. */
export const STRAY_BARS = `SELECT CAST(open_time AS TEXT) AS openTime FROM candles
  WHERE symbol = ?1 AND interval = ?2 AND (open_time < -${SAFE} OR open_time > ${SAFE})`;

/** Where a series begins and ends, by keys alone. */
export const FIRST_BAR = `SELECT min(open_time) AS openTime FROM candles
  WHERE symbol = ? AND interval = ? AND open_time BETWEEN -${SAFE} AND ${SAFE}`;
export const LAST_BAR = FIRST_BAR.replace('min(', 'max(');
export const COUNT_BARS = 'SELECT count(*) AS bars FROM candles WHERE symbol = ? AND interval = ?';

/** The day from which most bars of a series count their three. */
export const THREE_DAYS_FROM = `SELECT min(open_time) AS openTime FROM candles
  WHERE symbol = ? AND interval = ? AND open_time % 86400000 = 0 AND open_time BETWEEN -${SAFE} AND ${SAFE}
  GROUP BY open_time % 259200000 ORDER BY count(*) DESC LIMIT 1`;

/** Gaps that touch [?3, ?4), also those that end before they begin. */
export const GAPS = `SELECT CAST(from_open_time AS REAL) AS fromOpenTime, CAST(to_open_time AS REAL) AS toOpenTime,
  reason, CAST(detected_at AS REAL) AS detectedAt, filled_at IS NOT NULL AS isFilled FROM gaps
  WHERE symbol = ?1 AND interval = ?2 AND max(from_open_time, to_open_time) >= ?3
    AND min(from_open_time, to_open_time) < ?4
  ORDER BY from_open_time`;

/** How far the gaps of a series reach. */
export const GAP_BOUNDS = `SELECT
  CAST(min(from_open_time) FILTER (WHERE filled_at IS NULL) AS REAL) AS firstOpen,
  CAST(max(to_open_time) FILTER (WHERE filled_at IS NULL) AS REAL) AS lastOpen
  FROM gaps WHERE symbol = ? AND interval = ? AND from_open_time <= to_open_time`;

/** How far a series is collected, and, but for a store of an older version, from where on it is whole. */
export const WATERMARK = 'SELECT * FROM watermarks WHERE symbol = ? AND interval = ?';

/** The first series behind another, in each table: by search, for a table has millions of rows and few series. */
export const NEXT_NAME = `SELECT symbol, interval FROM (
  ${['candles', 'gaps', 'watermarks']
    .map(
      (table) => `SELECT * FROM (SELECT symbol, interval FROM ${table}
    WHERE (symbol, interval) > (?1, ?2) ORDER BY symbol, interval LIMIT 1)`,
    )
    .join(' UNION ')}
  ) ORDER BY symbol, interval LIMIT 1`;

export const META = "SELECT key, value FROM meta WHERE key IN ('origin', 'exchange_time')";
