/** docs/seeds.md names tests: they must exist, and those of the seeds must be named. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const table = readFileSync(join(ROOT, 'docs/seeds.md'), 'utf8');

/** Titles in a test file: of `test`, `describe`, and their `each`, `skipIf`, `fails`. */
const titlesIn = (source: string): string[] =>
  [
    ...source.matchAll(
      /(?:^\s*(?:test|describe)(?:\.\w+)*(?:\(fixturesMissing\))?|\]\)|string, Fault\]\[\]\)|as const\))\(\s*(?:'((?:\\'|[^'\n])+)'|"([^"\n]+)")/gmu,
    ),
  ].map(([, single, double]) => (single ?? double ?? '').replaceAll("\\'", "'"));

const files = (below: string): string[] =>
  readdirSync(join(ROOT, below), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(ROOT, below, name), 'utf8'));

const named = [...table.matchAll(/“([^”]+)”/gu)].map(([, title]) => title!);

describe('docs/seeds.md', () => {
  test('names only tests that exist', () => {
    const known = new Set(files('test').flatMap(titlesIn));
    expect(known.size).toBeGreaterThan(100);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((title) => !known.has(title))).toEqual([]);
  });

  test.each([
    ['000', 19],
    ['004', 9],
  ])('names every test of seed %s', (seed, count) => {
    const source = readFileSync(join(ROOT, `test/collector/seed-${seed}.test.ts`), 'utf8');
    const titles = [...source.matchAll(/^ {2}test\('([^']+)'/gmu)].map(([, title]) => title!);
    expect(titles).toHaveLength(count);
    expect(titles.filter((title) => !named.includes(title))).toEqual([]);
  });

  test('leaves no row without a test, a later step, or the word out', () => {
    const rows = table
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (?:seed|behaviour|-)/u.test(line));
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => !/“|step [34]| out: /u.test(row))).toEqual([]);
  });
});
