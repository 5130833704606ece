/** Fuzzing of the archive's CSV reader, against csv-parse and a check of every field. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { BLOCK_FIELDS, type CandleBlock } from '../../machines/model/block.ts';
import { CsvReader } from '../../src/binance/csv.ts';
import { ArchiveError } from '../../src/errors.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';
import { oneOf } from '../support/seeded.ts';
import { mutateBytes, upTo } from './bytes.ts';
import { type BytesPart, type Verdict, Wrong } from './campaign.ts';
import { inventDecimal } from './frames.corpus.ts';
import { nearestDouble } from './nearest.ts';

type Random = () => number;
/** Reads a whole file that comes in pieces of at most so many bytes. */
export type CsvRead = (bytes: Uint8Array, pieceBytes: number) => CandleBlock;

const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';
/** More is refused; and a line with its end may have so many bytes. */
const ROWS_MAX = 200;
const LINE_MAX = 1_024;

export const readCsv: CsvRead = (bytes, pieceBytes) => {
  const reader = new CsvReader(SERIES, { rowsMax: ROWS_MAX });
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return reader.end().block;
};

const isWhole = (value: number): boolean => value >= 0 && value <= Number.MAX_SAFE_INTEGER && value % 1 === 0;
const NOT_MS = 10_000_000_000_000;

/** The rows of a file by an independent reader; undefined when any of it is not as it must be. */
function referenceRows(bytes: Buffer): number[][] | undefined {
  const whole = bytes.toString('latin1');
  const lines = whole.split('\n');
  if (lines.some((line) => line.length >= LINE_MAX)) return undefined;
  const text = whole.replace(/^\xef\xbb\xbf/u, '');
  // A header has the archive's names in the archive's order, or nobody knows what the numbers mean.
  const isHeaded = !/^[0-9]/u.test(text);
  const [first = ''] = text.split('\n', 1);
  if (isHeaded && first.trimEnd().toLowerCase() !== HEADER) return undefined;
  const records: string[][] = parse(isHeaded ? text.slice(first.length + 1) : text, {
    quote: false,
    record_delimiter: '\n',
    relax_column_count: true,
    skip_empty_lines: false,
  });
  if (records.length === 0 || records.length > ROWS_MAX) return undefined;
  const rows: number[][] = [];
  for (const record of records) {
    if (record.length !== 12) return undefined;
    const last = (record.pop() as string).replace(/\r$/u, '');
    const row = record.map(nearestDouble);
    if (Number.isNaN(nearestDouble(last)) || !row.every(Number.isFinite)) return undefined;
    rows.push(row);
  }
  return inMilliseconds(rows);
}

function inMilliseconds(rows: number[][]): number[][] | undefined {
  const isMicro = (rows[0]?.[0] ?? 0) > NOT_MS;
  for (const row of rows) {
    const [openTime = 0, closeTime = 0, count = 0] = [row[0], row[6], row[8]];
    if (![openTime, closeTime, count].every(isWhole)) return undefined;
    if (openTime > NOT_MS !== isMicro || closeTime > NOT_MS !== isMicro) return undefined;
    if (isMicro) [row[0], row[6]] = [openTime / 1_000, Math.floor(closeTime / 1_000)];
  }
  return rows;
}

/** The block, or the code with which it was refused. */
function outcome(read: CsvRead, bytes: Buffer, pieceBytes: number): CandleBlock | ArchiveError {
  try {
    return read(bytes, pieceBytes);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    if (error.message.length > 250) throw new Wrong('an error that goes on and on');
    if (/[^ -~…]/u.test(error.message)) throw new Wrong('an error that shows what can not be shown');
    return error;
  }
}

function checkBlock(
  got: CandleBlock | ArchiveError,
  right: number[][] | undefined,
  pieceBytes: number,
): void {
  const how = pieceBytes > LINE_MAX ? 'in one piece' : 'in small pieces';
  if (got instanceof ArchiveError) {
    if (!['ARCHIVE_CSV', 'ARCHIVE_TOO_LARGE'].includes(got.code))
      throw new Wrong(`refused as ${got.code}, ${how}`);
    if (right !== undefined) throw new Wrong(`a sound file is refused, ${how}: ${got.message}`);
    return;
  }
  if (right === undefined) throw new Wrong(`a file that is not sound is taken, ${how}`);
  if (got.rows !== right.length)
    throw new Wrong(`another number of rows, ${how}: ${got.rows}, not ${right.length}`);
  for (const [index, row] of right.entries())
    for (const [column, field] of BLOCK_FIELDS.entries())
      if (!Object.is(got.columns[field][index], row[column]))
        throw new Wrong(`another ${field}, ${how}, in row ${index}`);
}

