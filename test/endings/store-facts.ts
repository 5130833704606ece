/** What a store holds when its writer is gone, judged by the contract's tables and the watermarks. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nextOpenTime } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { readStore, type StoreContent } from '../oracle/store-file.ts';

type Mark = Series & { readonly openTime: number };

export interface StoreFacts {
  readonly candles: number;
  /** The exchange's latest time that was noted, ms. */
  readonly exchangeTime: number;
  /** What is wrong with it. */
  readonly complaints: readonly string[];
}

/** Integrity, and each bar from the first to the watermark there or named, none behind it. */
export function factsOf(path: string): StoreFacts {
  const content = readStore(path);
  const { marks, exchangeTime } = readMarks(path);
  const complaints = content.integrity === 'ok' ? [] : [`integrity: ${content.integrity}`];
  for (const mark of marks) complaints.push(...holesOf(content, mark));
  const marked = new Set(marks.map(({ symbol, interval }) => `${symbol}@${interval}`));
  const strays = content.candles.filter(({ symbol, interval }) => !marked.has(`${symbol}@${interval}`));
  if (strays.length > 0) complaints.push(`${strays.length} bars of series without a watermark`);
  return { candles: content.candles.length, exchangeTime, complaints };
}

function readMarks(path: string): { marks: Mark[]; exchangeTime: number } {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const marks = database.prepare('SELECT symbol, interval, open_time AS openTime FROM watermarks').all();
    const meta = database.prepare("SELECT value FROM meta WHERE key = 'exchange_time'").get();
    return {
      marks: marks.map((row) => ({ ...row }) as unknown as Mark),
      exchangeTime: Number(meta?.['value'] ?? 0),
    };
  } finally {
    database.close();
  }
}

function holesOf({ candles, gaps }: StoreContent, mark: Mark): string[] {
  const isOfSeries = ({ symbol, interval }: Series): boolean =>
    symbol === mark.symbol && interval === mark.interval;
  const stored = new Set(candles.filter(isOfSeries).map(({ openTime }) => openTime));
  const named = gaps.filter(isOfSeries);
  const name = `${mark.symbol}@${mark.interval}`;
  const last = Math.max(...stored, Number.NEGATIVE_INFINITY);
  if (last > mark.openTime) return [`${name}: a bar behind the watermark`];
  const first = Math.min(...stored, ...named.map(({ fromOpenTime }) => fromOpenTime));
  const isThere = (at: number): boolean =>
    stored.has(at) || named.some(({ fromOpenTime, toOpenTime }) => fromOpenTime <= at && at <= toOpenTime);
  for (let at = first; at <= mark.openTime; at = nextOpenTime(mark.interval, at))
    if (!isThere(at)) return [`${name}: a hole at ${new Date(at).toISOString()}, and nothing names it`];
  return [];
}

/**
 * What an end that came in time must not leave behind: half a store, or the files of one that is open. To be asked
 * before anything else: whoever reads a store makes these files, and can't remove them.
 */
export function remainsOf(path: string): string[] {
  if (!existsSync(dirname(path))) return [];
  const complaints = readdirSync(dirname(path))
    .filter((name) =>
      [`${basename(path)}-wal`, `${basename(path)}-shm`, `${basename(path)}-journal`].includes(name),
    )
    .map((name) => `${name} was left`);
  if (!existsSync(path)) return complaints;
  return [
    ...complaints,
    ...(statSync(path).size === 0 ? ['an empty store was left'] : factsOf(path).complaints),
  ];
}

/** How many bars there are now; 0 while there is no store yet. */
export function barsIn(path: string): number {
  if (!existsSync(path) || statSync(path).size === 0) return 0;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return Number(database.prepare('SELECT count(*) AS n FROM candles').get()?.['n']);
  } catch {
    // Its tables are being made.
    return 0;
  } finally {
    database.close();
  }
}
