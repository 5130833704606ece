import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type ArchiveFile, fileName } from '../../src/binance/archive.ts';
import { ConfigurationError, ExchangeError } from '../../src/errors.ts';
import { ArchiveClient, type ArchiveClientOptions } from '../../src/history/archive/archive-client.ts';
import type { Fetched } from '../../src/history/types.ts';
import { dayNumber, sha256, zipFor } from '../support/archive-files.ts';
import { archiveServer } from '../support/archive-server.ts';
import { until } from '../support/wait.ts';

const DAY = dayNumber(0);
const CHECKSUM = '.zip.CHECKSUM';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
  // What is temporary lies in a folder of this test.
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = join(folder, 'system');
  onTestFinished(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

/** A client that is closed with the test. */
function clientOf(visionUrl: string, options: Partial<ArchiveClientOptions> = {}): ArchiveClient {
  const download = { baseDelayMs: 5, ...options.download };
  const cacheDir = join(folder, 'cache');
  const client = new ArchiveClient({ visionUrl, isTrusted: true, cacheDir, ...options, download });
  onTestFinished(() => client.close());
  return client;
}

type There = Extract<Fetched, { status: 'there' }>;

/** The bytes of a file, released again. */
async function bytesOf(client: ArchiveClient, file: ArchiveFile): Promise<Buffer> {
  const fetched = await client.get(file);
  expect(fetched).toMatchObject({ status: 'there' });
  const { path, bytes, sha256: digest, release } = fetched as There;
  const content = readFileSync(path);
  expect([content.length, sha256(content)]).toEqual([bytes, digest]);
  await release();
  expect(existsSync(path)).toBe(false);
  return content;
}

/** All files below a folder but those of the cache itself. */
const leftIn = (dir: string): string[] =>
  existsSync(dir)
    ? readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(
        (name) => !/^(content|index)-v/.test(name) && statSync(join(dir, name)).isFile(),
      )
    : [];

/** Where the content of the cache lies. */
const contents = (): string[] => {
  const dir = join(folder, 'cache');
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.startsWith('content-') && statSync(join(dir, name)).isFile())
    .map((name) => join(dir, name));
};

