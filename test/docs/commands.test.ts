/** Commands that the documents show are commands, with flags that there are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { emptyFolder, start } from '../cli/child.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const scripts = Object.keys(JSON.parse(read('package.json')).scripts);

/** The ways to call the program, and what of them is the command. */
const CALL =
  /(?:(?:npm run candlestate --|node (?:src\/cli\/main\.ts|dist\/cli\.js)|npx candlestate) (?<command>[a-z]+)|npm start --)(?<flags>(?: (?!`)[^\s`|]+)*)/gu;

const calls = documents.flatMap((path) =>
  [...read(path).matchAll(CALL)].map(({ groups }) => ({
    path,
    command: groups?.['command'] ?? 'collect',
    flags: (groups?.['flags'] ?? '').match(/--[a-z-]+/gu) ?? [],
  })),
);

const helps = new Map<string, Promise<Set<string>>>();
/** The flags that the help of a command tells. */
const flagsOf = (command: string): Promise<Set<string>> => {
  const known =
    helps.get(command) ??
    start([command, '--help'], { cwd: emptyFolder() })
      .ended()
      .then(({ code, stdout }) => {
        expect([command, code]).toEqual([command, 0]);
        return new Set(stdout.match(/--[a-z-]+/gu));
      });
  helps.set(command, known);
  return known;
};

test('every flag of a command is one that its help tells', { timeout: 30_000 }, async () => {
  const commands = [...new Set(calls.map(({ command }) => command))];
  expect(commands.sort()).toEqual(expect.arrayContaining(['collect', 'export', 'history', 'verify']));
  const known = new Map<string, Set<string>>();
  for (const command of commands) known.set(command, await flagsOf(command));
  const wrong = calls.flatMap(({ path, command, flags }) =>
    flags
      .filter((flag) => known.get(command)?.has(flag) !== true)
      .map((flag) => `${path}: ${command} ${flag}`),
  );
  expect(wrong).toEqual([]);
});

test.each([
  ['docs/history.md', ['history', 'verify', 'export'], 6],
  ['docs/watching.md', ['collect'], 5],
  ['docs/monitoring/README.md', ['collect'], 1],
])('every flag that %s names is one of %s', { timeout: 30_000 }, async (path, commands, atLeast) => {
  const known = new Set((await Promise.all(commands.map(flagsOf))).flatMap((flags) => [...flags]));
  const named = [...read(path).matchAll(/`(--[a-z][a-z-]*)/gu)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThanOrEqual(atLeast);
  expect(named.filter((flag) => !known.has(flag))).toEqual([]);
});

test('every script that is named is one of package.json', () => {
  const named = documents.flatMap((path) =>
    [...read(path).matchAll(/npm run ([a-z][a-z:-]*)/gu)].map((match) => ({ path, name: match[1] ?? '' })),
  );
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter(({ name }) => !scripts.includes(name))).toEqual([]);
});
