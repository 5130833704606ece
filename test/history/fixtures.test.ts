/** The recorded archive files: what is loaded from them is what is in them, by the word of a reader of its own. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import type { ArchiveFile } from '../../src/binance/archive.ts';
import { type ArchiveZip, archiveZips } from '../support/archive-zips.ts';
import { folder, startExchange } from '../support/collector.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';
import { DAY, loadAll, MINUTE, restOf, sourceIn, sourceOn, sources, time, values } from './rig.ts';

/** Rows of a zip file as numbers, in the order of the file. */
function rowsOf(path: string, { symbol, interval }: ArchiveFile): Omit<Candle, 'source'>[] {
  const [text] = Object.values(unzipSync(readFileSync(path))).map((bytes) => strFromU8(bytes));
  return text!
    .split('\n')
    .filter((line) => /^\d/u.test(line))
    .map((line) => {
      const [openTime, open, high, low, close, volume, closeTime, quoteVolume, count, taker, takerQuote] =
        line.split(',').map(Number);
      return {
        symbol,
        interval,
        openTime: openTime!,
        open: open!,
        high: high!,
        low: low!,
        close: close!,
        volume: volume!,
        closeTime: closeTime!,
        quoteVolume: quoteVolume!,
        count: count!,
        takerBuyVolume: taker!,
        takerBuyQuoteVolume: takerQuote!,
      };
    });
}

/** A folder in the archive's layout that holds these files alone. */
function archiveOf(zips: readonly ArchiveZip[]): string {
  const dir = folder();
  for (const { path, file } of zips) {
    const target = join(dir, file.path);
    mkdirSync(dirname(target), { recursive: true });
    for (const suffix of ['', '.CHECKSUM']) cpSync(`${path}${suffix}`, `${target}${suffix}`);
  }
  return dir;
}

const queryOf = ({ symbol, interval, from, to }: ArchiveFile) => ({
  symbol,
  interval,
  from,
  to,
  source: 'auto' as const,
});
const zips = fixturesMissing ? [] : archiveZips();
const isDefective = ({ path }: ArchiveZip): boolean => path.includes('derived-defects');

describe.skipIf(fixturesMissing)('recorded files', () => {
  test('are read with the numbers that are in them', async () => {
    const sound = zips.filter((zip) => !isDefective(zip));
    expect(sound.length).toBeGreaterThan(50);
    const source = sourceIn(archiveOf(sound));
    for (const { path, file } of sound) {
      const { candles, lacking, notes } = await loadAll(source, queryOf(file));
      const rows = rowsOf(path, file);
      expect(candles).toHaveLength((file.to - file.from) / MINUTE);
      // Row by row: a comparison that says where, and is quick where there is nothing to say.
      const other = candles.findIndex((candle, at) => JSON.stringify(values([candle])[0]) !== text(rows[at]));
      expect(other, `${basename(path)} row ${other}`).toBe(-1);
      expect(sources(candles)).toEqual({ vision: rows.length });
      expect(lacking).toEqual([]);
      for (const note of notes) expect(note).toMatch(/^doubtful \| \d+ bars without trades/u);
    }
  });

  test('the one with defects is mended from REST: every bar, in order, with the exchange’s values', async () => {
    const zip = zips.find(isDefective) as ArchiveZip;
    const { from } = zip.file;
    const rows = [...new Map(rowsOf(zip.path, zip.file).map((row) => [row.openTime, row])).values()];
    expect(rows).toHaveLength(1435);
    // The five that were taken out, made up here; REST has them all.
    const gone = [600, 601, 602, 603, 604].map((at) => ({
      ...rows[0]!,
      openTime: from + at * MINUTE,
      closeTime: from + (at + 1) * MINUTE - 1,
      volume: at,
    }));
    const truth = [...rows, ...gone]
      .map((row): Candle => ({ ...row, source: 'rest' }))
      .sort((one, other) => one.openTime - other.openTime);
    const { rest } = await restOf(truth, from + 10 * DAY);
    const dir = archiveOf([zip]);
    const mended = await loadAll(sourceIn(dir, rest), queryOf(zip.file));
    expect(values(mended.candles)).toEqual(values(truth));
    expect(mended.lacking).toEqual([]);
    expect(mended.notes).toEqual([
      expect.stringMatching(
        /^defect \| 1 rows out of order, 1 rows doubled, 5 bars missing \| 1440 bars taken from REST$/u,
      ),
    ]);

    const alone = await loadAll(sourceIn(dir), queryOf(zip.file));
    expect(values(alone.candles)).toEqual(
      values(truth.filter(({ openTime }) => !gone.some((one) => one.openTime === openTime))),
    );
    expect(alone.lacking).toEqual([{ fromOpenTime: from + 600 * MINUTE, toOpenTime: from + 604 * MINUTE }]);
  });

  test('are served by an exchange that replays them, and loaded from it by network', async () => {
    const replayDir = shared('fixtures/vision');
    const startTime = time('2026-02-12T06:00');
    const exchange = await startExchange({ replayDir, startTime, timeScale: 1 });
    const recorded = zips.filter(({ file }) => file.symbol === 'LINKUSDT' && file.kind === 'day');
    expect(recorded).toHaveLength(7);
    const { candles, lacking } = await loadAll(sourceOn(exchange).source, {
      ...queryOf(recorded[0]!.file),
      to: recorded.at(-1)!.file.to,
    });
    const rows = recorded.flatMap(({ path, file }) => rowsOf(path, file));
    expect(values(candles)).toEqual(rows);
    expect(sources(candles)['vision']).toBe(rows.length);
    expect(lacking).toEqual([]);
  });
});

/** The same order of fields as candles have. */
const text = (row: object | undefined): string => JSON.stringify(row);
