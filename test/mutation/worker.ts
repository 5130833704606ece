/** A process that tries mutants: the tests that reach one, up to the first that fails. Its parent says which. */
import fc from 'fast-check';
import { importFile, installModules, strip, useVersion } from './fresh-modules.ts';
import { read } from './generate.ts';
import { mutated } from './mutant.ts';

/** What the parent asks: these test files, with this change of a file, or with none. */
export interface Task {
  readonly number: number;
  readonly change?: {
    readonly file: string;
    readonly start: number;
    readonly end: number;
    readonly text: string;
  };
  /** Files that are loaded anew. */
  readonly reaching: readonly string[];
  readonly tests: readonly string[];
}

/** What it hears: which test file begins, how long it kept the processor, and in the end who has noticed. */
export type News =
  | { readonly type: 'begins'; readonly test: string }
  | { readonly type: 'took'; readonly test: string; readonly ms: number }
  | { readonly type: 'survived' }
  | { readonly type: 'killed'; readonly test: string; readonly by: string; readonly message: string }
  | { readonly type: 'invalid'; readonly message: string }
  /** Before the last word: this process is of no more use. */
  | { readonly type: 'spent' };

/** Versions of modules are never given back; a process that has grown so much is replaced, bytes. */
const RSS_MAX = 900e6;

const say = (news: News): void => void process.send!(news);
let running = '';

/**
 * Left out: documents that count the transitions of all charts, for what they notice is not what a chart does; tests
 * that look at the time, for a busy machine notices nothing; and walks of a chart that the change does not reach.
 */
function leavesOut(reaching: ReadonlySet<string>): (title: string) => boolean {
  const reached = (name: string): boolean =>
    reaching.has(`test/model/${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.model.ts`);
  return (title) => {
    if (/^docs\/\S+ says |takes a few milliseconds$|nor takes long$/.test(title)) return true;
    if (!running.endsWith('test/model/machines.test.ts') || reaching.size === 0) return false;
    const name = /^(?:L01 (\w+) ends in time|(\w+)$)/.exec(title)?.slice(1).find(Boolean);
    return name !== undefined && name !== 'L01' && !reached(name);
  };
}

/** What failed behind a test's back. XState reports an error that nobody listens to in a turn of its own. */
let fault: { readonly by: string; readonly message: string } | undefined;
for (const by of ['uncaughtException', 'unhandledRejection'])
  process.on(by, (error: unknown) => {
    fault ??= { by, message: String(error).slice(0, 300) };
  });

/** The next turn: what a mutant leaves behind is its own, not the next one's. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

async function attempt({ number, change, reaching, tests }: Task): Promise<News> {
  const files = new Set(reaching);
  if (change) {
    try {
      useVersion({ number, files, file: change.file, text: strip(mutated(read(change.file), change)) });
    } catch (error) {
      return { type: 'invalid', message: String(error) };
    }
  }
  const { runFile } = await import('./tiny-runner.ts');
  for (const test of tests) {
    running = test;
    fault = undefined;
    say({ type: 'begins', test });
    const since = process.cpuUsage();
    const failure = await runFile(() => importFile(test), leavesOut(files));
    const { user, system } = process.cpuUsage(since);
    say({ type: 'took', test, ms: (user + system) / 1_000 });
    await turn();
    if (failure) return { type: 'killed', test, by: failure.test, message: failure.message.slice(0, 300) };
    if (fault) return { type: 'killed', test, ...(fault as { by: string; message: string }) };
  }
  return { type: 'survived' };
}

installModules();
// A counterexample is enough; the smallest one is nobody's wish here. Every mutant meets the same examples.
fc.configureGlobal({ endOnFailure: true, seed: 1 });
// What all tests load is not to be charged to the one that happens to be the first.
const warm = Promise.all(['vitest', 'xstate', 'zod'].map((name) => import(name)));
process.on('message', async (task: Task) => {
  await warm;
  const news = await attempt(task);
  if (process.memoryUsage().rss > RSS_MAX) say({ type: 'spent' });
  say(news);
});
process.on('disconnect', () => process.exit(0));
