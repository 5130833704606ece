import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { strToU8, zipSync } from 'fflate';
import {
  DAY_MS,
  type Interval,
  isInterval,
  nextOpenTime,
  openTimeAt,
} from '../../machines/model/interval.ts';
import { restRow } from './klines.ts';
import type { Market } from './market.ts';
import type { BarSource } from './source.ts';

const HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore';
/** Of a day that is at least two before today there is a file: the safe rule for the real archive. */
const DAILY_AFTER_MS = DAY_MS;
/** A month is published when it is over for two days. */
const MONTHLY_AFTER_MS = 2 * DAY_MS;
/** Finished files kept: a month of minutes has 1.5 MB. */
const FILES_KEPT = 16;
const PATH =
  /^\/data\/futures\/um\/(daily|monthly)\/klines\/([^/]+)\/([^/]+)\/([^/]+)-(\d{4})-(\d{2})(?:-(\d{2}))?\.zip(\.CHECKSUM)?$/u;

/** What a path of the archive asks for. */
interface Wanted {
  readonly name: string;
  readonly symbol: string;
  readonly interval: Interval;
  /** Bars that open in [from, to). */
  readonly from: number;
  readonly to: number;
  /** When the file appears, exchange ms. */
  readonly publishedAt: number;
  readonly isChecksum: boolean;
}

/** A file that can be fetched. */
export interface Published {
  readonly bytes: Uint8Array;
  /** Exchange ms. */
  readonly modifiedAt: number;
}

/** The month is spelled `1mo` in the archive, because some file systems fold case. */
const INTERVAL_NAMES: Readonly<Record<string, string>> = { '1mo': '1M', '1M': '' };

function readPath(path: string): Wanted | undefined {
  const match = PATH.exec(path);
  if (!match) return undefined;
  const [, tree, symbol = '', folder = '', prefix, year, month, day, checksum] = match;
  const interval = INTERVAL_NAMES[folder] ?? folder;
  if (!isInterval(interval) || prefix !== `${symbol}-${folder}`) return undefined;
  if ((tree === 'daily') !== (day !== undefined)) return undefined;
  // The daily tree ends at 1d; larger ones were given up in 2023.
  if (day !== undefined && (interval === '1M' || nextOpenTime(interval, 0) > DAY_MS)) return undefined;
  const from = Date.UTC(Number(year), Number(month) - 1, Number(day ?? '1'));
  const date = new Date(from);
  // 2026-02-30 is no day.
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day ?? '1')) return undefined;
  const to = day === undefined ? nextOpenTime('1M', from) : from + DAY_MS;
  const name = `${symbol}-${folder}-${year}-${month}${day === undefined ? '' : `-${day}`}.zip`;
  const publishedAt = to + (day === undefined ? MONTHLY_AFTER_MS : DAILY_AFTER_MS);
  return { name, symbol, interval, from, to, publishedAt, isChecksum: checksum !== undefined };
}

/** The archive: zip files and their checksums, from the truth or, in replay, from the recording itself. */
export class Archive {
  readonly #market: Market;
  readonly #replayDir: string | undefined;
  readonly #files = new Map<string, Uint8Array>();
  /** When bars became others for the last time, exchange ms; and how often. */
  #revisedAt = 0;
  #version = 0;

  constructor(market: Market, replayDir?: string) {
    this.#market = market;
    this.#replayDir = replayDir;
  }

  /** The file at a decoded path, or undefined where the archive has none at `now` (exchange ms). */
  async read(path: string, now: number): Promise<Published | undefined> {
    const wanted = readPath(path);
    if (!wanted) return undefined;
    const bytes = await this.#bytes(path, wanted, now);
    return bytes && { bytes, modifiedAt: Math.max(wanted.publishedAt, this.#revisedAt) };
  }

  /** Makes the files anew from `now` on (exchange ms): bars are others than before. */
  forget(now: number): void {
    this.#files.clear();
    this.#revisedAt = now;
    this.#version += 1;
  }

  async #bytes(path: string, wanted: Wanted, now: number): Promise<Uint8Array | undefined> {
    const original = wanted.isChecksum ? await this.#original(path) : undefined;
    if (original) return original;
    const zip = await this.#zip(path.replace(/\.CHECKSUM$/u, ''), wanted, now);
    if (!zip || !wanted.isChecksum) return zip;
    return strToU8(`${createHash('sha256').update(zip).digest('hex')}  ${wanted.name}\n`);
  }

  async #original(path: string): Promise<Uint8Array | undefined> {
    if (this.#replayDir === undefined || path.includes('..')) return undefined;
    return readFile(join(this.#replayDir, path)).catch(() => undefined);
  }

  async #zip(path: string, wanted: Wanted, now: number): Promise<Uint8Array | undefined> {
    const original = await this.#original(path);
    if (original) return original;
    const source = this.#market.source(wanted.symbol);
    if (!source || !this.#market.serves(source, wanted.interval)) return undefined;
    // The last bar of a month of weeks ends in the next month.
    const over = nextOpenTime(wanted.interval, openTimeAt(wanted.interval, wanted.to - 1));
    if (now < wanted.publishedAt || now < over) return undefined;
    const kept = this.#files.get(path);
    if (kept) return kept;
    const version = this.#version;
    const text = await this.#csv(source, wanted);
    if (text === undefined) return undefined;
    // Bars became others in the middle: a file is of one version.
    if (version !== this.#version) return this.#zip(path, wanted, now);
    // fflate writes the local time of `mtime`: made from local parts, it is the same bytes in every zone.
    const mtime = new Date(2020, 0, 1);
    const zip = zipSync({ [wanted.name.replace(/\.zip$/u, '.csv')]: strToU8(text) }, { level: 6, mtime });
    this.#files.set(path, zip);
    const oldest = this.#files.keys().next().value;
    if (this.#files.size > FILES_KEPT && oldest !== undefined) this.#files.delete(oldest);
    return zip;
  }

  async #csv(source: BarSource, wanted: Wanted): Promise<string | undefined> {
    const { interval } = wanted;
    let open = openTimeAt(interval, wanted.from);
    if (open < wanted.from) open = nextOpenTime(interval, open);
    const lines = [HEADER];
    for (; open < wanted.to; open = nextOpenTime(interval, open)) {
      const bar = this.#market.bar(source, interval, open);
      if (bar) lines.push(restRow(bar).join(','));
      if (lines.length % 1000 === 0) await nextTurn();
    }
    return lines.length === 1 ? undefined : `${lines.join('\n')}\n`;
  }
}
