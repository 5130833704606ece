/**
 * What the test files take for vitest when they run here: its own `expect` and `vi`, and groups and tests that run one
 * after the other in this process. To start vitest anew for each of thousands of mutants would take hours.
 */
import { expect, vi } from 'vitest';

export { expect, vi };

type Body = (...given: never[]) => unknown;
type Hook = () => unknown;

interface Group {
  readonly title: string;
  readonly parent: Group | undefined;
  readonly tests: Test[];
  readonly groups: Group[];
  readonly hooks: Record<'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach', Hook[]>;
}

interface Test {
  readonly title: string;
  run(): unknown;
}

const newGroup = (title: string, parent?: Group): Group => ({
  title,
  parent,
  tests: [],
  groups: [],
  hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] },
});

let here = newGroup('');
/** Groups and tests that are left out, by title. */
let isLeftOut: (title: string) => boolean = () => false;

const context = { annotate: async () => undefined, expect, signal: new AbortController().signal };
/** `test(title, options, body)` and `test(title, body, timeout)`. */
const bodyOf = (one: unknown, other: unknown): Body => (typeof one === 'function' ? one : other) as Body;

function addTest(title: string, one: unknown, other?: unknown): void {
  const body = bodyOf(one, other);
  if (!isLeftOut(title)) here.tests.push({ title, run: () => body(context as never) });
}

function addGroup(title: string, one: unknown, other?: unknown): void {
  if (isLeftOut(title)) return;
  const group = newGroup(title, here);
  here.groups.push(group);
  here = group;
  try {
    bodyOf(one, other)();
  } finally {
    here = group.parent!;
  }
}

const titled = (title: string, row: readonly unknown[], index: number): string =>
  `${title.replace(/%[sdijo]/g, () => String(row[0]))}${title.includes('%s') ? '' : ` #${index}`}`;

type Add = (title: string, one: unknown, other?: unknown) => void;

/** With `each` and the skipping that the tests use. */
const withForms = (add: Add) =>
  Object.assign((title: string, one: unknown, other?: unknown) => add(title, one, other), {
    each: (rows: readonly unknown[]) => (title: string, one: unknown, other?: unknown) =>
      rows.forEach((row, index) => {
        // As vitest has it: rows are spread when all of them are lists.
        const given = rows.every(Array.isArray) ? (row as unknown[]) : [row];
        add(titled(title, given, index), () => bodyOf(one, other)(...(given as never[])));
      }),
    skipIf: (skip: boolean) => (skip ? Object.assign(() => {}, { each: () => () => {} }) : withForms(add)),
  });

export const test: ReturnType<typeof withForms> = withForms(addTest);
export const it: ReturnType<typeof withForms> = test;
export const describe: ReturnType<typeof withForms> = withForms(addGroup);
const hook = (name: keyof Group['hooks']) => (run: Hook) => void here.hooks[name].push(run);
export const beforeAll = hook('beforeAll');
export const afterAll = hook('afterAll');
export const beforeEach = hook('beforeEach');
export const afterEach = hook('afterEach');

/** What the test that is running wants done when it is over. */
const finishing: Hook[] = [];
export const onTestFinished = (run: Hook): void => void finishing.push(run);

export interface Failure {
  readonly test: string;
  readonly message: string;
}

/** A test that waits longer has failed. */
const TEST_MS = 30_000;

async function inTime(run: () => unknown): Promise<void> {
  const given = run();
  if (!(given instanceof Promise)) return;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`longer than ${TEST_MS} ms`)), TEST_MS);
  await Promise.race([given, late.promise]).finally(() => clearTimeout(timer));
}

const above = (group: Group): Group[] => (group.parent ? [...above(group.parent), group] : [group]);

/** Runs a group up to its first failure. */
async function runGroup(group: Group, path: string): Promise<Failure | undefined> {
  const say = (title: string): string => [path, title].filter(Boolean).join(' › ');
  const tried = async (title: string, run: () => unknown): Promise<Failure | undefined> => {
    try {
      await inTime(run);
      return undefined;
    } catch (error) {
      return { test: say(title), message: String(error instanceof Error ? error.message : error) };
    }
  };
  const hooked = async (title: string, hooks: readonly Hook[]): Promise<Failure | undefined> => {
    for (const run of hooks) {
      const failure = await tried(title, run);
      if (failure) return failure;
    }
    return undefined;
  };
  let failure = await hooked('beforeAll', group.hooks.beforeAll);
  for (const { title, run } of group.tests) {
    if (failure) break;
    failure = await hooked(
      title,
      above(group).flatMap(({ hooks }) => hooks.beforeEach),
    );
    failure ??= await tried(title, run);
    failure = (await hooked(title, finishing.splice(0).toReversed())) ?? failure;
    failure =
      (await hooked(
        title,
        above(group)
          .toReversed()
          .flatMap(({ hooks }) => hooks.afterEach),
      )) ?? failure;
  }
  for (const inner of group.groups) failure ??= await runGroup(inner, say(inner.title));
  const after = await hooked('afterAll', group.hooks.afterAll);
  return failure ?? after;
}

/** Takes up what `load` registers, and runs it up to the first failure. A file that cannot be loaded has failed. */
export async function runFile(
  load: () => Promise<unknown>,
  leftOut: (title: string) => boolean,
): Promise<Failure | undefined> {
  here = newGroup('');
  isLeftOut = leftOut;
  try {
    await load();
  } catch (error) {
    return { test: '(loading)', message: String(error instanceof Error ? error.message : error) };
  }
  return runGroup(here, '');
}
