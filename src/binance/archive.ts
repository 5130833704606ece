/** Where the archive keeps its files. Nothing here talks to it. Source: protocol reference 3.1 to 3.5. */
import {
  closeTimeOf,
  countBars,
  DAY_MS,
  type Interval,
  nextOpenTime,
  openTimeAt,
} from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { ArchiveError } from '../errors.ts';

/** A file of the archive. */
export interface ArchiveFile extends Series {
  readonly kind: 'day' | 'month';
  /** Below the base URL or folder, as `data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-03.zip`. */
  readonly path: string;
  /** Of its only entry, as `BTCUSDT-1m-2026-02-03.csv`. */
  readonly entry: string;
  /** Bars that open in [from, to), ms. */
  readonly from: number;
  readonly to: number;
}

/** The folder of the USDⓈ-M files, below the base URL. [reference 3.1] */
export const ARCHIVE_ROOT = 'data/futures/um';
/** What stands beside a file, with its digest. [reference 3.1] */
export const CHECKSUM_SUFFIX = '.CHECKSUM';

/** A row has about 110 bytes; header, blanks and long numbers have room in twice that. Ours. */
const ROW_BYTES_MAX = 256;
/** What a file may hold beside its rows, bytes. Ours. */
const SPARE_BYTES = 65_536;

/** The month is spelled `1mo`, because some file systems fold case; `1M` is answered 404. [reference 3.3] */
const nameOf = (interval: Interval): string => (interval === '1M' ? '1mo' : interval);
/** Names that make a path of their own are no symbols: letters of any script, digits, `_`, as in `BTCUSDT_260925`. */
const isName = (symbol: string): boolean => /^[\p{L}\p{N}_]{1,64}$/u.test(symbol);
const dateOf = (time: number, length: number): string => new Date(time).toISOString().slice(0, length);

/**
 * The file of the day that begins at `dayStart` (ms, midnight UTC). Undefined: there is none, for a day file has
 * whole days of `1m` to `1d` alone; larger ones were given up in 2023. [reference 3.3]
 */
export function dayFile({ symbol, interval }: Series, dayStart: number): ArchiveFile | undefined {
  if (interval === '1M' || nextOpenTime(interval, 0) > DAY_MS) return undefined;
  if (openTimeAt('1d', dayStart) !== dayStart) return undefined;
  return fileOf('day', { symbol, interval }, dayStart, dayStart + DAY_MS);
}

/**
 * The file of the month that begins at `monthStart` (ms, UTC): all intervals. It holds the bars that open in it, so
 * that the last one of a week may end behind it.
 */
export function monthFile({ symbol, interval }: Series, monthStart: number): ArchiveFile | undefined {
  if (openTimeAt('1M', monthStart) !== monthStart) return undefined;
  return fileOf('month', { symbol, interval }, monthStart, nextOpenTime('1M', monthStart));
}

function fileOf(
  kind: ArchiveFile['kind'],
  { symbol, interval }: Series,
  from: number,
  to: number,
): ArchiveFile | undefined {
  if (!isName(symbol)) return undefined;
  const [tree, date] = kind === 'day' ? ['daily', dateOf(from, 10)] : ['monthly', dateOf(from, 7)];
  const folder = nameOf(interval);
  const name = `${symbol}-${folder}-${date}`;
  const path = `${ARCHIVE_ROOT}/${tree}/klines/${symbol}/${folder}/${name}.zip`;
  return { kind, symbol, interval, path, entry: `${name}.csv`, from, to };
}

/** Its name without folders, as `BTCUSDT-1m-2026-02-03.zip`. */
export const fileName = ({ path }: ArchiveFile): string => path.slice(path.lastIndexOf('/') + 1);

/** Where it is fetched from; symbols that are not ASCII are percent-encoded as UTF-8. */
export const archiveUrl = (visionUrl: string, { path }: ArchiveFile): string =>
  `${visionUrl}/${path.split('/').map(encodeURIComponent).join('/')}`;

/**
 * Whether the file of that day can be expected: from the second midnight after it on. It comes in the morning of the
 * next day, but is late at times. Both in ms; `exchangeNow` is the exchange's time. [reference 3.5]
 */
export const dayIsPublished = (dayStart: number, exchangeNow: number): boolean =>
  exchangeNow >= dayStart + 2 * DAY_MS;

/**
 * Whether the file of that month can be expected: it comes on the first Monday of the next one, weeks late at times.
 * The day of that is spared, two days at least, and what opened in it has ended a day ago. [reference 3.5]
 */
export function monthIsPublished(interval: Interval, monthStart: number, exchangeNow: number): boolean {
  const end = nextOpenTime('1M', monthStart);
  const monday = nextOpenTime('1w', openTimeAt('1w', end - 1));
  const lastBarEnd = closeTimeOf(interval, openTimeAt(interval, end - 1)) + 1;
  return exchangeNow >= Math.max(monday + DAY_MS, end + 2 * DAY_MS, lastBarEnd + DAY_MS);
}

/** How many bars the file holds when none lacks; of `3d`, whose phase is not known, one more than may be. */
export function rowsMaxOf({ interval, from, to }: ArchiveFile): number {
  const open = openTimeAt(interval, from);
  const first = interval === '3d' || open === from ? open : nextOpenTime(interval, open);
  return countBars(interval, first, to);
}

/** Bytes of its entry, unpacked, above which it is no such file. */
export const entryBytesMaxOf = (file: ArchiveFile): number => rowsMaxOf(file) * ROW_BYTES_MAX + SPARE_BYTES;

/**
 * The SHA-256 (64 hex digits, lower case) in the text of a checksum file, as `sha256sum` writes it.
 *
 * @throws {ArchiveError} `ARCHIVE_CHECKSUM` when it is no such text, or speaks of another file.
 */
export function readChecksum(text: string, name: string): string {
  const [, digest, told] = /^\s*([\da-f]{64})[ \t]+\*?(\S.*?)\s*$/iu.exec(text.slice(0, 1_024)) ?? [];
  if (digest === undefined) throw unreadable(name, text === '' ? 'it is empty' : 'it is no checksum');
  if (told !== name) throw unreadable(name, `it speaks of ${JSON.stringify(told)}`);
  return digest.toLowerCase();
}

const unreadable = (name: string, why: string): ArchiveError =>
  new ArchiveError(`the checksum of ${name} can't be read: ${why}`, {
    code: 'ARCHIVE_CHECKSUM',
    retryable: true,
  });
