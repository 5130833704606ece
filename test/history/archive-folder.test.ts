import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ArchiveFile, fileName } from '../../src/binance/archive.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { ArchiveFolder } from '../../src/history/archive/archive-folder.ts';
import { dayNumber, sha256, zipFor } from '../support/archive-files.ts';
import { archiveZips } from '../support/archive-zips.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';

const DAY = dayNumber(0);
const ZIP = zipFor(DAY);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'folder-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Lays a file there, with the checksum that is said of it. */
function lay(path: string, bytes: Uint8Array = ZIP, checksum: string | undefined = undefined): string {
  const whole = join(dir, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, bytes);
  if (checksum !== undefined) writeFileSync(`${whole}.CHECKSUM`, checksum);
  return whole;
}
const checksumOf = (file: ArchiveFile, bytes: Uint8Array): string => `${sha256(bytes)}  ${fileName(file)}\n`;

describe('a folder of archive files', () => {
  test.each(['data/futures/um', 'futures/um', 'um', ''])('may begin its tree with %j', async (start) => {
    const below = DAY.path.slice('data/futures/um/'.length);
    const path = lay(join(start, below), ZIP, checksumOf(DAY, ZIP));
    const folder = new ArchiveFolder(dir);
    expect(await folder.has(DAY)).toBe(true);
    expect(await folder.has(dayNumber(1))).toBe(false);
    expect(await folder.get(DAY)).toMatchObject({
      status: 'there',
      path,
      bytes: ZIP.length,
      isHit: true,
      sha256: sha256(ZIP),
    });
    expect(await folder.get(dayNumber(1))).toEqual({ status: 'absent' });
    expect(folder.counts).toEqual({ hits: 1, misses: 1, errors: 0, bytesFetched: 0, bytesRead: ZIP.length });
  });

  test('without a tree is looked through by names, but not where other things have the same', async () => {
    const name = fileName(DAY);
    lay(`x/markPriceKlines/${name}`);
    lay(`x/spot/klines/${name}`);
    expect(await new ArchiveFolder(dir).has(DAY)).toBe(false);
    lay(`x/second/${name}`);
    const path = lay(`x/first/${name}`);
    expect(await new ArchiveFolder(dir).get(DAY)).toMatchObject({ status: 'there', path });
  });

  test('with a tree has what is in the tree alone', async () => {
    lay(dayNumber(1).path);
    lay(`elsewhere/${fileName(DAY)}`);
    expect(await new ArchiveFolder(dir).has(DAY)).toBe(false);
  });

  test('refuses a file whose checksum is another one, or can not be read; without one it is unverified', async () => {
    for (const [checksum, reason] of [
      [checksumOf(DAY, Buffer.from('x')), 'checksum'],
      [checksumOf(dayNumber(1), ZIP), 'speaks of'],
      ['<HTML>', 'no checksum'],
      ['', 'empty'],
    ] as const) {
      lay(DAY.path, ZIP, checksum);
      const folder = new ArchiveFolder(dir);
      expect(await folder.get(DAY)).toMatchObject({
        status: 'refused',
        reason: expect.stringContaining(reason),
      });
      expect(folder.counts).toMatchObject({ hits: 0, errors: 1 });
    }
    rmSync(join(dir, `${DAY.path}.CHECKSUM`));
    const fetched = await new ArchiveFolder(dir).get(DAY);
    expect(fetched).toMatchObject({ status: 'there', sha256: undefined });
  });

  test('refuses a file that is too large, and follows links', async () => {
    lay(DAY.path, Buffer.alloc(2_000_000));
    expect(await new ArchiveFolder(dir).get(DAY)).toMatchObject({ status: 'refused' });
    rmSync(join(dir, DAY.path));
    symlinkSync(lay('else.bin'), join(dir, DAY.path));
    expect(await new ArchiveFolder(dir).get(DAY)).toMatchObject({ status: 'there' });
  });

  test('is only read: nothing is written or removed', async () => {
    lay(DAY.path, ZIP, checksumOf(DAY, ZIP));
    const before = readdirSync(dir, { recursive: true });
    const folder = new ArchiveFolder(dir);
    const fetched = await folder.get(DAY);
    if (fetched.status === 'there') await fetched.release();
    await folder.close();
    expect(readdirSync(dir, { recursive: true })).toEqual(before);
  });

  test('that is not there is wrong configuration', async () => {
    for (const path of [join(dir, 'none'), lay('file')])
      await expect(new ArchiveFolder(path).has(DAY)).rejects.toThrow(ConfigurationError);
  });

  test('is not read by who has taken it back', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(new ArchiveFolder(dir).get(DAY, signal)).rejects.toThrow('enough');
  });

  test.skipIf(fixturesMissing)('that is recorded gives all of its files, verified', async () => {
    const zips = archiveZips('fixtures/vision');
    const folder = new ArchiveFolder(shared('fixtures/vision'));
    for (const { path, file } of zips)
      expect(await folder.get(file)).toMatchObject({ status: 'there', path, sha256: expect.any(String) });
    expect(folder.counts).toMatchObject({ hits: zips.length, misses: 0, errors: 0 });
    // The same files without their tree.
    for (const { path } of zips) copyFileSync(path, join(dir, path.slice(path.lastIndexOf('/') + 1)));
    const flat = new ArchiveFolder(dir);
    for (const { file } of zips) expect(await flat.has(file)).toBe(true);
  });
});
