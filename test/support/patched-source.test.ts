/** A patched source is what a plain Node process then imports; the file on the disk stays. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { patchSource } from './patched-source.ts';

const FILE = 'machines/model/ledger.ts';
const url = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
const PATCHER = url('test/support/patched-source.ts');

/** What a process of its own prints that runs these lines as a module. */
const printed = (...lines: readonly string[]): string =>
  execFileSync(process.execPath, ['--input-type=module', '--eval', lines.join('\n')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

test('a process imports the patched text, and the file as it is when the patch is taken back', () => {
  const before = readFileSync(new URL(`../../${FILE}`, import.meta.url), 'utf8');
  const lines = [
    `import { patchSource } from ${PATCHER};`,
    `const restore = patchSource('${FILE}', 'export function judge', 'export const patched = "<$&>"; export function judge');`,
    `const one = await import(${url(FILE)} + '?1');`,
    'restore();',
    `const two = await import(${url(FILE)} + '?2');`,
    'console.log(one.patched, two.patched, Object.keys(one).length - Object.keys(two).length);',
  ];
  expect(printed(...lines)).toBe('<$&> undefined 1');
  expect(readFileSync(fileURLToPath(new URL(`../../${FILE}`, import.meta.url)), 'utf8')).toBe(before);
});

test('patches of one file add up', () => {
  const lines = [
    `import { patchSource } from ${PATCHER};`,
    `patchSource('${FILE}', 'export function judge', 'export const a = 1; export function judge');`,
    `patchSource('${FILE}', 'export const a = 1;', 'export const a = 2;');`,
    `console.log((await import(${url(FILE)})).a);`,
  ];
  expect(printed(...lines)).toBe('2');
});

test.each([
  ['nowhere in the file', 'no such text'],
  ['there more than once', 'return'],
  ['empty', ''],
])('a text that is %s is refused', (_, find) => {
  expect(() => patchSource(FILE, find, 'x')).toThrow(/not exactly once/);
});
