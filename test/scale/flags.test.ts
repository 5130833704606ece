/** What the commands of scale may be told, said before anything is started. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { burstFlags, pressureFlags } from './flags.ts';

test.each([
  ['symbols', '0'],
  ['symbols', '1.5'],
  ['frames-per-second', '0'],
  ['spread', ''],
  ['buffer-size', 'many'],
  ['memory-mib', 'x'],
])('scale:burst --%s=%s is refused by name', (flag, value) => {
  expect(() => burstFlags([`--${flag}=${value}`])).toThrow(`--${flag}: ${value}`);
});

test.each([
  ['time-scale', '0'],
  ['seconds', 'x'],
  ['buffer-size', '0'],
  ['while', 'nobody,somebody'],
  ['while', 'toString'],
])('scale:pressure --%s=%s is refused by name', (flag, value) => {
  expect(() => pressureFlags([`--${flag}=${value}`], ['nobody', 'store'])).toThrow(`--${flag}: `);
});

test('they have what is in their heads when they are told nothing', () => {
  expect(burstFlags([])).toMatchObject({ symbols: 667, spreadMs: 1_000, memoryMiB: 150, short: false });
  expect(burstFlags(['--node-args=']).nodeArgs).toEqual([]);
  expect(pressureFlags([], ['nobody', 'store'])).toMatchObject({
    seconds: 30,
    situations: ['nobody', 'store'],
  });
});

test.each(['burst', 'pressure'])('an unknown flag ends %s with 2, in a line', (name) => {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--hours'], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--hours');
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
