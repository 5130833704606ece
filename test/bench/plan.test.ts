/** What a round is made of, and where its figures go: said and tried before anything is measured. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { barsOf, closesOf, framesOf } from './frames.ts';
import { checkOutputs } from './outputs.ts';
import { courseOf } from './plan.ts';

test.each([
  [100, 300_000],
  [1_000, 300_000],
  [100, 100_000],
  [4, 1_000],
])(
  'of %i streams and about %i frames, 1 in 250 closes a bar, and all intervals close at the end',
  (streams, frames) => {
    const { plan, warmMinutes } = courseOf(streams, frames);
    const measured = framesOf(plan) - framesOf(plan, warmMinutes);
    const closes = barsOf(plan) - barsOf(plan, warmMinutes);
    expect(plan.symbols.length * plan.intervals.length).toBe(streams);
    expect(Math.abs(measured / frames - 1)).toBeLessThan(0.1);
    expect(Math.abs(measured / closes / 250 - 1)).toBeLessThan(0.01);
    const before = { ...plan, minutes: plan.minutes - 1 };
    for (const interval of plan.intervals)
      expect(closesOf(plan, interval).length).toBe(closesOf(before, interval).length + 1);
  },
);

const folder = mkdtempSync(join(tmpdir(), 'candlestate-outputs-'));
const nowhere = (name: string): string => join(folder, 'nowhere', name);
const written = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const NONE = { out: [], readme: undefined, check: false, record: false, baseline: undefined };

test.each([
  ['--out', { out: [nowhere('table.json')] }],
  ['--readme', { readme: nowhere('README.md') }],
  ['--readme', { readme: written('bare.md', '# no place for a table\n') }],
  ['--check', { check: true, baseline: nowhere('baseline.json') }],
  ['--baseline', { check: true, baseline: written('broken.json', '{') }],
  ['--baseline', { record: true, baseline: nowhere('baseline.json') }],
])('%s is refused by name when it cannot be used: %o', (flag, outputs) => {
  expect(() => checkOutputs({ ...NONE, ...outputs })).toThrow(`${flag}: ${folder}`);
});

test('what can be written is left as it was', () => {
  const page = '<!-- bench -->\nold\n<!-- /bench -->\n';
  const readme = written('README.md', page);
  const before = readdirSync(folder);
  checkOutputs({ ...NONE, out: [join(folder, 'new.json'), join(folder, 'new.md')], readme });
  expect(readFileSync(readme, 'utf8')).toBe(page);
  expect(readdirSync(folder)).toEqual(before);
});

test.each([
  ['--hours', '1'],
  ['--out', nowhere('table.json')],
])('%s %s ends it with 2, and is named in a line, before anything is measured', (flag, value) => {
  const script = fileURLToPath(new URL('./bench.ts', import.meta.url));
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, flag, value], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(flag);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(existsSync(nowhere(''))).toBe(false);
});
