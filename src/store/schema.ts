/** The store's tables. What users may rely on is in the contract, section 5. */

/** In the file's header, so that a stranger's database is told from ours: "CNDL". */
export const APPLICATION_ID = 0x434e444c;

/** Of the tables below; a store with a higher one was made by a newer version and is refused. */
export const SCHEMA_VERSION = 1;

export const SCHEMA = `
CREATE TABLE candles (
  symbol TEXT NOT NULL,
  interval TEXT NOT NULL,
  open_time INTEGER NOT NULL,
  open REAL NOT NULL,
  high REAL NOT NULL,
  low REAL NOT NULL,
  close REAL NOT NULL,
  volume REAL NOT NULL,
  close_time INTEGER NOT NULL,
  quote_volume REAL NOT NULL,
  count INTEGER NOT NULL,
  taker_buy_volume REAL NOT NULL,
  taker_buy_quote_volume REAL NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('stream', 'rest', 'vision')),
  PRIMARY KEY (symbol, interval, open_time),
  -- SQLite takes infinities as numbers; 9e999 is one.
  CHECK (max(abs(open), abs(high), abs(low), abs(close), abs(volume), abs(quote_volume), abs(taker_buy_volume),
    abs(taker_buy_quote_volume)) < 9e999)
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (
  symbol TEXT NOT NULL,
  interval TEXT NOT NULL,
  from_open_time INTEGER NOT NULL,
  to_open_time INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detected_at INTEGER NOT NULL,
  filled_at INTEGER,
  PRIMARY KEY (symbol, interval, from_open_time)
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (
  symbol TEXT NOT NULL,
  interval TEXT NOT NULL,
  open_time INTEGER NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  source TEXT NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT;

-- Up to where each series has been collected: the last bar stored, or named as missing, without a hole between it and the
-- bar at from_open_time. Before that there may be more, behind a hole.
CREATE TABLE watermarks (
  symbol TEXT NOT NULL,
  interval TEXT NOT NULL,
  open_time INTEGER NOT NULL,
  from_open_time INTEGER,
  PRIMARY KEY (symbol, interval)
) STRICT, WITHOUT ROWID;

-- origin: the network that the candles are from. exchange_time: the latest that was seen, ms.
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

/** For stores that were made before there were revisions in them. */
export const REVISIONS_INDEX =
  'CREATE INDEX IF NOT EXISTS revisions_by_bar ON revisions (symbol, interval, open_time)';

/** Gaps that are told to whoever opens the store, at most. */
const OPEN_GAPS_MAX = 10_000;

export const INSERT_CANDLE = `INSERT INTO candles (symbol, interval, open_time, open, high, low, close, volume,
  close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, source)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

