/**
 * Klines of an archive's CSV file, from its bytes as they come. What it is like is told by its content, not by its date:
 * with a header line or none, in ms or µs, `4.0000` or `4`. Source: protocol reference 3.4.
 */
import { BLOCK_FIELDS, type CandleBlock, type Columns, newColumns } from '../../machines/model/block.ts';
import type { Series } from '../../machines/model/kline.ts';
import { ArchiveError } from '../errors.ts';
import { ARCHIVE_COLUMNS, describeLine, LINE_BYTES_MAX } from './csv-line.ts';
import { DecimalReader } from './decimal.ts';
import { isTime } from './frame.ts';

/** What a file held. */
export interface CsvRows {
  /** In the order of the file, whatever that is. */
  readonly block: CandleBlock;
  /** Unit of the times in the file; those of the block are ms. */
  readonly unit: 'ms' | 'us';
  /** Whether a header line was there. */
  readonly header: boolean;
  /** What was unusual and did no harm, as `a byte order mark`. */
  readonly oddities: readonly string[];
}

const LF = 0x0a;
const CR = 0x0d;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const MARK = [0xef, 0xbb, 0xbf] as const;

const FIELDS = BLOCK_FIELDS.length;
const CLOSE_TIME = BLOCK_FIELDS.indexOf('closeTime');
const COUNT = BLOCK_FIELDS.indexOf('count');

/** A time above this is in µs: as ms it would be the year 2286. */
const MS_MAX = 1e13;
/** Rows for which there is room from the start: a month of minutes and more. */
const ROWS_AT_FIRST = 65_536;
/** No row. */
const NONE = -1;

/**
 * Takes the bytes of one file in any pieces, and gives its rows. Holds the rows, and of the bytes no more than a line.
 * @throws {ArchiveError} `ARCHIVE_CSV` with the line where it is no such file, `ARCHIVE_TOO_LARGE` for more rows than
 * `rowsMax`; from then on it is of no use.
 */
export class CsvReader {
  readonly #series: Series;
  readonly #rowsMax: number;
  readonly #decimals = new DecimalReader();
  /** The beginning of a line whose end has not come yet. */
  readonly #carry = new Uint8Array(LINE_BYTES_MAX + 1);
  #carried = 0;
  #columns: Columns;
  /** The same memory: a field of a row lies at `field * capacity + row`. */
  #cells: Float64Array;
  #capacity: number;
  #rows = 0;
  #begun = false;
  #header = false;
  #unit: CsvRows['unit'] = 'ms';
  readonly #oddities = new Set<string>();

  constructor(series: Series, options: { readonly rowsMax: number }) {
    this.#series = series;
    this.#rowsMax = options.rowsMax;
    this.#capacity = Math.min(options.rowsMax, ROWS_AT_FIRST);
    this.#columns = newColumns(this.#capacity);
    this.#cells = new Float64Array(this.#columns.openTime.buffer);
  }