describe('a file', () => {
  test('is verified by its checksum, given out, and not asked for again', async () => {
    const server = await archiveServer(DAY);
    const zip = server.files.get(DAY.path)!.zip;
    const first = clientOf(server.url);
    expect(await bytesOf(first, DAY)).toEqual(zip);
    expect(server.paths).toEqual([`${DAY.path}.CHECKSUM`, DAY.path]);
    expect(first.counts).toMatchObject({ hits: 0, misses: 1, errors: 0, bytesRead: 0 });
    expect(first.counts.bytesFetched).toBeGreaterThan(zip.length);
    await first.close();
    const second = clientOf(server.url);
    expect(await bytesOf(second, DAY)).toEqual(zip);
    const fetched = await second.get(DAY);
    expect(fetched).toMatchObject({ status: 'there', isHit: true });
    expect(server.paths).toHaveLength(2);
    expect(second.counts).toEqual({
      hits: 2,
      misses: 0,
      errors: 0,
      bytesFetched: 0,
      bytesRead: 2 * zip.length,
    });
  });

  test('of a name that is not ASCII is found as well', async () => {
    const file = dayNumber(3, '币安人生USDT');
    const server = await archiveServer(file);
    expect(await bytesOf(clientOf(server.url), file)).toEqual(server.files.get(file.path)!.zip);
  });

  test('that two ask for at the same time is fetched once, and each may go when it likes', async () => {
    const server = await archiveServer(DAY);
    const client = clientOf(server.url);
    const [one, two] = (await Promise.all([client.get(DAY), client.get(DAY)])) as [There, There];
    expect(server.paths).toHaveLength(2);
    expect(client.counts).toMatchObject({ hits: 0, misses: 1 });
    await one.release();
    expect(existsSync(two.path)).toBe(true);
  });

  test('is fetched although one of two who asked has gone', async () => {
    const server = await archiveServer(DAY);
    const client = clientOf(server.url);
    const mine = new AbortController();
    const [one, two] = [client.get(DAY, mine.signal), client.get(DAY)];
    mine.abort(new Error('not me'));
    await expect(one).rejects.toThrow('not me');
    expect(await two).toMatchObject({ status: 'there' });
  });

  test('where nothing is trusted is asked for by its checksum alone, and fetched when it was published anew', async () => {
    const server = await archiveServer(DAY);
    const old = server.files.get(DAY.path)!.zip;
    const client = clientOf(server.url, { isTrusted: false });
    for (let n = 0; n < 2; n++) expect(await bytesOf(client, DAY)).toEqual(old);
    expect(server.paths.map((path) => path.endsWith(CHECKSUM))).toEqual([true, false, true]);
    const anew = server.add(DAY, zipFor(dayNumber(9)));
    expect(await bytesOf(client, DAY)).toEqual(anew);
    // And a version that comes back is still there.
    server.add(DAY, old);
    server.paths.length = 0;
    expect(await bytesOf(client, DAY)).toEqual(old);
    expect(server.paths.every((path) => path.endsWith(CHECKSUM))).toBe(true);
    expect(client.counts).toMatchObject({ hits: 2, misses: 2, errors: 0 });
  });

  test('H11 that was published anew is told with its old digest and its new one, once, to who wants to hear of it', async () => {
    const server = await archiveServer(DAY);
    const old = server.files.get(DAY.path)!.zip;
    await bytesOf(clientOf(server.url), DAY);
    const told: unknown[] = [];
    const client = clientOf(server.url, { isTrusted: false, onReplaced: (replaced) => told.push(replaced) });
    await bytesOf(client, DAY);
    expect(told).toEqual([]);
    const anew = server.add(DAY, zipFor(dayNumber(9)));
    for (let n = 0; n < 2; n++) await bytesOf(client, DAY);
    expect(told).toEqual([
      { path: DAY.path, before: sha256(Buffer.from(old)), now: sha256(Buffer.from(anew)) },
    ]);
  });

  test('that breaks off in the middle is asked on from there', async () => {
    const server = await archiveServer();
    const zip = server.add(DAY, zipFor(DAY, 200));
    const ranges: unknown[] = [];
    server.replies.push(
      { end: CHECKSUM, reply: (_, response) => response.end(server.files.get(DAY.path)!.checksum) },
      {
        end: '.zip',
        reply: (request, response) => {
          response.writeHead(200, { 'content-length': zip.length, etag: '"x"' });
          response.write(zip.subarray(0, 70_000), () => request.socket.destroySoon());
        },
      },
      {
        end: '.zip',
        reply: (request, response) => {
          ranges.push(request.headers.range);
          response
            .writeHead(206, { 'content-range': `bytes 70000-${zip.length - 1}/${zip.length}`, etag: '"x"' })
            .end(zip.subarray(70_000));
        },
      },
    );
    const client = clientOf(server.url);
    expect(await bytesOf(client, DAY)).toEqual(zip);
    expect(ranges).toEqual(['bytes=70000-']);
    expect(client.counts.bytesFetched).toBeLessThan(zip.length + 200);
  });
});

