/** The cache among processes: at once, killed, without room. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CacheCounts } from '../../src/history/types.ts';
import { dayNumber, sha256, zipFor } from '../support/archive-files.ts';
import { archiveServer } from '../support/archive-server.ts';
import { until, within } from '../support/wait.ts';

const SCRIPT = fileURLToPath(new URL('./archive.child.ts', import.meta.url));
const DAYS = 12;
const days = Array.from({ length: DAYS }, (_, day) => dayNumber(day));
const expected = days.map((day) => sha256(zipFor(day)));

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Said {
  readonly digests: string[];
  readonly counts: CacheCounts;
  readonly isHeld: boolean;
}

/** A process that fetches the days; `limit`: a command of the shell that bounds what it may do. */
function start(url: string, { cacheDir = join(folder, 'cache'), maxBytes = '', limit = 'true' } = {}) {
  const command = `${limit}; exec "$@"`;
  const given = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    SCRIPT,
    url,
    cacheDir,
    String(DAYS),
  ];
  const child = spawn('bash', ['-c', command, 'bash', ...given, ...(maxBytes && [maxBytes])], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: join(folder, 'system') },
  });
  children.push(child);
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const said = once(child, 'close').then(() => JSON.parse(text) as Said);
  said.catch(() => {});
  return { child, said: () => within('what the process says', said, 20_000) };
}

/** Temporary files and locks below a folder. */
const leftIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /(^|\/)(tmp|runs)\//.test(name) && !/(content|index)-v/.test(name),
  );

test('two processes share a cache at the same time, and each gets every file whole', async () => {
  const server = await archiveServer(...days);
  const processes = [start(server.url), start(server.url)];
  for (const { digests, counts, isHeld } of await Promise.all(processes.map(({ said }) => said()))) {
    expect(digests).toEqual(expected);
    expect(counts.hits + counts.misses).toBe(DAYS);
    expect([counts.errors, isHeld]).toEqual([0, true]);
  }
  server.paths.length = 0;
  expect((await start(server.url).said()).counts).toMatchObject({ hits: DAYS, misses: 0, bytesFetched: 0 });
  expect(server.paths).toEqual([]);
  expect(leftIn(folder)).toEqual([]);
});

test('two processes whose cache is far too small take nothing away from each other', async () => {
  const server = await archiveServer(...days);
  const maxBytes = String(2 * zipFor(days[0]!).length);
  const processes = [start(server.url, { maxBytes }), start(server.url, { maxBytes })];
  for (const { digests, isHeld } of await Promise.all(processes.map(({ said }) => said())))
    expect([digests, isHeld]).toEqual([expected, true]);
  expect(leftIn(folder)).toEqual([]);
});

test.each([
  ['with a cache', 'cache'],
  ['without one', ''],
])(
  'a process %s that is killed in the middle leaves files that the next one sweeps away',
  async (_, name) => {
    const server = await archiveServer(...days);
    const cacheDir = name && join(folder, name);
    // The last file hangs in its middle; the first one is held until then.
    server.replies.push({
      end: `${days.at(-1)!.path}`,
      reply: (_, response) => void response.writeHead(200, { 'content-length': '9999' }).write('x'),
    });
    const { child } = start(server.url, { cacheDir });
    await until('all but the last file', () => server.paths.length === 2 * DAYS, 20_000);
    // Who lives is not swept: this one runs beside the other, and ends.
    const beside = await start(server.url, { cacheDir }).said();
    expect(beside.digests).toEqual(expected);
    expect(leftIn(folder).some((path) => statSync(join(folder, path)).isFile())).toBe(true);
    const held = leftIn(folder);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    expect(leftIn(folder)).toEqual(held);
    server.paths.length = 0;
    const { digests, counts } = await start(server.url, { cacheDir }).said();
    expect(digests).toEqual(expected);
    expect(leftIn(folder)).toEqual([]);
    if (name === '') expect(readdirSync(join(folder, 'system'))).toEqual([]);
    else expect([counts.hits, counts.misses, server.paths.length]).toEqual([DAYS, 0, 0]);
  },
);

test('a process that can write no file of that size goes on without it, and leaves nothing', async () => {
  const server = await archiveServer(...days);
  const large = zipFor(days[3]!, 64);
  server.add(days[3]!, large);
  // Files of at most 16 kB.
  const { digests, counts } = await start(server.url, { limit: 'ulimit -f 16' }).said();
  expect(digests).toEqual(expected.with(3, 'refused'));
  expect(counts).toMatchObject({ misses: DAYS, errors: 1 });
  expect(leftIn(folder)).toEqual([]);
  // With room again it is fetched, and the others are there.
  const again = await start(server.url).said();
  expect(again.digests).toEqual(expected.with(3, sha256(large)));
  expect(again.counts).toMatchObject({ hits: DAYS - 1, misses: 1, errors: 0 });
});
