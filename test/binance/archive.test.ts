import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { INTERVALS, type Interval } from '../../machines/model/interval.ts';
import {
  type ArchiveFile,
  archiveUrl,
  dayFile,
  dayIsPublished,
  fileName,
  monthFile,
  monthIsPublished,
  readChecksum,
  rowsMaxOf,
} from '../../src/binance/archive.ts';
import { archiveZips } from '../support/archive-zips.ts';
import { fixturesMissing } from '../support/fixtures.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);
const DAY = utc('2026-02-03T00:00');
const MONTH = utc('2026-02-01T00:00');
const series = (interval: Interval, symbol = 'BTCUSDT') => ({ symbol, interval });

describe('a file of the archive', () => {
  test('of a day has its path, its entry and its bars', () => {
    expect(dayFile(series('1m'), DAY)).toEqual({
      kind: 'day',
      symbol: 'BTCUSDT',
      interval: '1m',
      path: 'data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-03.zip',
      entry: 'BTCUSDT-1m-2026-02-03.csv',
      from: DAY,
      to: utc('2026-02-04T00:00'),
    });
  });

  test('of a month has them too, and spells the month 1mo', () => {
    expect(monthFile(series('1M'), MONTH)).toEqual({
      kind: 'month',
      symbol: 'BTCUSDT',
      interval: '1M',
      path: 'data/futures/um/monthly/klines/BTCUSDT/1mo/BTCUSDT-1mo-2026-02.zip',
      entry: 'BTCUSDT-1mo-2026-02.csv',
      from: MONTH,
      to: utc('2026-03-01T00:00'),
    });
    expect(monthFile(series('1m'), MONTH)?.path).toContain('/1m/BTCUSDT-1m-2026-02.zip');
  });

  test('of a day there is for 1m to 1d, of a month for all', () => {
    const withDay = INTERVALS.filter((interval) => dayFile(series(interval), DAY) !== undefined);
    expect(withDay).toEqual(INTERVALS.slice(0, 12));
    expect(INTERVALS.filter((interval) => monthFile(series(interval), MONTH) === undefined)).toEqual([]);
  });

  test('there is none where no day or month begins', () => {
    expect(dayFile(series('1m'), DAY + 1)).toBeUndefined();
    expect(monthFile(series('1m'), DAY)).toBeUndefined();
  });

  test.each([
    '../x',
    'A/B',
    '..',
    '.',
    '',
    'A B',
    'A\0',
    'A\\B',
    '%2e',
    'C:',
    'A'.repeat(65),
    'A'.repeat(300),
    'E\u0301USDT',
  ])('X09 there is none of %j, which is no symbol', (symbol) => {
    expect(dayFile(series('1m', symbol), DAY)).toBeUndefined();
    expect(monthFile(series('1m', symbol), MONTH)).toBeUndefined();
  });

  test('of a symbol that is not ASCII is asked for percent-encoded', () => {
    const file = dayFile(series('1m', '币安人生USDT'), DAY) as ArchiveFile;
    expect(file.entry).toBe('币安人生USDT-1m-2026-02-03.csv');
    const url = archiveUrl('https://archive.invalid', file);
    const symbol = '%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT';
    expect(url).toBe(
      `https://archive.invalid/data/futures/um/daily/klines/${symbol}/1m/${symbol}-1m-2026-02-03.zip`,
    );
    expect(new URL(url).href).toBe(url);
  });

  test('holds so many bars', () => {
    expect(rowsMaxOf(dayFile(series('1m'), DAY) as ArchiveFile)).toBe(1_440);
    expect(rowsMaxOf(dayFile(series('1d'), DAY) as ArchiveFile)).toBe(1);
    const inFebruary = (interval: Interval): number =>
      rowsMaxOf(monthFile(series(interval), MONTH) as ArchiveFile);
    expect(inFebruary('1m')).toBe(28 * 1_440);
    expect(inFebruary('1M')).toBe(1);
    // Mondays of February 2026: 2, 9, 16, 23.
    expect(inFebruary('1w')).toBe(4);
    expect(inFebruary('3d')).toBeGreaterThanOrEqual(10);
    expect(rowsMaxOf(monthFile(series('1m'), utc('2024-02-01T00:00')) as ArchiveFile)).toBe(29 * 1_440);
  });
});

describe('publication', () => {
  test('of a day is expected from the second midnight after it on', () => {
    expect(dayIsPublished(DAY, utc('2026-02-04T23:59:59.999'))).toBe(false);
    expect(dayIsPublished(DAY, utc('2026-02-05T00:00'))).toBe(true);
  });

  test.each([
    // The first Monday of March 2026 is the 2nd, of February the 2nd, of June the 1st.
    ['1m', '2026-02-01T00:00', '2026-03-03T00:00'],
    ['1m', '2026-05-01T00:00', '2026-06-03T00:00'],
    ['1m', '2026-03-01T00:00', '2026-04-07T00:00'],
    // The last week of March 2026 opens on the 30th and ends on 6 April.
    ['1w', '2026-03-01T00:00', '2026-04-07T00:00'],
    ['1M', '2026-12-01T00:00', '2027-01-05T00:00'],
  ] as const)('of %s in the month of %s from %s on', (interval, month, from) => {
    expect(monthIsPublished(interval, utc(month), utc(from) - 1)).toBe(false);
    expect(monthIsPublished(interval, utc(month), utc(from))).toBe(true);
  });
});

describe('a checksum', () => {
  const name = 'BTCUSDT-1m-2026-02-03.zip';
  const digest = '0123456789abcdef'.repeat(4);

  test.each([
    `${digest}  ${name}\n`,
    `${digest}  ${name}`,
    `${digest}  ${name}\r\n`,
    `${digest} *${name}\n`,
    `${digest}\t${name}\n`,
    `${digest.toUpperCase()}  ${name}\n`,
  ])('is read from %j', (text) => expect(readChecksum(text, name)).toBe(digest));

  test.each([
    ['', 'empty'],
    ['<HTML><HEAD><TITLE>ERROR</TITLE></HEAD></HTML>', 'no checksum'],
    [`${digest.slice(1)}  ${name}\n`, 'no checksum'],
    [`${digest}0  ${name}\n`, 'no checksum'],
    [`${digest}\n`, 'no checksum'],
    [`${digest}  OTHER-1m-2026-02-03.zip\n`, 'OTHER'],
    [`${digest}  ${name}\n${digest}  ${name}\n`, 'no checksum'],
    ['x'.repeat(10_000_000), 'no checksum'],
  ])('is not read from %.40j', (text, why) => {
    expect(() => readChecksum(text, name)).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_CHECKSUM', message: expect.stringContaining(why) }),
    );
  });

  test.skipIf(fixturesMissing)('of every recorded file is read', () => {
    const zips = archiveZips();
    expect(zips.length).toBeGreaterThan(50);
    for (const { path, file } of zips) {
      expect(fileName(file)).toBe(basename(path));
      expect(readChecksum(readFileSync(`${path}.CHECKSUM`, 'utf8'), fileName(file))).toMatch(
        /^[\da-f]{64}$/u,
      );
    }
  });
});
