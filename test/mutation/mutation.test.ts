/** The mutants of a source, that one is really tried, and that the list of equivalent ones is honest. */
import { afterAll, describe, expect, test } from 'vitest';
import { listOffences, readEquivalents } from './equivalent.ts';
import { generate, read } from './generate.ts';
import { Graph } from './graph.ts';
import { type Mutant, mutated } from './mutant.ts';
import { Worker } from './pool.ts';
import { rowOf, scoreOf } from './report.ts';

const changes = (file: string, source: string): string[] =>
  generate(file, source).map(({ change }) => change);

const CHART = `
import { assign, setup } from 'xstate';
export const m = setup({
  types: { context: {} as { n: 0 } },
  guards: { full: ({ context }) => context.n > 5 },
  actions: { note: assign({ n: 1 }) },
}).createMachine({
  id: 'm',
  description: 'of 3 states',
  options: { maxIterations: 1000 },
  initial: 'one',
  states: {
    one: { entry: 'note', on: { GO: { guard: 'full', target: 'two', actions: ['note', 'tell'] } } },
    two: { after: { 500: 'one' }, invoke: { src: 'work', onError: 'done' } },
    done: { type: 'final' },
  },
});`;

describe('the mutants', () => {
  const found = changes('machines/m.machine.ts', CHART);

  test.each([
    ['a guard that always lets through', 'guard: ({ context }) => context.n > 5 → () => true'],
    ['a guard that never does', 'guard: ({ context }) => context.n > 5 → () => false'],
    [
      'a guard upside down',
      'guard: ({ context }) => context.n > 5 → (...all) => !(({ context }) => context.n > 5)(...all)',
    ],
    ['a boundary', 'comparison: > → >='],
    ['a transition without its guard', "guard: guard: 'full', → nothing"],
    ['without its target', "target: target: 'two', → nothing"],
    ['to another state', "target: 'two' → 'done'"],
    ['without one of its actions', "action: 'note', → nothing"],
    ['none at all', "transition: GO: { guard: 'full', target: 'two', actions: ['note', 'tell'… → nothing"],
    ['another first state', "target: 'one' → 'two'"],
    ['no entry', "action: entry: 'note', → nothing"],
    ['a failure of a child that is not heard', "transition: onError: 'done' → nothing"],
    ['a child that is not there', "invoke: invoke: { src: 'work', onError: 'done' } → nothing"],
    ['a delay twice as long', 'delay: 500 → 1000'],
    ['and none', 'delay: 500 → 0'],
    ['an end that is none', "state: type: 'final' → nothing"],
    ['a value that is not kept', 'action: n: 1 → nothing'],
  ])('of a chart have %s', (_, change) => {
    expect(found).toContain(change);
  });

  test('of a chart leave out types, descriptions, names and the net under loops', () => {
    expect(
      found.filter((change) => /maxIterations|of 3 states|'m'|'work' →|'note' → ''/.test(change)),
    ).toEqual([]);
  });

  test('of code change each operator, constant, code, condition, statement and value', () => {
    const source =
      "export function f(a: number): string | undefined {\n  log(a);\n  if (a + 1 < 3 && a !== 0) return 'few';\n  return undefined;\n}";
    expect(changes('src/f.ts', source)).toEqual(
      expect.arrayContaining([
        'statement: log(a); → ;',
        'comparison: < → <=',
        'comparison: < → >=',
        'comparison: !== → ===',
        'arithmetic: + → -',
        'constant: 1 → 2',
        'constant: 3 → 4',
        'constant: 0 → 1',
        'boolean: a + 1 < 3 && a !== 0 → ((a + 1 < 3) || (a !== 0))',
        'condition: a + 1 < 3 && a !== 0 → true',
        'condition: a + 1 < 3 && a !== 0 → false',
        "string: 'few' → ''",
      ]),
    );
  });

  test('are the same when lines are added above them', () => {
    const keys = (source: string): string[] => generate('src/f.ts', source).map(({ key }) => key);
    expect(keys(`\n\n${CHART}`)).toEqual(keys(CHART));
    expect(new Set(keys(CHART)).size).toBe(keys(CHART).length);
  });
});

describe('a mutant', () => {
  const FILE = 'machines/model/ledger.ts';
  const TESTS = ['test/machines/model/ledger.test.ts'];
  const worker = new Worker(new Map());
  afterAll(() => worker.close());
  const reaching = new Graph(TESTS).reaching(FILE);
  const attempt = (mutant: Mutant | undefined) => worker.attempt(mutant, reaching, TESTS);
  const named = (change: string, on: string): Mutant =>
    generate(FILE, read(FILE)).find((it) => it.change === change && it.on.includes(on))!;

  test('is what the tests that reach its file see, and no more once it is over', async () => {
    expect(reaching).toContain(TESTS[0]);
    const next = named("string: 'next' → ''", "return 'next'");
    expect(mutated(read(FILE), next)).toContain("if (openTime === dueOpenTime) return '';");
    expect(await attempt(undefined)).toEqual({ verdict: 'survived' });
    expect(await attempt(next)).toMatchObject({ verdict: 'killed', by: expect.stringContaining(TESTS[0]!) });
    expect(await attempt(undefined)).toEqual({ verdict: 'survived' });
  });

  test('that is no program is told apart from one that was noticed', async () => {
    const one = named("string: 'next' → ''", "return 'next'");
    expect(await attempt({ ...one, text: '(' })).toMatchObject({ verdict: 'invalid' });
  });

  test('that never ends was noticed by who waited, and the next one finds a new process', async () => {
    const one = named("string: 'next' → ''", "return 'next'");
    const short = new Worker(new Map(TESTS.map((name) => [name, -600])));
    expect(await short.attempt({ ...one, text: '(() => { for (;;); })()' }, reaching, TESTS)).toMatchObject({
      verdict: 'timeout',
    });
    expect(await short.attempt(one, reaching, TESTS)).toMatchObject({ verdict: 'killed' });
    short.close();
  });
});

describe('the list of equivalent mutants', () => {
  const list = readEquivalents();

  test('names mutants that are there, each with a reason', () => {
    const files = [...new Set(list.map(({ file }) => file))];
    expect(
      listOffences(
        list,
        files.flatMap((file) => generate(file, read(file))),
      ),
    ).toEqual([]);
  });

  test('may not be stale, nor without a reason', () => {
    const [mutant] = generate('src/f.ts', 'export const a = b > 1;');
    const entry = {
      file: 'src/f.ts',
      on: mutant!.on,
      changes: [mutant!.change],
      reason: 'b is never one here',
    };
    expect(listOffences([entry], [mutant!])).toEqual([]);
    expect(listOffences([{ ...entry, reason: 'because' }], [mutant!])).toHaveLength(1);
    expect(listOffences([{ ...entry, on: 'gone' }], [mutant!])).toHaveLength(1);
    expect(listOffences([{ ...entry, changes: [] }], [mutant!])).toHaveLength(1);
  });
});

test('the score is what was noticed of what could be', () => {
  const [mutant] = generate('src/f.ts', 'export const a = b > 1;');
  const row = rowOf(
    'all',
    (['killed', 'timeout', 'survived', 'invalid'] as const).map((verdict) => ({ mutant: mutant!, verdict })),
    [mutant!],
  );
  expect(row).toMatchObject({ killed: 1, timeout: 1, survived: 1, equivalent: 1 });
  expect(scoreOf(row)).toBeCloseTo(66.7, 1);
});
