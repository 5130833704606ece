/** The recorded archive files, as they lie beside the project. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Interval } from '../../machines/model/interval.ts';
import { type ArchiveFile, dayFile, monthFile } from '../../src/binance/archive.ts';
import { shared } from './fixtures.ts';

export interface ArchiveZip {
  readonly path: string;
  readonly file: ArchiveFile;
}

/** What the archive calls a file of that name, as `BTCUSDT-1m-2026-02-03.zip`. */
export function fileNamed(name: string): ArchiveFile {
  const [, symbol = '', interval = '', month, day] =
    /^(.+)-(\w+)-(\d{4}-\d\d)(?:-(\d\d))?\.zip$/u.exec(name) ?? [];
  const series = { symbol, interval: (interval === '1mo' ? '1M' : interval) as Interval };
  const file =
    day === undefined
      ? monthFile(series, Date.parse(`${month}-01`))
      : dayFile(series, Date.parse(`${month}-${day}`));
  if (file === undefined) throw new Error(`${name} is no name of an archive file`);
  return file;
}

/** Every zip file of the fixtures: real ones, one with defects, one without a header. */
export const archiveZips = (folder = 'fixtures'): ArchiveZip[] =>
  readdirSync(shared(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.zip'))
    .sort()
    .map((name) => ({ path: join(shared(folder), name), file: fileNamed(basename(name)) }));