describe('H09', () => {
  test('H09 a file with a wrong checksum is fetched once more, then refused, and never kept', async () => {
    const server = await archiveServer();
    server.add(DAY, zipFor(DAY), `${'0'.repeat(64)}  ${fileName(DAY)}\n`);
    const client = clientOf(server.url);
    const refused = await client.get(DAY);
    expect(refused).toMatchObject({ status: 'refused', reason: expect.stringContaining('0000') });
    expect(server.paths).toEqual([`${DAY.path}.CHECKSUM`, DAY.path, `${DAY.path}.CHECKSUM`, DAY.path]);
    expect(leftIn(join(folder, 'cache/tmp'))).toEqual([]);
    expect(existsSync(join(folder, 'cache/content-v2'))).toBe(false);
    // The exchange puts it right.
    const zip = server.add(DAY);
    expect(await bytesOf(client, DAY)).toEqual(zip);
  });

  test('H09 a file that was damaged on its way once is fetched once more', async () => {
    const server = await archiveServer(DAY);
    server.replies.push({ end: '.zip', reply: (_, response) => response.end('<HTML>') });
    const client = clientOf(server.url);
    expect(await bytesOf(client, DAY)).toEqual(server.files.get(DAY.path)!.zip);
    expect(client.counts).toMatchObject({ misses: 2, errors: 0 });
  });

  test('H09 a file without a checksum is refused; one that is not there is absent', async () => {
    const server = await archiveServer();
    const client = clientOf(server.url);
    expect(await client.get(DAY)).toEqual({ status: 'absent' });
    server.files.set(DAY.path, { zip: zipFor(DAY) });
    expect(await client.get(DAY)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('no checksum'),
    });
    server.files.set(DAY.path, { zip: zipFor(DAY), checksum: '<HTML>ERROR</HTML>' });
    expect(await client.get(DAY)).toMatchObject({ status: 'refused' });
    server.files.set(DAY.path, { zip: zipFor(DAY), checksum: 'x'.repeat(100_000) });
    expect(await client.get(DAY)).toMatchObject({ status: 'refused' });
    expect(client.counts.misses).toBe(0);
  });

  test('H09 a checksum without its file is a file that is absent; a file that is too large is refused', async () => {
    const server = await archiveServer(DAY);
    server.replies.push({ end: '.zip', reply: (_, response) => response.writeHead(404).end() });
    const client = clientOf(server.url);
    expect(await client.get(DAY)).toEqual({ status: 'absent' });
    server.add(DAY, zipFor(DAY, 500));
    expect(await client.get(DAY)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('larger than'),
    });
    expect(client.counts.bytesFetched).toBeLessThan(500_000);
  });

  test('H09 an archive that can not be reached, or refuses, is an error of the exchange', async () => {
    const server = await archiveServer();
    for (const status of [403, 451, 503]) {
      for (let n = 0; n < 5; n++)
        server.replies.push({ end: CHECKSUM, reply: (_, response) => response.writeHead(status).end() });
      const error = await clientOf(server.url)
        .get(DAY)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ExchangeError);
      expect(error).toMatchObject({ status });
      server.replies.length = 0;
    }
    await expect(clientOf('http://127.0.0.1:1').get(DAY)).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' });
  });
});

describe('the cache', () => {
  test('fetches anew what was damaged in it', async () => {
    const server = await archiveServer(DAY);
    const zip = await bytesOf(clientOf(server.url), DAY);
    const [content] = contents();
    for (const damaged of [Buffer.alloc(0), zip.subarray(0, 99), zip.toReversed()]) {
      chmodSync(content!, 0o600);
      writeFileSync(content!, damaged);
      const client = clientOf(server.url);
      expect(await bytesOf(client, DAY)).toEqual(zip);
      expect(client.counts).toMatchObject({ hits: 0, misses: 1, errors: 1 });
    }
  });

  test('fetches anew what was taken out of it', async () => {
    const server = await archiveServer(DAY);
    const zip = await bytesOf(clientOf(server.url), DAY);
    rmSync(contents()[0]!);
    const client = clientOf(server.url);
    expect(await bytesOf(client, DAY)).toEqual(zip);
    expect(client.counts).toMatchObject({ hits: 0, misses: 1, errors: 0 });
  });

  test('keeps no more than its limit: what was not used for longest goes first, never what is being read', async () => {
    const days = Array.from({ length: 12 }, (_, n) => dayNumber(n));
    const server = await archiveServer(...days);
    const size = server.files.get(DAY.path)!.zip.length;
    const client = clientOf(server.url, { maxBytes: 5 * size });
    const other = clientOf(server.url, { maxBytes: 5 * size });
    const held = (await other.get(days[0]!)) as There;
    for (const day of days) {
      await bytesOf(client, day);
      // Used again and again.
      await bytesOf(client, days[1]!);
    }
    await until('the cache within its limit', () => contents().length <= 5);
    expect(sha256(readFileSync(held.path))).toBe(held.sha256);
    server.paths.length = 0;
    await bytesOf(client, days[0]!);
    await bytesOf(client, days[1]!);
    await bytesOf(client, days[11]!);
    expect(server.paths).toEqual([]);
    await bytesOf(client, days[2]!);
    expect(server.paths).toHaveLength(2);
    expect(client.counts.errors).toBe(0);
  });

  test('that can not be written any more costs downloads and nothing else', async () => {
    const server = await archiveServer(DAY);
    const warnings: string[] = [];
    const logger = { debug: () => {}, warn: (message: string) => void warnings.push(message) };
    const client = clientOf(server.url, { logger });
    // A file where the cache wants a folder.
    writeFileSync(join(folder, 'cache/content-v2'), '');
    expect(await bytesOf(client, DAY)).toEqual(server.files.get(DAY.path)!.zip);
    expect(client.counts.errors).toBeGreaterThanOrEqual(1);
    expect(warnings).toContain('a file could not be kept in the cache');
    await client.close();
    expect(leftIn(join(folder, 'system'))).toEqual([]);
  });

  test('that can not be had is wrong configuration, and says which option', () => {
    writeFileSync(join(folder, 'file'), '');
    const create = () => clientOf('http://127.0.0.1:1', { cacheDir: join(folder, 'file') });
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(/cacheDir/);
  });

  test('that is not wanted needs a folder for temporary files, and says so', () => {
    writeFileSync(join(folder, 'system'), '');
    expect(() => clientOf('http://127.0.0.1:1', { cacheDir: undefined })).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_UNWRITABLE' }),
    );
  });

  test('that is not wanted leaves nothing, neither while it is used for long', async () => {
    const days = Array.from({ length: 5 }, (_, n) => dayNumber(n));
    const server = await archiveServer(...days);
    const client = clientOf(server.url, { cacheDir: undefined });
    for (const day of days) expect(await bytesOf(client, day)).toEqual(server.files.get(day.path)!.zip);
    await bytesOf(client, days[0]!);
    expect(client.counts).toMatchObject({ hits: 1, misses: 5, errors: 0 });
    await client.close();
    expect(existsSync(join(folder, 'system'))).toBe(true);
    expect(readdirSync(join(folder, 'system'))).toEqual([]);
    expect(existsSync(join(folder, 'cache'))).toBe(false);
  });
});

