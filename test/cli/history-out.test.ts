import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HistoryPlanned, planHistoryCommand } from '../../src/cli/history-settings.ts';
import { planJson, planText } from '../../src/cli/history-words.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { emptyFolder } from './child.ts';

const NEEDED = { symbol: 'BTCUSDT', interval: '1m', from: '2026-02-01', to: '2026-02-02' };
const planned = (flags: object): HistoryPlanned => planHistoryCommand({ ...NEEDED, ...flags }, {});

function refused(flags: object): string[] {
  try {
    planned(flags);
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.issues.map(({ option, allowed }) => `${option} ${allowed}`);
    throw error;
  }
  return [];
}

describe('--out', () => {
  test('is refused before anything is begun where a file is, unless it may be replaced', () => {
    const out = join(emptyFolder(), 'a.csv');
    expect(planned({ out }).options).toMatchObject({ out, replace: undefined });
    writeFileSync(out, 'old');
    expect(refused({ out })).toEqual(['--out a name that is free, or --force to replace that file']);
    expect(refused({ out, dryRun: true })).toHaveLength(1);
    expect(planned({ out, force: true }).options).toMatchObject({ out, replace: true });
  });

  test('is refused where no file can be', () => {
    const folder = emptyFolder();
    mkdirSync(join(folder, 'b.csv'));
    expect(refused({ out: join(folder, 'b.csv'), force: true })).toEqual([
      '--out the path of a file; this is a folder',
    ]);
    expect(refused({ out: join(folder, 'none', 'c.csv') })).toEqual([
      expect.stringMatching(/^--out a path in a folder that exists/u),
    ]);
  });

  test('is what --force is for', () =>
    expect(refused({ db: join(emptyFolder(), 'a.db'), force: true })).toEqual(['--force only with --out']));
});

test('a plan tells which files the folder lacks', () => {
  const [from, day] = [Date.UTC(2026, 1, 1), 86_400_000];
  const piece = (nth: number) => ({ by: 'day' as const, from: from + nth * day, to: from + (nth + 1) * day });
  const plan = {
    query: { symbol: 'BTCUSDT', interval: '1m', source: 'auto', from, to: from + 3 * day } as const,
    range: { from, to: from + 3 * day },
    pieces: [piece(0), { ...piece(1), isLacking: true as const }, { ...piece(2), isLacking: true as const }],
    bars: 4_320,
    notes: [],
  };
  expect(planText(plan).split('\n').slice(1, 3)).toEqual([
    '  2026-02-01T00:00Z … 2026-02-02T00:00Z  day files: 1',
    '  2026-02-02T00:00Z … 2026-02-04T00:00Z  not in the folder: day files: 2',
  ]);
  expect(JSON.parse(planJson(plan)).pieces.map(({ isLacking }: { isLacking?: true }) => isLacking)).toEqual([
    undefined,
    true,
    true,
  ]);
});