function check(bytes: Buffer, read: CsvRead): Verdict {
  const right = referenceRows(bytes);
  // The same bytes always come in the same pieces.
  for (const pieceBytes of [Number.MAX_SAFE_INTEGER, 1 + (bytes.length % 61)])
    checkBlock(outcome(read, bytes, pieceBytes), right, pieceBytes);
  return right === undefined ? 'refused' : 'accepted';
}

/** A few lines as the archive has them, in ms or µs, with a header or none. */
export function inventCsv(random: Random): string {
  const perMs = random() < 0.1 ? 1_000 : 1;
  const from = 1_609_459_200_000 + 60_000 * upTo(1_000_000, random);
  const rows = Array.from({ length: 1 + upTo(6, random) }, (_, index) => {
    const openTime = from + index * 60_000;
    const [open, high, low, close, volume, quote, buy, buyQuote] = Array.from({ length: 8 }, () =>
      inventDecimal(random),
    );
    const closeTime = (openTime + 60_000) * perMs - 1;
    return [
      openTime * perMs,
      open,
      high,
      low,
      close,
      volume,
      closeTime,
      quote,
      upTo(10_000, random),
      buy,
      buyQuote,
      0,
    ].join();
  });
  const end = random() < 0.1 ? '\r\n' : '\n';
  const text = [...(random() < 0.5 ? [HEADER] : []), ...rows].join(end);
  return `${random() < 0.05 ? '\xef\xbb\xbf' : ''}${text}${random() < 0.9 ? end : ''}`;
}

const SAMPLES = [
  'samples/vision-um-BTCUSDT-1m-2020-01-noheader.csv',
  'samples/vision-um-BTCUSDT-1d-2026-09-header.csv',
  'samples/vision-spot-BTCUSDT-1d-2025-01-microseconds.csv',
  'vision/no-header/ADABTC-1m-2021-11-27.spot.first10rows.csv',
];

/** Real lines where they are. */
const csvCorpus = (): Buffer[] =>
  fixturesMissing ? [] : SAMPLES.map((path) => readFileSync(shared(`fixtures/${path}`)));

const ODD = [
  '',
  '-0',
  '-00',
  '1.0',
  '1e3',
  '1.',
  '.5',
  '"1"',
  ' 1',
  'NaN',
  '9'.repeat(400),
  `1.${'0'.repeat(1_000)}`,
];

/** One field becomes another, is left out or stands there twice; a line is padded. */
function mutateCsv(text: string, random: Random): string {
  const lines = text.split('\n');
  const at = upTo(lines.length, random);
  const fields = (lines[at] as string).split(',');
  const column = upTo(fields.length, random);
  const dice = upTo(6, random);
  if (dice === 0) fields.splice(column, 1);
  else if (dice === 1) fields.splice(column, 0, fields[column] as string);
  else if (dice === 2) fields[fields.length - 1] += ' '.repeat(upTo(1_200, random));
  else if (dice === 3) fields[column] = `${fields[column]}${'0'.repeat(upTo(1_000, random))}`;
  else fields[column] = oneOf(ODD, random);
  lines[at] = fields.join();
  if (random() < 0.1) lines.splice(at, 0, lines[at] as string);
  return lines.join('\n');
}

export function csvPart(read: CsvRead = readCsv): BytesPart {
  const corpus = csvCorpus();
  const seedOf = (random: Random): Buffer =>
    random() < 0.7 || corpus.length === 0 ? Buffer.from(inventCsv(random), 'latin1') : oneOf(corpus, random);
  return {
    target: 'archive',
    kind: 'bytes',
    name: 'csv',
    share: 480,
    draw(random) {
      const bytes = seedOf(random);
      const dice = random();
      if (dice < 0.02) return bytes;
      if (dice < 0.5) return Buffer.from(mutateCsv(bytes.toString('latin1'), random), 'latin1');
      return mutateBytes(bytes, random, () => seedOf(random));
    },
    check: (bytes) => check(bytes, read),
  };
}