  /** The next bytes of the file; they are not kept. */
  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.#carried > 0) {
      const first = chunk.indexOf(LF);
      this.#keep(chunk, 0, first + 1 || chunk.length);
      if (first < 0) return;
      at = first + 1;
      this.#readCarried();
    }
    const behind = chunk.lastIndexOf(LF) + 1;
    if (behind > at) this.#readLines(chunk, at, behind);
    this.#keep(chunk, Math.max(at, behind), chunk.length);
  }

  /** That was all of it. */
  end(): CsvRows {
    if (this.#carried > 0) {
      this.#oddities.add('no newline at the end');
      this.#carry[this.#carried++] = LF;
      this.#readCarried();
    }
    if (this.#rows === 0)
      throw new ArchiveError(this.#header ? 'the file ends behind its header' : 'the file is empty', {
        code: 'ARCHIVE_CSV',
      });
    const { symbol, interval } = this.#series;
    return {
      block: { symbol, interval, source: 'vision', rows: this.#rows, columns: this.#columns },
      unit: this.#unit,
      header: this.#header,
      oddities: [...this.#oddities],
    };
  }

  /** Keeps a piece of a line; where that can be none, it is not kept. */
  #keep(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.#carried + length > LINE_BYTES_MAX) {
      const room = LINE_BYTES_MAX - this.#carried;
      this.#carry.set(bytes.subarray(from, from + room), this.#carried);
      throw this.#wrong(this.#carry, 0, LINE_BYTES_MAX);
    }
    this.#carry.set(bytes.subarray(from, to), this.#carried);
    this.#carried += length;
  }

  #readCarried(): void {
    const length = this.#carried;
    this.#carried = 0;
    this.#readLines(this.#carry, 0, length);
  }

  /** Whole lines: the last byte is the end of one. */
  #readLines(bytes: Uint8Array, from: number, to: number): void {
    let at = this.#begun ? from : this.#readHeader(bytes, from);
    while (at < to) {
      if (this.#rows === this.#capacity) this.#grow();
      const behind = this.#readRow(bytes, at, to);
      if (behind === NONE) throw this.#wrong(bytes, at, to);
      at = behind;
      this.#rows++;
    }
  }

  /** Where the rows begin. */
  #readHeader(bytes: Uint8Array, from: number): number {
    this.#begun = true;
    const end = bytes.indexOf(LF, from);
    // Told here, for what is in front of the names or behind them would not count otherwise.
    if (end - from >= LINE_BYTES_MAX) throw this.#wrong(bytes, from, end + 1);
    let at = from;
    if (MARK.every((byte, index) => bytes[from + index] === byte)) {
      this.#oddities.add('a byte order mark');
      at += MARK.length;
    }
    const first = bytes[at] as number;
    if (first >= ZERO && first <= NINE) return at;
    const line = Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at);
    // The names say which column is which: with others the numbers would mean something else.
    if (line.toString('latin1').trimEnd().toLowerCase() !== ARCHIVE_COLUMNS.join())
      throw this.#wrong(bytes, at, end + 1);
    this.#header = true;
    return end + 1;
  }

  /** Reads the row that begins at `start` into its place, and says where the next one begins. */
  #readRow(bytes: Uint8Array, start: number, limit: number): number {
    const decimals = this.#decimals;
    const cells = this.#cells;
    const capacity = this.#capacity;
    const row = this.#rows;
    let at = start;
    for (let field = 0, cell = row; field < FIELDS; field++, cell += capacity) {
      const value = decimals.read(bytes, at, limit);
      at = decimals.end;
      if (!Number.isFinite(value) || bytes[at] !== COMMA) return NONE;
      cells[cell] = value;
      at++;
    }
    // The column without a meaning.
    if (Number.isNaN(decimals.read(bytes, at, limit))) return NONE;
    at = decimals.end;
    if (bytes[at] === CR) {
      if (row === 0) this.#oddities.add('CRLF');
      at++;
    }
    if (bytes[at] !== LF || at - start >= LINE_BYTES_MAX) return NONE;
    return this.#hasTimes(row) ? at + 1 : NONE;
  }

  /** Checks times and count of a row, and turns µs to ms. */
  #hasTimes(row: number): boolean {
    const cells = this.#cells;
    const closeCell = row + CLOSE_TIME * this.#capacity;
    const openTime = cells[row] as number;
    const closeTime = cells[closeCell] as number;
    if (!isTime(openTime) || !isTime(closeTime) || !isTime(cells[row + COUNT * this.#capacity])) return false;
    if (row === 0) this.#unit = openTime > MS_MAX ? 'us' : 'ms';
    const isMicro = this.#unit === 'us';
    if (openTime > MS_MAX !== isMicro || closeTime > MS_MAX !== isMicro) return false;
    if (isMicro) {
      // Not rounded: a bar that opens within a millisecond is off the grid, and is to be seen there.
      cells[row] = openTime / 1_000;
      cells[closeCell] = Math.floor(closeTime / 1_000);
    }
    return true;
  }

  #grow(): void {
    if (this.#rows >= this.#rowsMax)
      throw new ArchiveError(`line ${this.#line}: more than ${this.#rowsMax} rows`, {
        code: 'ARCHIVE_TOO_LARGE',
      });
    const [before, capacity] = [this.#columns, Math.min(this.#rowsMax, this.#capacity * 2)];
    this.#columns = newColumns(capacity);
    for (const field of BLOCK_FIELDS) this.#columns[field].set(before[field]);
    this.#cells = new Float64Array(this.#columns.openTime.buffer);
    this.#capacity = capacity;
  }

  /** The line that is to be read next, from 1 on. */
  get #line(): number {
    return this.#rows + (this.#header ? 2 : 1);
  }

  #wrong(bytes: Uint8Array, start: number, limit: number): ArchiveError {
    const unit = this.#rows === 0 ? undefined : this.#unit;
    const what = describeLine(bytes.subarray(start, limit), unit);
    return new ArchiveError(`line ${this.#line} ${what}`, { code: 'ARCHIVE_CSV' });
  }
}
