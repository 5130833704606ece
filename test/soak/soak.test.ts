/** The command: what it takes, and what its picture shows. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FIGURES } from './figures.ts';
import { readFlags } from './flags.ts';
import { drawPicture } from './plot.ts';
import { verdictOf } from './slope.ts';

test.each([
  ['--minutes', '0'],
  ['--minutes', 'ten'],
  ['--minutes', ''],
  ['--minutes', 'Infinity'],
  ['--seed', '1.5'],
  ['--seed', '-1'],
  ['--streams', '41'],
  ['--streams', '0x'],
  ['--svg', ' '],
])('%s %s is refused by name', (flag, value) => {
  expect(() => readFlags([`${flag}=${value}`])).toThrow(`${flag}: `);
});

test('a flag that there is not ends it with 2, and is named', () => {
  const script = fileURLToPath(new URL('./soak.ts', import.meta.url));
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, '--hours', '1'], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--hours');
});

test('the picture has a panel with unit and judgement for each figure, marks each fault, and takes any text', () => {
  const points = Array.from({ length: 100 }, (_, index) => ({ atMs: index * 5_000, value: 40 + index }));
  const verdict = verdictOf(FIGURES.heap, points, 120_000);
  const picture = drawPicture({
    title: 'A <soak> & more',
    subtitle: '',
    panels: [{ figure: FIGURES.heap, points, verdict }],
    strikes: [{ atMs: 9_000, target: 'network', name: 'reset', fault: { kind: 'reset', path: 'both' } }],
    lives: [{ death: 'SIGKILL', fromMs: 0, toMs: 60_000 }],
    lengthMs: 500_000,
    warmUpMs: 120_000,
  });
  expect(picture).toContain('A &lt;soak&gt; &amp; more');
  expect(picture).toContain(FIGURES.heap.name);
  expect(picture).toMatch(/>GROWS: \+\d+ MB, for sure \+\d+ MB; allowed 3\.\d MB</u);
  expect(picture).toMatch(/>100 MB</u);
  expect(picture).toContain('<title>reset, 9 s</title>');
  expect(picture).toContain('<title>SIGKILL, 60.0 s</title>');
  expect(picture).not.toMatch(/NaN|undefined|Infinity/u);
});
