import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = join(root, 'docs/examples');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Runs an example as a user would, in an empty folder; the package's own name leads to the sources. */
async function runExample(file: string, output: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-example-'));
  const flags = ['--conditions=candlestate-source', '--disable-warning=ExperimentalWarning'];
  try {
    const outputs = await promisify(execFile)(process.execPath, [...flags, join(examples, file)], {
      cwd: folder,
      timeout: 30_000,
    });
    return outputs[output];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the examples', () => {
  test('collect.ts shows three candles and a clean stop', { timeout: 40_000 }, async () => {
    const lines = (await runExample('collect.ts')).trim().split('\n');
    expect(lines.filter((line) => / close \d/.test(line))).toHaveLength(3);
    expect(lines).toContain('connecting → streaming');
    expect(lines.at(-1)).toMatch(/^clean: true, in memory: \{"BTCUSDT@1m":\d+,"ETHUSDT@1m":\d+\}$/);
  });

  test('own-exchange.ts loses no bar across a dropped connection', { timeout: 40_000 }, async () => {
    expect(await runExample('own-exchange.ts')).toBe('40 candles in a row, across a dropped connection\n');
  });

  test('health.ts is well when it streams, and has its figures', { timeout: 40_000 }, async () => {
    const lines = (await runExample('health.ts')).trim().split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'before: not well, initialized',
      'forming: behind the last',
      'then: well, {"live":1}',
    ]);
    expect(lines[3]).toMatch(/^closes [1-9]\d*, commits [1-9]\d*, weight [1-9]\d* of 2400$/);
    expect(lines[4]).toBe('connections closed: 0, open gaps: 0');
  });

  test("history.ts fetches recent and historical candles, from where they are, and keeps the archive's files", {
    timeout: 40_000,
  }, async () => {
    const lines = (await runExample('history.ts')).trim().split('\n');
    expect(lines[0]).toMatch(/^recent: (58|59|60) candles, the first of rest$/);
    expect(lines[1]).toBe('a week: rest and vision, missing: 0');
    const turns = lines
      .slice(2)
      .map((line) => /^(\w+): (\d+) candles, (\d+) hits, (\d+) misses, 0 errors$/.exec(line));
    const [first, second] = turns.map((turn) => turn?.slice(1, 5));
    expect(first?.slice(0, 2)).toEqual(['first', '480']);
    expect(first?.[2]).toBe('0');
    expect(Number(first?.[3])).toBeGreaterThanOrEqual(20);
    expect(second).toEqual(['second', '480', first?.[3], '0']);
  });

  test('application.ts starts its components in order, stops them in reverse, and leaves nothing', {
    timeout: 40_000,
  }, async () => {
    const log = await runExample('application.ts', 'stderr');
    const order = [
      'connecting → streaming',
      'trading begins',
      'positions closed timeoutMs=',
      'streaming → stopping reason=finished',
      'stopping → stopped',
      'stopped in ',
    ];
    const found = order.map((text) => log.indexOf(text));
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(found).not.toContain(-1);
    expect(log.trimEnd()).toMatch(
      /trader closed .* collector closed .* store closed .* checks ok clean=true$/,
    );
  });

  test('cleanup.ts keeps its deadline, and says what came of each task', { timeout: 40_000 }, async () => {
    expect(await runExample('cleanup.ts')).toBe(
      'temporary folder: closed, farewell to a server: forced, a bad idea: failed; ' +
        'cancelled: farewell to a server; errors: 1\n',
    );
  });

  test('watch.ts is asked for health and metrics, and ends', { timeout: 40_000 }, async () => {
    const lines = (await runExample('watch.ts')).trim().split('\n');
    expect(lines[0]).toMatch(/^open http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(lines[1]).toBe('before: 503');
    expect(lines[2]).toMatch(/^while it streams: 200 \{.*"ok":true.*"state":"streaming"/);
    const said = JSON.parse(lines[2]?.slice('while it streams: 200 '.length) ?? '') as object;
    const table = read('docs/monitoring/README.md')
      .split('<!-- healthz -->')[1]
      ?.split('<!-- /healthz -->')[0];
    expect([...(table ?? '').matchAll(/^\| `(\w+)`/gmu)].map(([, key]) => key).sort()).toEqual(
      Object.keys(said).sort(),
    );
    expect(lines[3]).toMatch(/^candlestate_streams\{state="live"\} 1$/);
  });

  test('each one is run here, a folder in a file of its own', () => {
    const source = readFileSync(fileURLToPath(import.meta.url), 'utf8');
    for (const entry of readdirSync(examples, { withFileTypes: true }))
      if (entry.isFile()) expect(source).toContain(`runExample('${entry.name}'`);
      else expect(read(`test/docs/${entry.name}.test.ts`)).toContain("'main.ts --paper --duration 60s'");
  });
});

describe('the README', () => {
  test.each(['README.md', 'docs/stopping.md', 'docs/watching.md', 'docs/library.md'])(
    'and the documents show programs word for word: %s',
    (file) => {
      const marked = /<!-- example: (\S+) -->\n```ts\n([\s\S]*?)```/g;
      const shown = [...read(file).matchAll(marked)];
      expect(shown.length).toBeGreaterThan(0);
      for (const [, path, code] of shown)
        expect(code).toBe(
          read(path!)
            .replace(/^\/\*\*[\s\S]*?\*\/\n/, '')
            .trimStart(),
        );
    },
  );

  test('names only scripts and files that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const text = read('README.md');
    for (const [, name] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([name!]);
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g))
      expect(() => read(link!)).not.toThrow();
    for (const [, path] of text.matchAll(/node (src\/\S+\.ts)/g)) expect(() => read(path!)).not.toThrow();
  });

  test('gives the two commands that a new user needs, on lines of their own', () => {
    const lines = read('README.md').split('\n');
    expect(lines).toContain('npm ci && npm start');
    expect(lines).toContain('npm ci && npm test');
  });
});