export const INSERT_GAP = `INSERT INTO gaps (symbol, interval, from_open_time, to_open_time, reason, detected_at)
  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

export const INSERT_GAP_PIECE = `INSERT OR REPLACE INTO gaps (symbol, interval, from_open_time, to_open_time, reason, detected_at,
  filled_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;

export const DELETE_GAP = 'DELETE FROM gaps WHERE symbol = ? AND interval = ? AND from_open_time = ?';

const GAP_COLUMNS = `symbol, interval, from_open_time AS fromOpenTime, to_open_time AS toOpenTime, reason,
  detected_at AS detectedAt`;

/** Open ones of a series that end at or behind the first time and begin at or before the second. */
export const OPEN_GAPS_BETWEEN = `SELECT ${GAP_COLUMNS} FROM gaps
  WHERE symbol = ? AND interval = ? AND filled_at IS NULL AND to_open_time >= ? AND from_open_time <= ?`;

/** Whether a store is of the time when every series was whole from its first bar on. */
export const HAS_BEGINNINGS =
  "SELECT count(*) AS n FROM pragma_table_info('watermarks') WHERE name = 'from_open_time'";

export const ADD_BEGINNINGS = 'ALTER TABLE watermarks ADD COLUMN from_open_time INTEGER';

export const LACKS_BEGINNINGS = 'SELECT count(*) AS n FROM watermarks WHERE from_open_time IS NULL';

/** For stores that were made before it was written down, and series that such a version has added since. By keys alone. */
export const SET_BEGINNINGS = `UPDATE watermarks AS w SET from_open_time = min(
  open_time,
  coalesce((SELECT min(open_time) FROM candles c WHERE c.symbol = w.symbol AND c.interval = w.interval), open_time),
  coalesce((SELECT min(from_open_time) FROM gaps g WHERE g.symbol = w.symbol AND g.interval = w.interval), open_time)
  ) WHERE from_open_time IS NULL`;

/** Every series, how far it has been collected, and from where on it is whole. */
export const STORED_SERIES = `SELECT symbol, interval, open_time AS openTime, from_open_time AS wholeFrom
  FROM watermarks`;

export const STORED_ONE = `${STORED_SERIES} WHERE symbol = ? AND interval = ?`;

export const WATERMARKS = 'SELECT symbol, interval, open_time AS openTime FROM watermarks';

/** The gap, filled or open, that a bar lies in. */
export const GAP_AT = `SELECT ${GAP_COLUMNS}, filled_at AS filledAt FROM gaps
  WHERE symbol = ?1 AND interval = ?2 AND from_open_time <= ?3 AND to_open_time >= ?3`;

/** A gap that went on: no bar lies between the one that was known and what is found now. */
export const EXTEND_GAP = `UPDATE gaps SET to_open_time = ?
  WHERE symbol = ? AND interval = ? AND from_open_time = ?`;

/** The newest findings first: should there be too many, those are the likelier ones to be filled. */
export const OPEN_GAPS = `SELECT ${GAP_COLUMNS} FROM gaps WHERE filled_at IS NULL
  ORDER BY detected_at DESC LIMIT ${OPEN_GAPS_MAX}`;

export const UPDATE_CANDLE = `UPDATE candles SET open = ?, high = ?, low = ?, close = ?, volume = ?, close_time = ?,
  quote_volume = ?, count = ?, taker_buy_volume = ?, taker_buy_quote_volume = ?, source = ?
  WHERE symbol = ? AND interval = ? AND open_time = ?`;

export const FIND_REVISION = `SELECT 1 FROM revisions
  WHERE symbol = ? AND interval = ? AND open_time = ? AND after = ? AND seen_at = ?`;

export const INSERT_REVISION = `INSERT INTO revisions (symbol, interval, open_time, before, after, source, seen_at)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;

/** The series is whole between two bars, both inclusive; `?5` is the bar before the first, when it begins anew there. */
export const SET_WATERMARK = `INSERT INTO watermarks (symbol, interval, from_open_time, open_time)
  VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET
  from_open_time = CASE WHEN open_time < ?5 THEN excluded.from_open_time ELSE from_open_time END,
  open_time = max(open_time, excluded.open_time)`;

/** The same, whatever was there. */
export const PUT_WATERMARK = `INSERT OR REPLACE INTO watermarks (symbol, interval, from_open_time, open_time)
  VALUES (?, ?, ?, ?)`;

/** How far a series is collected, taken back: never forward. It is whole from the bar behind that one on, at least. */
export const REWIND = `UPDATE watermarks SET open_time = min(open_time, ?3), from_open_time = min(from_open_time, ?4)
  WHERE symbol = ?1 AND interval = ?2`;

export const SET_META =
  'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value';

/** Bars that open in [from, to), at times that are whole bars from the fifth on. */
export const COUNT_BARS = `SELECT count(*) AS n FROM candles WHERE symbol = ? AND interval = ? AND open_time >= ?
  AND open_time < ? AND (open_time - CAST(? AS INTEGER)) % CAST(? AS INTEGER) = 0`;

export const OPEN_TIMES = `SELECT open_time AS openTime FROM candles WHERE symbol = ? AND interval = ? AND open_time >= ?
  AND open_time < ? ORDER BY open_time`;

export const FIRST_CANDLE = `${OPEN_TIMES} LIMIT 1`;

export const FIRST_GAP = `SELECT from_open_time AS openTime FROM gaps WHERE symbol = ? AND interval = ?
  AND filled_at IS NULL AND to_open_time >= ? AND from_open_time < ? ORDER BY from_open_time LIMIT 1`;

/** Both inclusive. */
export const BARS_BETWEEN = `SELECT open_time AS openTime, close_time AS closeTime FROM candles
  WHERE symbol = ? AND interval = ? AND open_time >= ? AND open_time <= ? ORDER BY open_time`;

/** The next series that there are bars of, behind one: of the same symbol, and of another. */
export const NEXT_INTERVAL = `SELECT symbol, interval FROM candles WHERE symbol = ? AND interval > ?
  ORDER BY symbol, interval LIMIT 1`;

export const NEXT_SYMBOL =
  'SELECT symbol, interval FROM candles WHERE symbol > ? ORDER BY symbol, interval LIMIT 1';

const CANDLE_COLUMNS = `symbol, interval, open_time AS openTime, open, high, low, close, volume,
  close_time AS closeTime, quote_volume AS quoteVolume, count, taker_buy_volume AS takerBuyVolume,
  taker_buy_quote_volume AS takerBuyQuoteVolume, source`;

export const READ_CANDLE = `SELECT ${CANDLE_COLUMNS} FROM candles
  WHERE symbol = ? AND interval = ? AND open_time = ?`;

export const READ_CANDLES = `SELECT ${CANDLE_COLUMNS}
  FROM candles WHERE symbol = ? AND interval = ? AND open_time > ? ORDER BY open_time LIMIT ?`;

/** Bars of a series that open in [from, to): the numbers of a block in its order, then the source. */
export const READ_RANGE = `SELECT open_time, open, high, low, close, volume, close_time, quote_volume, count,
  taker_buy_volume, taker_buy_quote_volume, source FROM candles
  WHERE symbol = ? AND interval = ? AND open_time >= ? AND open_time < ? ORDER BY open_time`;

/** A block of bars: of one series and one source, which come first, then eleven numbers for each bar. */
export const insertBars = (
  rows: number,
): string => `INSERT INTO candles (symbol, interval, source, open_time, open,
  high, low, close, volume, close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume)
  SELECT ?, ?, ?, * FROM (VALUES ${Array(rows).fill('(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').join(', ')})
  WHERE true ON CONFLICT DO NOTHING`;

/** Bars that open in [from, to), ascending. */
export const READ_BARS = `SELECT ${CANDLE_COLUMNS}
  FROM candles WHERE symbol = ? AND interval = ? AND open_time >= ? AND open_time < ? ORDER BY open_time LIMIT ?`;
