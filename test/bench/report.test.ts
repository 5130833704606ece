/** What becomes of results: ratios, the table, what was recorded, and what the command line may say. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lossesOf, readBaseline, recorded, writeBaseline } from './baseline.ts';
import { ENTRIES, FLOOR, OURS } from './contenders/catalog.ts';
import { readFlags } from './flags.ts';
import { complaintsOf, HEAD, lineOf, markdownOf, missesOf, placed, type Report, tablesIn } from './report.ts';
import type { Measured, Result } from './round.ts';

const measured = (cpuUsPerMessage: number): Measured => ({
  ...{ cpuUsPerMessage, messagesPerSecond: 1e6 / cpuUsPerMessage, busy: 1, peakRss: 2 ** 20 },
  ...{ delayP50Ms: 1, delayP99Ms: 2 },
});
const closed = ENTRIES.find(({ id }) => id === 'closed')!;
const floor = ENTRIES.find(({ id }) => id === FLOOR)!;
const rounds = (ours: readonly Result[], theirs: readonly Result[]) =>
  new Map([
    ['closed', ours],
    [FLOOR, theirs],
  ]);

const reportOf = (results: ReadonlyMap<string, readonly Result[]>): Report => ({
  ...{ date: '2026-01-05T12:00:00.000Z', machine: 'a machine', versions: { Node: '24' } },
  tables: [
    {
      ...{ streams: 100, frames: 1_000, closes: 4, warmFrames: 300, rounds: 3 },
      lines: [lineOf(floor, results), lineOf(closed, results)],
    },
  ],
});
const CLOSED = new Set(['closed']);

test('a ratio is of the same round: a round in which the machine was slow for all changes nothing', () => {
  const results = rounds([1, 20, 2].map(measured), [2, 40, 4].map(measured));
  expect(lineOf(closed, results)).toMatchObject({ cpuUsPerMessage: 2, cpu: 0.5, speed: 2 });
  // The ratio of the medians would be 1.
  const shuffled = rounds([1, 4, 2].map(measured), [4, 1, 2].map(measured));
  expect(lineOf(closed, shuffled).cpu).toBe(1);
  expect(lineOf(closed, rounds([1, 2, 9].map(measured), [2, 8, 9].map(measured))).cpu).toBe(0.5);
});

test('a round in which the floor failed gives no ratio, and one that failed no figure', () => {
  const results = rounds(
    [measured(1), { failure: 'it broke' }, measured(3)],
    [{ failure: 'it broke' }, measured(2), measured(4)],
  );
  expect(lineOf(closed, results)).toMatchObject({ cpu: 0.75, cpuUsPerMessage: 2, failures: ['it broke'] });
  expect(markdownOf(reportOf(results))).toContain('(**failed 1 times**)');
});

test('a loss of more than 15 % against what was recorded is told, and so is what was never recorded', () => {
  const at = (cpu: number) => reportOf(rounds([measured(cpu)], [measured(10)]));
  const file = join(mkdtempSync(join(tmpdir(), 'candlestate-baseline-')), 'baseline.json');
  expect(readBaseline(file)).toBeUndefined();
  writeBaseline(recorded(at(2), CLOSED), file);
  const baseline = readBaseline(file);
  expect(baseline?.ratios).toEqual({ '100 streams, 1000 frames': { closed: 0.2 } });
  expect(lossesOf(at(2.2), CLOSED, baseline)).toEqual([]);
  expect(lossesOf(at(2.4), CLOSED, baseline)).toEqual([
    "closed, 100 streams, 1000 frames: 0.24 of the floor's processor time, was 0.2 (+20 %)",
  ]);
  expect(lossesOf(at(2), CLOSED, undefined)).toEqual([
    'closed, 100 streams, 1000 frames: nothing recorded; --record does',
  ]);
  // A short round has more of the warming up in it: it would hide what a long one has lost.
  const [table] = at(2).tables;
  const long = { ...at(2), tables: [{ ...table!, frames: 3_000 }] };
  expect(lossesOf(long, CLOSED, baseline)).toEqual([
    'closed, 100 streams, 3000 frames: nothing recorded; --record does',
  ]);
  expect(Object.keys(recorded(long, CLOSED, baseline).ratios)).toEqual([
    '100 streams, 1000 frames',
    '100 streams, 3000 frames',
  ]);
});

test('a target that is missed is told by name, and one that is just reached is not', () => {
  const at = (cpu: number) => [lineOf(closed, rounds([measured(cpu)], [measured(10)]))];
  expect(missesOf(at(3.3))).toEqual([]);
  expect(missesOf(at(3.31))).toEqual(["closed: 0.331 of the floor's processor time, the target is 0.33"]);
});

test('who sees other frames than there were stands out, and more of them are a complaint, whoever it is', () => {
  const saw = (got: number, wrong: number): Result => ({ ...measured(1), seen: { got, of: 9, wrong } });
  const few = lineOf(floor, rounds([], [saw(8, 0)]));
  const many = lineOf(floor, rounds([], [saw(9, 2)]));
  expect([complaintsOf(few, false), complaintsOf(few, true)]).toEqual([[], ['floor: seen **8 of 9**']]);
  expect(complaintsOf(many, false)).toEqual(['floor: seen **9 of 9, 2 wrong**']);
  expect(markdownOf(reportOf(rounds([saw(8, 0)], [saw(9, 2)])))).toMatch(
    /\(saw \*\*9 of 9, 2 wrong\*\* frames\)[\s\S]*\(saw \*\*8 of 9\*\* frames\)/u,
  );
});

test.each(['--check', '--record'])('%s without any of candlestate is refused by name', (flag) => {
  expect(() => readFlags([flag, '--only', 'raw'])).toThrow(`${flag}: `);
  expect(readFlags([flag, '--only', 'raw,store']).only).toContain('store');
});

test('the table goes between its markers, and nowhere else', () => {
  const page = 'a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n';
  const table = markdownOf(reportOf(rounds([measured(1)], [measured(4)])));
  const once = placed(page, table);
  expect(once).toMatch(/^a\n<!-- bench -->\n\nMeasured 2026-01-05 on a machine; Node 24\./u);
  expect(once).toContain('| 0.25 (≤ 0.33) |');
  expect(once).not.toContain('old');
  expect(placed(once, table)).toBe(once);
  expect(() => placed('a', table)).toThrow('<!-- bench -->');
});

test('the table of the README is one that the command wrote: of a day and a machine, of all contenders, nothing lost', () => {
  const page = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const [measuredOn = '', ...lines] = tablesIn(page).split('\n');
  expect(measuredOn).toMatch(
    /^Measured \d{4}-\d\d-\d\d on \S.*, \d+ processors, \d+ GiB, \w+, load [\d.]+, .*pinned; Node [\d.]+, candlestate /u,
  );
  const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.slice(2, -2).split(' | '));
  const tables = lines.filter((line) => /^\*\*[\d,]+ streams\*\*, [\d,]+ frames a round/u.test(line)).length;
  expect(rows.filter((cells) => cells.join() === HEAD.join())).toHaveLength(tables);
  const titles = rows.map(([title = '']) => title.replace(/ \(saw .*\)$/u, ''));
  const wanted = ['', '---', ...ENTRIES.map(({ title }) => title)];
  expect(titles).toEqual(Array.from({ length: Math.max(1, tables) }, () => wanted).flat());
  const ours = rows.filter(([title]) => title?.startsWith('**candlestate**'));
  for (const [, perSecond, , cpu, , , , delivered, stored] of ours) {
    expect([Number(perSecond?.replaceAll(',', '')), Number(cpu)].every((figure) => figure > 0)).toBe(true);
    expect(delivered).toMatch(/^100 % of [\d,]+$/u);
    expect([delivered, '–']).toContain(stored);
  }
});

test.each([
  ['--rounds', '0'],
  ['--frames', 'many'],
  ['--streams', '100,101'],
  ['--streams', '100,100'],
  ['--only', 'floor,nobody'],
  ['--only', 'ccxt'],
  ['--out', 'table.txt'],
  ['--readme', 'README'],
  ['--baseline', 'baseline'],
])('%s %s is refused by name', (flag, value) => {
  expect(() => readFlags([`${flag}=${value}`])).toThrow(`${flag}: `);
});

test('what is candlestate is known, whatever the folder is called that all of this is in', () => {
  expect([...OURS]).toEqual(['closed', 'updates', 'store', 'updates-store', 'inspector', 'store-inspector']);
});

test('the floor is always among those that are asked for', () => {
  expect(readFlags(['--only', 'closed']).only).toEqual(['closed', FLOOR]);
});
