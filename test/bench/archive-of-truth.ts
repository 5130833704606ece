/** A folder of archive files with the bars of a simulated exchange, for measuring. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { nextOpenTime } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { type ArchiveFile, dayFile, monthFile } from '../../src/binance/archive.ts';
import { ARCHIVE_COLUMNS } from '../../src/binance/csv-line.ts';
import { createTruth } from '../../src/simulator/index.ts';

/** Writes the files that hold [from, to) and returns them, oldest first. `from` begins a day, or a month. */
export function writeArchive(
  folder: string,
  series: Series,
  from: number,
  to: number,
  kind: ArchiveFile['kind'],
): readonly ArchiveFile[] {
  const { symbol, interval } = series;
  const truth = createTruth({ seed: 1, symbols: [symbol] });
  const files: ArchiveFile[] = [];
  for (let at = from; at < to; ) {
    const file = kind === 'day' ? dayFile(series, at) : monthFile(series, at);
    if (file === undefined) throw new Error(`the archive has no ${kind} files of ${interval}`);
    const lines = [ARCHIVE_COLUMNS.join()];
    for (let open = file.from; open < file.to; open = nextOpenTime(interval, open)) {
      const bar = truth.bar(symbol, interval, open);
      if (bar === undefined) throw new Error(`the simulated exchange has no bar at ${open}`);
      const { openTime, high, low, close, volume, closeTime, quoteVolume, count } = bar;
      const { takerBuyVolume, takerBuyQuoteVolume } = bar;
      const row = [openTime, bar.open, high, low, close, volume, closeTime, quoteVolume, count];
      lines.push([...row, takerBuyVolume, takerBuyQuoteVolume, 0].join());
    }
    const zip = zipSync({ [file.entry]: strToU8(`${lines.join('\n')}\n`) }, { level: 6 });
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, zip);
    const name = file.path.slice(file.path.lastIndexOf('/') + 1);
    const digest = createHash('sha256').update(zip).digest('hex');
    writeFileSync(`${path}.CHECKSUM`, `${digest}  ${name}\n`);
    files.push(file);
    at = file.to;
  }
  return files;
}
