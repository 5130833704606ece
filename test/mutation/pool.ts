/** Processes that try mutants, kept alive between them, and replaced when they hang, die or have grown. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.ts';
import type { News, Task } from './worker.ts';

export type Verdict = 'killed' | 'timeout' | 'survived' | 'invalid';

export interface Result {
  readonly verdict: Verdict;
  /** Who noticed: test file and title. */
  readonly by?: string;
  readonly message?: string;
}

/** A test file may keep the processor so many times as long as without a mutant, and this besides, ms. */
const SLOWER = 8;
const GRACE_MS = 5_000;
const LOOK_MS = 500;
/** Of `/proc/…/stat`, ms. */
const TICK_MS = 10;

/**
 * What a process has had of the processor, ms: a busy machine is no endless loop. Where the system does not say so,
 * the time that has passed.
 */
function busyMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return performance.now();
  }
}

const SCRIPT = fileURLToPath(new URL('worker.ts', import.meta.url));

/** One process at a time. */
export class Worker {
  #child: ChildProcess | undefined;
  #number = 0;
  readonly #usualMs: ReadonlyMap<string, number>;
  readonly #onTook: (test: string, ms: number) => void;

  constructor(usualMs: ReadonlyMap<string, number>, onTook: (test: string, ms: number) => void = () => {}) {
    this.#usualMs = usualMs;
    this.#onTook = onTook;
  }

  /** Tries one mutant, or the files as they are. Never rejects: a process that ends has noticed. */
  attempt(mutant: Mutant | undefined, reaching: Iterable<string>, tests: readonly string[]): Promise<Result> {
    this.#child ??= this.#fork();
    const child = this.#child;
    const { promise, resolve } = Promise.withResolvers<Result>();
    let test = '';
    let timer: NodeJS.Timeout | undefined;
    let isSpent = false;
    const onExit = (code: number | null, signal: string | null): void => {
      isSpent = true;
      end({ verdict: 'killed', by: `${test} › (the process ended)`, message: `${code ?? signal}` });
    };
    const end = (result: Result): void => {
      clearInterval(timer);
      child.removeAllListeners('message').off('exit', onExit);
      if (isSpent || result.verdict === 'timeout') this.close();
      resolve(result);
    };
    child.on('message', (news: News) => {
      if (news.type === 'begins') {
        test = news.test;
        const limitMs = GRACE_MS + SLOWER * (this.#usualMs.get(test) ?? GRACE_MS);
        const usedMs = busyMs(child.pid!);
        clearInterval(timer);
        timer = setInterval(() => {
          if (busyMs(child.pid!) - usedMs < limitMs) return;
          end({ verdict: 'timeout', by: test });
        }, LOOK_MS);
      } else if (news.type === 'spent') isSpent = true;
      else if (news.type === 'took') this.#onTook(news.test, news.ms);
      else if (news.type === 'killed')
        end({ verdict: 'killed', by: `${news.test} › ${news.by}`, message: news.message });
      else if (news.type === 'invalid') end({ verdict: 'invalid', message: news.message });
      else end({ verdict: 'survived' });
    });
    child.once('exit', onExit);
    const task: Task = {
      number: ++this.#number,
      ...(mutant && {
        change: { file: mutant.file, start: mutant.start, end: mutant.end, text: mutant.text },
      }),
      reaching: [...reaching],
      tests,
    };
    child.send(task);
    return promise;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #fork(): ChildProcess {
    const child = fork(SCRIPT, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // A worker in an endless loop would not hear that its parent has gone.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return child;
  }
}
