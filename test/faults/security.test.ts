/** What an attacker, or an accident that looks like one, could try; rows of which parts have tests of their own are there. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readChecksum } from '../../src/binance/archive.ts';
import { decodeFrame } from '../../src/binance/frame.ts';
import { readRetryAfter } from '../../src/binance/patience.ts';
import { COLLECT_READERS } from '../../src/cli/collect-settings.ts';
import { Refused } from '../../src/cli/flags.ts';
import { when } from '../../src/cli/when.ts';
import { ArchiveError, ConfigurationError } from '../../src/errors.ts';
import { ArchiveCache } from '../../src/history/archive/archive-cache.ts';
import { resolveOptions } from '../../src/options.ts';
import { namesOfSeries } from '../../src/store/blocks.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { filesBelow, ROOT } from '../architecture/source.ts';
import { bar } from '../pipeline/candles.ts';
import { useFolder } from '../store/stores.ts';
import { sha256 } from '../support/archive-files.ts';
import { within } from '../support/wait.ts';

const LEAST = { symbols: ['BTCUSDT'], intervals: ['1m'] };

/** Names of the options that are refused. */
function refused(more: object): string[] {
  try {
    resolveOptions({ ...LEAST, ...more });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ option }) => option);
    throw error;
  }
  return [];
}

describe('an exchange of one’s own', () => {
  const network = (wsUrl: string, restUrl: string) => ({ network: { wsUrl, restUrl, visionUrl: restUrl } });
  const ALL = ['network.wsUrl', 'network.restUrl', 'network.visionUrl'];

  test.each([
    'example.com',
    '10.0.0.1',
    '192.168.1.1',
    '0.0.0.0',
    '169.254.169.254',
    '127.0.0.1.example.com',
    'localhost.',
    '[::]',
    '[fe80::1]',
  ])('X03 is spoken to without TLS on this machine alone, not at %s', (host) => {
    expect(refused(network(`ws://${host}`, `http://${host}`))).toEqual(ALL);
    expect(refused(network(`wss://${host}`, `https://${host}`))).toEqual([]);
  });

  test.each([
    ['ftp://127.0.0.1', 'file:///etc/passwd'],
    ['javascript:alert(1)', 'data:text/plain,x'],
    ['gopher://127.0.0.1:6379', 'unix:/run/docker.sock'],
    ['wss://me:secret@h.example', 'https://me@h.example'],
    ['wss://h.example/elsewhere', 'https://h.example/latest/meta-data'],
    ['wss://h.example\\@127.0.0.1', 'https://h.example?to=http://127.0.0.1'],
  ])('X15 is neither at %s nor at %s', (wsUrl, restUrl) => {
    expect(refused(network(wsUrl, restUrl))).toEqual(ALL);
  });
});

describe('a store', () => {
  const { here, writer } = useFolder();

  test('X08 keeps a symbol that looks like SQL as a symbol', async () => {
    const symbols = [
      "x'; DROP TABLE candles--",
      '"candles"',
      'a\0b',
      '%_',
      '); DELETE FROM gaps; --',
      '?1',
      ':a',
    ];
    const store = writer();
    await store.open();
    const rows = symbols.map((symbol) => ({ candle: { ...bar(60_000), symbol } }));
    await store.commit(rows, 120_000);
    await store.close(120_000);
    const kept = namesOfSeries(here.path).map(({ symbol }) => symbol);
    expect(kept.sort()).toEqual([...symbols].sort());
  });
});

test('X08 no SQL is put together from anything but names and numbers of our own', () => {
  const found = filesBelow('src', '.ts').flatMap((path) => {
    const source = readFileSync(join(ROOT, path), 'utf8');
    const templates =
      source.match(/`[^`]*\b(?:SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|ATTACH|VACUUM)\b[^`]*`/gu) ?? [];
    return templates.flatMap((text) =>
      [...text.matchAll(/\$\{([^}]*)\}/gu)].map(([, inner]) => `${path}: ${inner}`),
    );
  });
  // Constants, tables and columns by name, and question marks; whatever comes from outside is bound.
  const allowed =
    /: (?:[A-Z][A-Z_]*(?:\.\w+)?|name|table|columns?|rows?|Array\(rows\).*|[a-z]+\.join\(.*\)|path|version)$/u;
  expect(found.filter((one) => !allowed.test(one))).toEqual([]);
});

describe('a megabyte of the worst text', () => {
  const long = (text: string): string => text.repeat(Math.ceil(1_048_576 / text.length));
  const TEXTS = ['0', '1.', ' ', '-', '?a', '//a@', '[[', '\u0031', 'Mon, ', '0,'];

  test.each(TEXTS)('X18 of %j is read or refused at once, whoever reads it', (text) => {
    const hostile = long(text);
    const readers: [string, () => unknown][] = [
      ['frame', () => decodeFrame(Buffer.from(hostile))],
      ['checksum', () => readChecksum(hostile, 'x.zip')],
      ['wait', () => readRetryAfter(hostile, 0)],
      ['moment', () => when(hostile)],
      [
        'options',
        () =>
          resolveOptions({
            ...LEAST,
            symbols: [hostile],
            store: `${hostile}\0`,
            [hostile]: 1,
            network: { wsUrl: hostile, restUrl: hostile },
          }),
      ],
      ...Object.entries(COLLECT_READERS).map(([name, read]): [string, () => unknown] => [
        name,
        () => read(hostile),
      ]),
    ];
    for (const [name, read] of readers) {
      const before = performance.now();
      try {
        read();
      } catch (error) {
        const isOurs =
          error instanceof Refused || error instanceof ConfigurationError || error instanceof ArchiveError;
        expect(isOurs, `${name}: ${error}`).toBe(true);
      }
      expect(performance.now() - before, name).toBeLessThan(1_000);
    }
  });
});

describe('where everybody may read what is made', () => {
  let folder: string;
  let umask: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'candlestate-umask-'));
    umask = process.umask(0);
  });
  afterEach(() => {
    process.umask(umask);
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test('X19 the cache is for its owner alone, and so is what is temporary', async () => {
    vi.stubEnv('TMPDIR', folder);
    for (const cacheDir of [join(folder, 'cache'), undefined]) {
      const cache = new ArchiveCache({
        cacheDir,
        maxBytes: undefined,
        clock: systemClock,
        logger: undefined,
        counts: { errors: 0 },
      });
      await cache.put('https://h/a.zip', sha256(Buffer.from('a')), Buffer.from('a'), undefined);
      const made = readdirSync(folder).map((name) => join(folder, name));
      expect(made.map((path) => [path, (statSync(path).mode & 0o777).toString(8)])).toEqual(
        made.map((path) => [path, '700']),
      );
      await cache.close();
    }
  });
});

describe('a process that is told to open its debugger', () => {
  test('X20 does not where Node was told --disable-sigusr1', async () => {
    const main = join(ROOT, 'src/cli/main.ts');
    const child = spawn(
      process.execPath,
      ['--disable-sigusr1', '--disable-warning=ExperimentalWarning', main, 'simulate'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.once('close', resolve));
    await within('the URLs', new Promise((resolve) => child.stdout.once('data', resolve)));
    child.kill('SIGUSR1');
    child.kill('SIGTERM');
    await within('the end', ended);
    expect(stderr).not.toContain('Debugger listening');
  });

  test('X20 the documentation says how', () => {
    expect(readFileSync(join(ROOT, 'docs/watching.md'), 'utf8')).toContain('--disable-sigusr1');
  });
});
