import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dayFile, entryBytesMaxOf } from '../../src/binance/archive.ts';
import { type UnzipOptions, unzip } from '../../src/history/archive/unzip.ts';
import { archiveZips } from '../support/archive-zips.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { packedZeros, type ZipEntry, zipOf } from '../support/zip.ts';

const FILE = dayFile({ symbol: '币安人生USDT', interval: '1m' }, Date.UTC(2026, 1, 3))!;
const CONTENT = Buffer.from('1770076800000,1,2,0.5,1.5,10,1770076859999,15,3,5,7,0\n'.repeat(1_000));
const GOOD: ZipEntry = { name: FILE.entry, content: CONTENT };

let folder: string;
let written = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unzip-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Where a file of these bytes lies. */
function put(bytes: Uint8Array): string {
  const path = join(folder, `${written++}.zip`);
  writeFileSync(path, bytes);
  return path;
}

async function read(path: string, options: UnzipOptions = {}, file = FILE): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of unzip(path, file, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Files that this process has open below the folder. */
const open = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });

/** How it fails; afterwards nothing is open, and nothing was written. */
async function failure(bytes: Uint8Array, options: UnzipOptions = {}): Promise<unknown> {
  const path = put(bytes);
  const before = readdirSync(folder);
  const error = await read(path, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(open()).toEqual([]);
  expect(readdirSync(folder)).toEqual(before);
  return error;
}

describe('a zip file', () => {
  test('gives the bytes of its entry, packed or stored', async () => {
    expect(await read(put(zipOf(GOOD)))).toEqual(CONTENT);
    expect(await read(put(zipOf({ ...GOOD, isStored: true })))).toEqual(CONTENT);
    expect(open()).toEqual([]);
  });

  test.skipIf(fixturesMissing)('that is recorded gives what another reader finds in it', async () => {
    const zips = archiveZips();
    expect(zips.length).toBeGreaterThan(50);
    for (const { path, file } of zips) {
      const other = unzipSync(readFileSync(path))[file.entry];
      expect(Buffer.compare(await read(path, {}, file), Buffer.from(other!)), path).toBe(0);
    }
  });

  test('may be left in the middle: it is closed', async () => {
    for await (const _ of unzip(put(zipOf(GOOD)), FILE)) break;
    expect(open()).toEqual([]);
  });

  test('is not read by who has taken it back, before or in the middle', async () => {
    const path = put(zipOf({ ...GOOD, isStored: true, content: Buffer.alloc(300_000, '1') }));
    await expect(read(path, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    const mine = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _ of unzip(path, FILE, { signal: mine.signal })) mine.abort(new Error('enough'));
    };
    await expect(reading()).rejects.toThrow('enough');
    expect(open()).toEqual([]);
  });
});

describe('is refused for its entry', () => {
  const cases: readonly (readonly [string, readonly ZipEntry[], string])[] = [
    ['none', [], '0 entries'],
    ['two', [GOOD, { ...GOOD, name: 'more.csv' }], '2 entries'],
    ['the same twice', [GOOD, GOOD], '2 entries'],
    ['another name', [{ ...GOOD, name: 'ETHUSDT-1m-2026-02-03.csv' }], 'ETHUSDT'],
    ['a path', [{ ...GOOD, name: `x/${FILE.entry}` }], 'instead of'],
    ['a path upwards', [{ ...GOOD, name: `../../${FILE.entry}` }], 'instead of'],
    ['an absolute path', [{ ...GOOD, name: `/tmp/${FILE.entry}` }], 'instead of'],
    ['a folder', [{ ...GOOD, name: `${FILE.entry}/` }], 'instead of'],
    ['a name with NUL', [{ ...GOOD, name: `${FILE.entry}\0` }], 'instead of'],
    ['two names', [{ ...GOOD, says: { localName: 'other' } }], 'other'],
    ['a link', [{ ...GOOD, says: { mode: 0o120_777 } }], 'no regular file'],
    ['encryption', [{ ...GOOD, says: { flags: 1 } }], 'encrypted'],
    ['another zip file', [{ ...GOOD, name: 'inner.zip', content: zipOf(GOOD) }], 'inner.zip'],
    ['an unknown method', [{ ...GOOD, says: { method: 14 } }], 'method 14'],
  ];
  test.each(cases)('X06 %s', async (_, entries, message) => {
    expect(await failure(zipOf(...entries))).toMatchObject({
      name: 'ArchiveError',
      code: 'ARCHIVE_ENTRY',
      message: expect.stringContaining(message),
    });
  });
});

test('X06 who says that it has all the entries that there can be is refused before any is read', async () => {
  const many = zipOf(GOOD);
  for (const at of [many.length - 14, many.length - 12]) many.writeUInt16LE(65_534, at);
  expect(await failure(many)).toMatchObject({
    code: 'ARCHIVE_ENTRY',
    message: expect.stringContaining('65534'),
  });
});

describe('is refused as damaged', () => {
  const good = zipOf(GOOD);
  const flipped = Buffer.from(good);
  flipped[60 + FILE.entry.length] = flipped[60 + FILE.entry.length]! ^ 0xff;
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['an empty file', Buffer.alloc(0)],
    [
      'HTML',
      Buffer.from('<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD></HTML>'),
    ],
    ['NUL bytes', Buffer.alloc(10_000)],
    ['half of a file', good.subarray(0, good.length / 2)],
    ['a file without its last byte', good.subarray(0, -1)],
    ['a file without its first bytes', good.subarray(100)],
    ['a changed byte', flipped],
    ['a wrong CRC', zipOf({ ...GOOD, says: { crc: 1 } })],
    ['fewer bytes than announced', zipOf({ ...GOOD, says: { sizeBytes: CONTENT.length + 1 } })],
    ['more bytes than announced', zipOf({ ...GOOD, says: { sizeBytes: CONTENT.length - 1 } })],
    ['a stored entry of another size', zipOf({ ...GOOD, isStored: true, says: { sizeBytes: 10 } })],
    ['no deflate', zipOf({ ...GOOD, packed: Buffer.from('<HTML></HTML>') })],
    ['deflate that does not end', zipOf({ ...GOOD, packed: packedZeros(0).subarray(0, 1) })],
  ];
  test.each(cases)('%s', async (_, bytes) => {
    expect(await failure(bytes)).toMatchObject({ name: 'ArchiveError', code: 'ARCHIVE_ZIP' });
  });

  test('what is not there', async () => {
    await expect(read(join(folder, 'none.zip'))).rejects.toMatchObject({ code: 'ARCHIVE_ZIP' });
  });
});

