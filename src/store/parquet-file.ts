/** Candles as Parquet, with the columns of the store. Why these types and encodings: docs/decisions/0009. */
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { BlockField, CandleBlock } from '../../machines/model/block.ts';
import { openPartFile } from './part-file.ts';
import type { Sink, TableFile, TableFileOptions, TableSize } from './table-file.ts';

/** Rows that are held back until they are written as one: some six megabytes. */
const GROUP_ROWS = 65_536;

const TEXTS = ['symbol', 'interval', 'source'] as const;
type TextField = (typeof TEXTS)[number];
type Field = BlockField | TextField;

/** The columns of the contract, section 1, in their order. */
const COLUMNS: readonly (readonly [name: string, field: Field, kind: 'text' | 'whole' | 'real'])[] = [
  ['symbol', 'symbol', 'text'],
  ['interval', 'interval', 'text'],
  ['open_time', 'openTime', 'whole'],
  ['open', 'open', 'real'],
  ['high', 'high', 'real'],
  ['low', 'low', 'real'],
  ['close', 'close', 'real'],
  ['volume', 'volume', 'real'],
  ['close_time', 'closeTime', 'whole'],
  ['quote_volume', 'quoteVolume', 'real'],
  ['count', 'count', 'whole'],
  ['taker_buy_volume', 'takerBuyVolume', 'real'],
  ['taker_buy_quote_volume', 'takerBuyQuoteVolume', 'real'],
  ['source', 'source', 'text'],
];

const TYPE_OF = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  whole: { type: 'INT64' },
  real: { type: 'DOUBLE' },
} as const;

const ENCODING_OF = {
  text: { encoding: 'RLE_DICTIONARY' },
  whole: { encoding: 'DELTA_BINARY_PACKED' },
  // A dictionary where numbers repeat, else as they are.
  real: {},
} as const;

const SCHEMA = [
  { name: 'candles', num_children: COLUMNS.length },
  ...COLUMNS.map(([name, , kind]) => ({ name, repetition_type: 'REQUIRED' as const, ...TYPE_OF[kind] })),
];

/**
 * A Parquet file.
 *
 * @throws {CandlestateError} `FILE_EXISTS` when there is one and it is not to be replaced, `FILE_WRITE`.
 */
export const openParquetFile = async (path: string, options?: TableFileOptions): Promise<TableFile> =>
  new ParquetTable(await openPartFile(path, options));

/** Passes on what the library has written whenever a group is whole, in the same memory each time. */
class SinkWriter extends ByteWriter {
  readonly #sink: Sink;

  constructor(sink: Sink) {
    super(1 << 20);
    this.#sink = sink;
  }

  async flush(): Promise<void> {
    await this.#sink.write(this.getBytes());
    this.index = 0;
  }

  /** The end of the file has been written. */
  override async finish(): Promise<void> {
    await this.flush();
  }
}

/** Rows of one group, column by column. */
class Group {
  rows = 0;
  readonly #texts: Readonly<Record<TextField, string[]>> = { symbol: [], interval: [], source: [] };
  readonly #wholes = new Map<Field, BigInt64Array>();
  readonly #reals = new Map<Field, Float64Array>();

  constructor() {
    for (const [, field, kind] of COLUMNS)
      if (kind === 'whole') this.#wholes.set(field, new BigInt64Array(GROUP_ROWS));
      else if (kind === 'real') this.#reals.set(field, new Float64Array(GROUP_ROWS));
  }

  /** Takes rows of a block from `at` on, as many as there is room for; returns how many. */
  take(block: CandleBlock, at: number): number {
    const count = Math.min(block.rows - at, GROUP_ROWS - this.rows);
    for (const field of TEXTS)
      for (let index = 0; index < count; index++) this.#texts[field].push(block[field]);
    for (const [field, column] of this.#wholes) {
      const values = block.columns[field as BlockField];
      for (let index = 0; index < count; index++)
        column[this.rows + index] = BigInt(values[at + index] as number);
    }
    for (const [field, column] of this.#reals)
      column.set(block.columns[field as BlockField].subarray(at, at + count), this.rows);
    this.rows += count;
    return count;
  }

  get isFull(): boolean {
    return this.rows === GROUP_ROWS;
  }

  columnData() {
    return COLUMNS.map(([name, field, kind]) => {
      const data =
        kind === 'text'
          ? this.#texts[field as TextField]
          : (this.#wholes.get(field) ?? this.#reals.get(field))?.subarray(0, this.rows);
      return { name, data: data ?? [], ...ENCODING_OF[kind] };
    });
  }

  clear(): void {
    this.rows = 0;
    for (const field of TEXTS) this.#texts[field].length = 0;
  }
}

class ParquetTable implements TableFile {
  readonly #sink: Sink;
  readonly #writer: ParquetWriter;
  readonly #group = new Group();
  #rows = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#writer = new ParquetWriter({
      writer: new SinkWriter(sink),
      schema: SCHEMA,
      createdBy: 'candlestate',
    });
  }

  async write(block: CandleBlock): Promise<void> {
    for (let at = 0; at < block.rows; ) {
      at += this.#group.take(block, at);
      if (this.#group.isFull) await this.#flush();
    }
    this.#rows += block.rows;
  }

  async close(): Promise<TableSize> {
    await this.#flush();
    await this.#writer.finish();
    await this.#sink.finish();
    return { rows: this.#rows, bytes: this.#sink.bytes };
  }

  abort(): Promise<void> {
    return this.#sink.discard();
  }

  async #flush(): Promise<void> {
    if (this.#group.rows === 0) return;
    await this.#writer.write({ columnData: this.#group.columnData(), rowGroupSize: GROUP_ROWS });
    this.#group.clear();
  }
}
