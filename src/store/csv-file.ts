/** Candles as CSV, with the columns and the header of the archive's own files. */
import type { CandleBlock } from '../../machines/model/block.ts';
import { openPartFile } from './part-file.ts';
import type { Sink, TableFile, TableFileOptions, TableSize } from './table-file.ts';

/** Source: protocol reference 3.4. */
export const CSV_HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';

/** Rows that are made text before it is looked how much that is. */
const ROWS_PER_LOOK = 256;
/** So much text is written at once, characters. */
const PIECE_LENGTH = 65_536;

/** From here to there a number's own shortest text has no exponent. */
const PLAIN_MIN = 1e-6;
const PLAIN_BELOW = 1e21;

/**
 * A CSV file of one series: which one, its rows don't say.
 *
 * @throws {CandlestateError} `FILE_EXISTS` when there is one and it is not to be replaced, `FILE_WRITE`.
 */
export const openCsvFile = async (path: string, options?: TableFileOptions): Promise<TableFile> =>
  new CsvTable(await openPartFile(path, options));

/** The same to wherever its bytes are to go. */
export const csvTable = (sink: Sink): TableFile => new CsvTable(sink);

class CsvTable implements TableFile {
  readonly #sink: Sink;
  #rows = 0;
  /** What is not written yet. */
  #text = `${CSV_HEADER}\n`;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  async write(block: CandleBlock): Promise<void> {
    for (let from = 0; from < block.rows; from += ROWS_PER_LOOK) {
      const to = Math.min(block.rows, from + ROWS_PER_LOOK);
      this.#text += textOf(block, from, to);
      if (this.#text.length >= PIECE_LENGTH) await this.#flush();
    }
    this.#rows += block.rows;
  }

  async close(): Promise<TableSize> {
    await this.#flush();
    await this.#sink.finish();
    return { rows: this.#rows, bytes: this.#sink.bytes };
  }

  abort(): Promise<void> {
    return this.#sink.discard();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#text, 'latin1');
    this.#text = '';
    if (bytes.byteLength > 0) await this.#sink.write(bytes);
  }
}

function textOf({ columns }: CandleBlock, from: number, to: number): string {
  const { openTime, open, high, low, close, volume } = columns;
  const { closeTime, quoteVolume, count, takerBuyVolume, takerBuyQuoteVolume } = columns;
  let text = '';
  for (let row = from; row < to; row++)
    text +=
      `${plain(openTime[row])},${plain(open[row])},${plain(high[row])},${plain(low[row])},${plain(close[row])},` +
      `${plain(volume[row])},${plain(closeTime[row])},${plain(quoteVolume[row])},${plain(count[row])},` +
      `${plain(takerBuyVolume[row])},${plain(takerBuyQuoteVolume[row])},0\n`;
  return text;
}

/**
 * The shortest decimal text that reads back as the same number, without an exponent: not every reader takes one.
 *
 * @throws {RangeError} for what is no number, or none that is finite.
 */
export function plain(value: number | undefined): string {
  const size = Math.abs(value as number);
  if (size >= PLAIN_MIN && size < PLAIN_BELOW) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (!Number.isFinite(value)) throw new RangeError(`a candle has the number ${value}`);
  const [digits = '', exponent] = size.toExponential().split('e');
  const sign = (value as number) < 0 ? '-' : '';
  const places = Number(exponent);
  const figures = digits.replace('.', '');
  if (places < 0) return `${sign}0.${'0'.repeat(-places - 1)}${figures}`;
  return sign + figures.padEnd(places + 1, '0');
}