describe('a bomb', () => {
  const GIGABYTE = 2 ** 30;

  /** The most memory that it took, above what was taken before, MB. */
  async function peakOf(work: () => Promise<unknown>): Promise<number> {
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 1);
    try {
      await work();
    } finally {
      clearInterval(watch);
    }
    return (Math.max(peak, process.memoryUsage.rss()) - before) / 1_048_576;
  }

  test('X06 of a gigabyte is refused, whether it says so or not, and takes no memory', async () => {
    const packed = packedZeros(GIGABYTE);
    const bomb = { name: FILE.entry, content: Buffer.alloc(0), packed };
    for (const sizeBytes of [GIGABYTE, 1_000]) {
      const bytes = zipOf({ ...bomb, says: { sizeBytes } });
      const took = await peakOf(async () => {
        expect(await failure(bytes)).toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
      });
      expect(took).toBeLessThan(64);
    }
  });

  test('X06 within the size that a file may have is refused by its ratio', async () => {
    const content = Buffer.alloc(300_000);
    expect(entryBytesMaxOf(FILE)).toBeGreaterThan(content.length);
    expect(await failure(zipOf({ ...GOOD, content }))).toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
  });

  test('X06 that is honest is stopped at the given bound, not at its end', async () => {
    let bytes = 0;
    const path = put(zipOf({ ...GOOD, content: Buffer.alloc(0), packed: packedZeros(GIGABYTE) }));
    const reading = async (): Promise<void> => {
      for await (const chunk of unzip(path, FILE, { maxBytes: 1_000_000, maxRatio: 1e6 }))
        bytes += chunk.length;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
    expect(bytes).toBeLessThanOrEqual(1_000_000);
  });
});
