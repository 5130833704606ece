/** Every row of the fault matrix about connections, messages, data and history has a test, or a reason why not. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesBelow, ROOT } from '../architecture/source.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';

/** Rows without a test, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {};

/** Groups of rows of which each must have a test. */
const GROUPS = 'CPDH';
/** Groups whose ids must be right where a title begins with one; not all of their rows have a test yet. */
const BEGUN = 'LBAX';

/** Ids of the rows, as they stand in the tables. */
const rowsOf = (matrix: string, groups = GROUPS): string[] =>
  [...matrix.matchAll(new RegExp(`^\\| ([${groups}]\\d\\d) \\|`, 'gmu'))].map(([, id]) => id!);

/**
 * Ids at the start of test titles, with the file. Titles are the first text behind `test(`, `test.each(…)(` and the
 * like; a title in a row of a table begins a line.
 */
function titled(path: string, source: string): { id: string; path: string }[] {
  const starts = new RegExp(
    `(?:\\b(?:test|it)(?:\\.\\w+)*\\(\\s*|\\)\\(\\s*|^\\s*\\[?\\s*)(['"\`])([${GROUPS}${BEGUN}]\\d\\d)\\b`,
    'gmu',
  );
  return [...source.matchAll(starts)].map(([, , id]) => ({ id: id!, path }));
}

/** Of all tests but this one, whose samples are titles of none. */
const titles = filesBelow('test', '.test.ts')
  .filter((path) => !path.endsWith('matrix.test.ts'))
  .flatMap((path) => titled(path, readFileSync(`${ROOT}/${path}`, 'utf8')));

describe.skipIf(fixturesMissing)('the fault matrix', () => {
  // The body runs, so that its tests can be skipped by name, also where there is nothing to read.
  const matrix = fixturesMissing ? '' : readFileSync(shared('reference/fault-matrix.md'), 'utf8');
  const rows = rowsOf(matrix);
  const tested = new Set(titles.map(({ id }) => id));

  test('is read: 23 rows C, 11 P, 16 D, 15 H', () => {
    const counts = [...GROUPS].map((group) => rows.filter((id) => id.startsWith(group)).length);
    expect(counts).toEqual([23, 11, 16, 15]);
  });

  test('has a test for each row, or a reason why there is none', () => {
    expect(rows.filter((id) => !tested.has(id) && !(id in LEFT_OUT))).toEqual([]);
  });

  test('has a row for each test that is named after one', () => {
    const all = rowsOf(matrix, GROUPS + BEGUN);
    expect(titles.filter(({ id }) => !all.includes(id))).toEqual([]);
  });

  test('leaves out no row that has a test, or that it does not have', () => {
    expect(Object.keys(LEFT_OUT).filter((id) => tested.has(id) || !rows.includes(id))).toEqual([]);
    for (const [id, reason] of Object.entries(LEFT_OUT)) expect(reason.length, id).toBeGreaterThan(20);
  });
});

describe('titles are found', () => {
  test.each([
    ["test('C01 a name that is not known', async () => {", ['C01']],
    ["  test.each([1, 2])('P03 %s', () => {", ['P03']],
    ["test.each([\n    ['a'],\n  ] as const)(\n    'D11 %s',", ['D11']],
    ['describe.skipIf(x)("all", () => { test("H07 pages", f); });', ['H07']],
    ["  ['C18 a close frame with 1008', 1008],", ['C18']],
    ["const text = 'see C01'; expect(text).toBe('C1');", []],
    ["test.each(names)('L01 %s ends in time', f)", ['L01']],
    ["test('S01 of another table', f)", []],
  ])('%j', (source, ids) => {
    expect(titled('x', source).map(({ id }) => id)).toEqual(ids);
  });
});
