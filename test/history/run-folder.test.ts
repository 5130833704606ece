import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunFolder } from '../../src/history/archive/run-folder.ts';
import { folder } from '../support/collector.ts';

test('what other programs keep beside the files of a run is not swept', async () => {
  const base = folder();
  const others = ['tmp/npm-3f1c', 'tmp/run-of-mine', 'runs'].map((name) => join(base, name));
  for (const path of others) mkdirSync(path, { recursive: true });
  const files = others.map((path) => join(path, 'run-notes.lock'));
  for (const path of files) writeFileSync(path, 'theirs');
  const dead = join(base, 'tmp', 'run-00000000-0000-4000-8000-000000000000');
  mkdirSync(dead);
  const run = RunFolder.open(base);
  expect(existsSync(dead)).toBe(false);
  expect(files.filter((path) => !existsSync(path))).toEqual([]);
  await run.close();
  expect(files.filter((path) => !existsSync(path))).toEqual([]);
  expect(readdirSync(join(base, 'tmp')).sort()).toEqual(['npm-3f1c', 'run-of-mine']);
});
