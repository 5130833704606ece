/** Bars of a klines answer, straight from the bytes of its body. */
import { BLOCK_FIELDS, blockOf, type CandleBlock, newColumns } from '../../machines/model/block.ts';
import type { Series } from '../../machines/model/kline.ts';
import { DecimalReader } from './decimal.ts';
import { isTime } from './frame.ts';
import { malformedBody, readKlines } from './rest.ts';
import { LIMITS, REST_PATHS } from './venue.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BLANK = 0x20;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;

const FIELDS = BLOCK_FIELDS.length;
/** Fields that are numbers; all others are decimals in quotes. Source: protocol reference 2.2. */
const PLAIN: readonly boolean[] = BLOCK_FIELDS.map((field) => /Time$|^count$/.test(field));
const ROWS_MAX = LIMITS.klinesRowsMax;
/** Where rows are put while it is not known how many they are: a field of a row at `field * ROWS_MAX + row`. */
const CELLS = new Float64Array(FIELDS * ROWS_MAX);

/**
 * Bars of a klines body, as received: ascending, the open one possibly last and not marked. `body`: its bytes, or what
 * was parsed of them already. Same bars and same errors as by {@link readKlines}.
 * @throws {ExchangeError} `HTTP_MALFORMED`
 */
export function readKlineRows(series: Series, body: unknown): CandleBlock {
  if (!(body instanceof Uint8Array)) return blockOf(series, 'rest', readKlines(series, body));
  return readUsual(series, body) ?? blockOf(series, 'rest', readKlines(series, parsed(body)));
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    throw malformedBody(REST_PATHS.klines, 'the answer is not JSON');
  }
}

/** Rows as the exchange writes them; undefined for any other body, which may be good all the same. */
function readUsual({ symbol, interval }: Series, bytes: Uint8Array): CandleBlock | undefined {
  const decimals = new DecimalReader();
  const limit = bytes.length;
  let at = token(bytes, 0, limit);
  if (bytes[at] !== OPEN) return undefined;
  at = token(bytes, at + 1, limit);
  let rows = 0;
  for (; bytes[at] === OPEN && rows < ROWS_MAX; rows++) {
    at++;
    for (let field = 0, cell = rows; field < FIELDS; field++, cell += ROWS_MAX) {
      at = token(bytes, at, limit);
      let value: number;
      if (PLAIN[field]) {
        value = decimals.read(bytes, at, limit);
        // No JSON: 007 and -00. No time and no count is below zero, so that a minus is for the other reader, too.
        if (!isTime(value) || bytes[at] === MINUS || (bytes[at] === ZERO && decimals.end > at + 1))
          return undefined;
        at = decimals.end;
      } else {
        if (bytes[at] !== QUOTE) return undefined;
        value = decimals.read(bytes, at + 1, limit);
        at = decimals.end;
        if (!Number.isFinite(value) || bytes[at] !== QUOTE) return undefined;
        at++;
      }
      at = token(bytes, at, limit);
      if (bytes[at] !== COMMA) return undefined;
      CELLS[cell] = value;
      at++;
    }
    // The field without a meaning.
    at = token(bytes, at, limit);
    if (bytes[at] !== QUOTE || Number.isNaN(decimals.read(bytes, at + 1, limit))) return undefined;
    at = decimals.end;
    if (bytes[at] !== QUOTE) return undefined;
    at = token(bytes, at + 1, limit);
    if (bytes[at] !== CLOSE) return undefined;
    at = token(bytes, at + 1, limit);
    if (bytes[at] !== COMMA) {
      rows++;
      break;
    }
    at = token(bytes, at + 1, limit);
    if (bytes[at] !== OPEN) return undefined;
  }
  if (bytes[at] !== CLOSE || token(bytes, at + 1, limit) !== limit) return undefined;
  const columns = newColumns(rows);
  for (const [index, field] of BLOCK_FIELDS.entries())
    columns[field].set(CELLS.subarray(index * ROWS_MAX, index * ROWS_MAX + rows));
  return { symbol, interval, source: 'rest', rows, columns };
}

/** Index of the first byte from `at` on that is no blank. */
function token(bytes: Uint8Array, at: number, limit: number): number {
  let next = at;
  for (; next < limit; next++) {
    const byte = bytes[next] as number;
    // Mostly none: one comparison tells.
    if (byte > BLANK || (byte !== BLANK && byte !== LF && byte !== CR && byte !== TAB)) break;
  }
  return next;
}
