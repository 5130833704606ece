/** All charts: every transition walked, every end tried, and the documents that say so. One file: what is explored once serves all. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type EndingReport, tryEndings } from './ending.ts';
import { endings } from './endings.ts';
import { machineModels } from './machines.ts';
import { endingsTable, summary } from './summary.ts';
import { sendUnexpected } from './unexpected.ts';
import { type AnyModel, defineMachineWalks } from './walk/index.ts';

const COMMAND = 'UPDATE=1 npx vitest run test/model/machines.test.ts';

function expectWritten(name: string, generated: string): void {
  const file = new URL(`../../docs/${name}`, import.meta.url);
  if (process.env['UPDATE'] === '1') writeFileSync(file, generated);
  expect(readFileSync(file, 'utf8'), `stale; write it again with: ${COMMAND}`).toBe(generated);
}

for (const [name, model] of Object.entries(machineModels)) defineMachineWalks(name, model);

const transitions = (): string => `# Transitions

Every transition of every statechart in \`machines/\`, and how many obligations the tests walk: each
transition taken, and each guard seen refusing. Walked on the real machines, under simulated time, with
children that really end or fail. Below them, of each innermost state, the events from outside that neither it nor a state
around it listens to: every pair of state and event is in one of the two tables. A test fails when this file is stale. It is
written by

    ${COMMAND}

${summary(machineModels)}
`;

test('A03 docs/transitions.md says what the machines are and what is walked', { timeout: 60_000 }, () => {
  expectWritten('transitions.md', transitions());
});

const endingsOf = (reports: Readonly<Record<string, EndingReport>>): string => `# Endings

Every machine is asked to end at every moment that the walks tell apart, under simulated time: once, twice and ten
times; then all its children are silent, or all fail, or all end, or any one thing happens that can. Each time it
is over within its deadline, no child and no timer lives, and there is one report, with each of its parts in it once.
*States* are those in which it can rest; the moments were in every one of them. A test fails when this file is stale.
It is written by

    ${COMMAND}

${endingsTable(reports)}
`;

const found: Record<string, EndingReport> = {};
/** A test filter may have skipped the others; the document is about all of them all the same. */
function reportOf(name: string): EndingReport {
  const [model, ending] = [machineModels, endings].map((all) => (all as Record<string, unknown>)[name]);
  expect(ending, `test/model/endings.ts says how ${name} ends`).toBeDefined();
  found[name] ??= tryEndings(model as AnyModel, ending as (typeof endings)['store']);
  return found[name];
}

describe('asked to end at every moment, with children silent, failing or ending,', () => {
  test.each(Object.keys(machineModels))('L01 %s ends in time, leaves nothing, reports once', (name) => {
    const { unvisited, problems, longestMs } = reportOf(name);
    expect(unvisited, 'states that no moment was in').toEqual([]);
    expect(problems.slice(0, 25)).toEqual([]);
    expect(longestMs, 'the end when nobody answers').toBe(endings[name as keyof typeof endings].withinMs);
  });

  test('each machine of the list has an ending, and none has one that is not in it', () => {
    expect(Object.keys(endings)).toEqual(Object.keys(machineModels));
  });

  test('docs/endings.md says how many ends were tried', () => {
    const names = Object.keys(machineModels);
    expectWritten('endings.md', endingsOf(Object.fromEntries(names.map((name) => [name, reportOf(name)]))));
  });
});

describe('told what no state listens to, at every moment,', () => {
  test.each(Object.entries(machineModels))('A03 %s stays as it is, and nobody hears of it', (_, model) => {
    const { cells, problems } = sendUnexpected(model);
    expect(cells).toBeGreaterThan(0);
    expect(problems.slice(0, 25)).toEqual([]);
  });
});
