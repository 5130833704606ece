/** Tries mutants, a few at a time, each on the tests that reach it, those first that have noticed most. */
import { availableParallelism } from 'node:os';
import { Graph, testFiles } from './graph.ts';
import type { Mutant } from './mutant.ts';
import { Worker } from './pool.ts';
import type { Tried } from './report.ts';

export interface RunOptions {
  readonly parallel?: number;
  /** Of the tests that reach a mutant those are asked that take so much together, ms; without it all of them. */
  readonly budgetMs?: number;
  /** Told after each mutant. */
  readonly onTried?: (tried: Tried, done: number, all: number) => void;
}

/** What each test file takes when nothing is changed, ms. Throws when one fails: then mutants say nothing. */
async function baseline(tests: readonly string[], parallel: number): Promise<Map<string, number>> {
  const usualMs = new Map<string, number>();
  const queue = [...tests];
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      const worker = new Worker(new Map(), (test, ms) => usualMs.set(test, ms));
      try {
        for (let test = queue.shift(); test !== undefined; test = queue.shift()) {
          const { verdict, by, message } = await worker.attempt(undefined, [], [test]);
          if (verdict !== 'survived') throw new Error(`without any mutant, ${by} fails: ${message}`);
        }
      } finally {
        queue.length = 0;
        worker.close();
      }
    }),
  );
  return usualMs;
}

/** Charts that test/model/machines.test.ts walks. */
const MODELS = 11;

/** Test files in the order in which they are to be asked about a file. */
class Order {
  readonly #kills = new Map<string, number>();
  readonly #usualMs: ReadonlyMap<string, number>;

  constructor(usualMs: ReadonlyMap<string, number>) {
    this.#usualMs = usualMs;
  }

  noted(file: string, test: string): void {
    const name = `${file} ${test}`;
    this.#kills.set(name, (this.#kills.get(name) ?? 0) + 1);
  }

  /**
   * Most likely to notice for their time first. A file's own tests, by name, are taken to have noticed something, and
   * are always asked; the others as far as the budget goes, ms.
   */
  of(file: string, reaching: ReadonlySet<string>, tests: readonly string[], budgetMs = Infinity): string[] {
    const stem = /([^/.]+)\.[^/]*$/.exec(file)?.[1] ?? '';
    const isOwn = (test: string): boolean => test.includes(`/${stem}.`) || test.includes(`/${stem}-`);
    const worth = (test: string): number =>
      ((this.#kills.get(`${file} ${test}`) ?? 0) + (isOwn(test) ? 3 : 0.1)) /
      (20 + this.#costMs(test, reaching));
    let leftMs = budgetMs;
    return [...tests]
      .sort((one, other) => worth(other) - worth(one))
      .filter((test) => {
        const costMs = this.#costMs(test, reaching);
        if (!isOwn(test) && costMs > leftMs) return false;
        leftMs -= costMs;
        return true;
      });
  }

  /** Of the walks of all charts only those of the charts that are reached are walked. */
  #costMs(test: string, reaching: ReadonlySet<string>): number {
    const usualMs = this.#usualMs.get(test) ?? 0;
    if (!test.endsWith('model/machines.test.ts')) return usualMs;
    return (usualMs * [...reaching].filter((file) => file.endsWith('.model.ts')).length) / MODELS;
  }
}

export async function tryMutants(mutants: readonly Mutant[], options: RunOptions = {}): Promise<Tried[]> {
  const parallel = Math.min(options.parallel ?? availableParallelism(), Math.max(1, mutants.length));
  const graph = new Graph(testFiles());
  const reaching = new Map(
    [...new Set(mutants.map(({ file }) => file))].map((file) => [file, graph.reaching(file)]),
  );
  const tests = testFiles().filter((test) => [...reaching.values()].some((files) => files.has(test)));
  const usualMs = await baseline(tests, parallel);
  const order = new Order(usualMs);
  const queue = [...mutants];
  const tried: Tried[] = [];
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      const worker = new Worker(usualMs);
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const files = reaching.get(mutant.file)!;
        const asked = order.of(
          mutant.file,
          files,
          tests.filter((test) => files.has(test)),
          options.budgetMs,
        );
        const result = await worker.attempt(mutant, files, asked);
        if (result.by) order.noted(mutant.file, result.by.split(' › ')[0]!);
        const one = { mutant, ...result };
        tried.push(one);
        options.onTried?.(one, tried.length, mutants.length);
      }
      worker.close();
    }),
  );
  return tried.sort(
    ({ mutant: a }, { mutant: b }) => a.file.localeCompare(b.file) || a.start - b.start || a.end - b.end,
  );
}
