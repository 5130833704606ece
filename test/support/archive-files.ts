/** Archive files that are made for a test, the same in every process. */
import { createHash } from 'node:crypto';
import { type ArchiveFile, dayFile } from '../../src/binance/archive.ts';
import { zipOf } from './zip.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Files of days of one symbol, the first on 2026-01-01. */
export const dayNumber = (day: number, symbol = 'BTCUSDT'): ArchiveFile =>
  dayFile({ symbol, interval: '1m' }, Date.UTC(2026, 0, 1 + day))!;

/** A zip file of that name; `kilobytes` of digits that can't be packed well. */
export function zipFor(file: ArchiveFile, kilobytes = 4): Buffer {
  const row = (n: number): string => sha256(Buffer.from(`${file.path}${n}`));
  const content = Buffer.from(Array.from({ length: kilobytes * 16 }, (_, n) => row(n)).join(''));
  return zipOf({ name: file.entry, content, isStored: true });
}
