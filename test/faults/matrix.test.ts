/** Every row of the fault matrix has a test or a reason why not, and docs/fault-matrix.md says which. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesBelow, ROOT, read } from '../architecture/source.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';
import {
  BEGIN,
  between,
  drawnIn,
  END,
  GROUPS,
  reasonsIn,
  rowsOf,
  shownBy,
  tablesOf,
  unshownIn,
} from './matrix.ts';

const DOCUMENT = 'docs/fault-matrix.md';
const COMMAND = 'UPDATE=1 npx vitest run test/faults/matrix.test.ts';

/** By all tests and commands but this one, whose samples are titles of none. */
const shown = filesBelow('test', '.ts')
  .filter((path) => !path.endsWith('matrix.test.ts'))
  .flatMap((path) => shownBy(path, read(path)));

/** What the simulation draws: faults among many, of which no test is named. */
const drawn = new Set(filesBelow('test/simulation/draw', '.ts').flatMap((path) => drawnIn(read(path))));

/** Where the matrix itself is not at hand, the document has its rows too. */
const written = rowsOf(between(read(DOCUMENT), BEGIN, END));
const rows = fixturesMissing ? written : rowsOf(readFileSync(shared('reference/fault-matrix.md'), 'utf8'));
const reasons = reasonsIn(read(DOCUMENT));
const unshown = unshownIn(read(DOCUMENT));

describe('the fault matrix', () => {
  const tested = new Set(shown.map(({ id }) => id));
  const known = new Set(rows.map(({ id }) => id));

  test.skipIf(fixturesMissing)('is read: 120 rows and 21 about security, each once', () => {
    const counts = Object.keys(GROUPS).map((group) => rows.filter(({ id }) => id.startsWith(group)).length);
    expect(counts).toEqual([23, 11, 16, 15, 6, 18, 9, 12, 7, 3, 21]);
    expect(known.size).toBe(141);
  });

  test('has a test for each row, or a reason why there is none', () => {
    expect([...known].filter((id) => !tested.has(id) && !reasons.has(id))).toEqual([]);
  });

  test('has a row for each test that is named after one', () => {
    expect(shown.filter(({ id }) => !known.has(id))).toEqual([]);
    expect([...drawn].filter((id) => !known.has(id))).toEqual([]);
  });

  test('gives a reason only for a row that it has, and that has no test', () => {
    expect([...reasons.keys()].filter((id) => tested.has(id) || !known.has(id))).toEqual([]);
    for (const [id, reason] of reasons) expect(reason.length, id).toBeGreaterThan(40);
  });

  test('says what is not shown only of a row that it has, and that has a test', () => {
    expect([...unshown.keys()].filter((id) => !tested.has(id) || !known.has(id))).toEqual([]);
    for (const [id, words] of unshown) expect(words.length, id).toBeGreaterThan(40);
  });

  test(`is in ${DOCUMENT}, with the files that show each row`, () => {
    const text = read(DOCUMENT);
    const [before = '', after = ''] = [text.split(BEGIN)[0], text.split(END)[1]];
    const made = `${before}${BEGIN}\n${tablesOf(rows, { shown, drawn, reasons, unshown })}\n${END}${after}`;
    if (process.env['UPDATE'] === '1') writeFileSync(`${ROOT}/${DOCUMENT}`, made);
    expect(read(DOCUMENT), `stale; write it again with: ${COMMAND}`).toBe(made);
  });
});

describe('titles are found', () => {
  test.each([
    ["test('C01 a name that is not known', async () => {", ['C01']],
    ["  test.each([1, 2])('P03 %s', () => {", ['P03']],
    ["test.each([\n    ['a'],\n  ] as const)(\n    'D11 %s',", ['D11']],
    ['describe.skipIf(x)("all", () => { test("H07 pages", f); });', ['H07']],
    ["describe('X12 cut off is', () => {", ['X12']],
    ["describe('X14', () => { test('of another', f); });", []],
    ["  ['C18 a close frame with 1008', 1008],", ['C18']],
    ["const text = 'see C01'; expect(text).toBe('C1');", []],
    ["test.each(names)('L01 %s ends in time', f)", ['L01']],
    ["test('Q01 of another table', f)", []],
  ])('%j', (source, ids) => {
    expect(shownBy('test/x.test.ts', source).map(({ id }) => id)).toEqual(ids);
  });

  const idsIn = (path: string, source: string): string[] => shownBy(path, source).map(({ id }) => id);

  test('of a command in the comment at its head, but not of a test there', () => {
    const source = '/**\n * For hours.\n * Rows of the fault matrix: B04, T01.\n */\n';
    expect(idsIn('test/soak/soak.ts', source)).toEqual(['B04', 'T01']);
    expect(idsIn('test/soak/soak.test.ts', source)).toEqual([]);
  });

  test('of cases that a test and a command share', () => {
    const source =
      "const full = { name: 'S06 no file may grow' }; made(1, `L11 a fault`); row = 'S07'; at('T00:00');";
    expect(idsIn('test/endings/deaths.ts', source)).toEqual(['S06', 'L11']);
    expect(idsIn('test/endings/deaths.test.ts', source)).toEqual([]);
  });
});

test('faults that are drawn are found', () => {
  expect(drawnIn("[{ row: 'S01', weight: 4 }, stop('L01', hows), 'T01 is a title']")).toEqual(['S01', 'L01']);
});

describe('the document is read', () => {
  const text = `${BEGIN}| A01 | a \\| b | none |\n${END}\n## Rows without a test\n\n| A01 | since |\n\n## More\n| A02 | x |\n\n## Shown in part\n| A03 | this not |\n`;

  test('rows with their faults, bars that are quoted in them included', () => {
    expect(rowsOf(between(text, BEGIN, END))).toEqual([{ id: 'A01', fault: 'a \\| b' }]);
  });

  test('reasons from their own section alone', () => {
    expect([...reasonsIn(text)]).toEqual([['A01', 'since']]);
    expect([...unshownIn(text)]).toEqual([['A03', 'this not']]);
  });
});