describe('an end', () => {
  test('in the middle of a download leaves no temporary file, and tells who asked', async () => {
    const server = await archiveServer(DAY);
    const half = (cacheDir: string | undefined) => {
      server.replies.push({
        end: '.zip',
        reply: (_, response) => void response.writeHead(200, { 'content-length': '9999' }).write('x'),
      });
      return clientOf(server.url, { cacheDir });
    };
    for (const cacheDir of [join(folder, 'cache'), undefined]) {
      server.paths.length = 0;
      const client = half(cacheDir);
      const asking = client.get(DAY).catch((thrown: unknown) => thrown);
      await until('the request', () => server.paths.length === 2);
      await client.close();
      expect(await asking).toMatchObject({ code: 'HTTP_CLOSED' });
      await expect(client.get(DAY)).rejects.toMatchObject({ code: 'HTTP_CLOSED' });
      await client.close();
      expect(leftIn(join(folder, 'cache'))).toEqual([]);
      expect(leftIn(join(folder, 'system'))).toEqual([]);
    }
  });

  test('while files are being written leaves none half written', async () => {
    const days = Array.from({ length: 8 }, (_, n) => dayNumber(n));
    const server = await archiveServer(...days);
    for (const day of days) server.add(day, zipFor(day, 300));
    for (let round = 0; round < 6; round++) {
      const cacheDir = join(folder, `round-${round}`);
      const client = clientOf(server.url, { cacheDir });
      const asking = Promise.allSettled(days.map((day) => client.get(day)));
      await until('the first file', () => existsSync(join(cacheDir, 'content-v2')));
      await client.close();
      expect(leftIn(cacheDir)).toEqual([]);
      await asking;
      expect(readdirSync(join(cacheDir, 'tmp'))).toEqual([]);
      expect(readdirSync(join(cacheDir, 'runs'))).toEqual([]);
      expect(leftIn(join(folder, 'system'))).toEqual([]);
    }
  });

  test('by the signal of who asked leaves no temporary file, and the next one gets it', async () => {
    const server = await archiveServer(DAY);
    server.replies.push({
      end: '.zip',
      reply: (_, response) => void response.writeHead(200, { 'content-length': '9999' }).write('x'),
    });
    const client = clientOf(server.url);
    const mine = new AbortController();
    const asking = client.get(DAY, mine.signal);
    await until('the request', () => server.paths.length === 2);
    mine.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
    expect(leftIn(join(folder, 'cache/tmp'))).toEqual([]);
    expect(await bytesOf(client, DAY)).toEqual(server.files.get(DAY.path)!.zip);
  });

  test('takes along what was given out and never released', async () => {
    const server = await archiveServer(DAY);
    const client = clientOf(server.url);
    const { path } = (await client.get(DAY)) as There;
    await client.close();
    expect(existsSync(path)).toBe(false);
    expect(leftIn(join(folder, 'cache'))).toEqual([]);
    expect(contents()).toHaveLength(1);
  });
});
