/** Programs as a terminal, a service manager or a container starts them: a group of their own, and whatever is left of it. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { comes } from '../support/program.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The command line, as words of a command. */
export const CANDLESTATE = [...NODE, file('../../src/cli/main.ts')] as const;
export const EMBEDDER = [...NODE, file('./embedder.ts')] as const;

/** Words for `sh -c`. */
export const quoted = (words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');

export interface Ended {
  /** As shells have it: 128 and the number of the signal when one ended it. */
  readonly code: number;
  /** Whether it was ended, instead of ending itself. */
  readonly killed: boolean;
  /** Monotonic ms of this process. */
  readonly at: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LaunchOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Default: no input, both outputs read. */
  readonly stdio?: StdioOptions;
}

/** Groups that nobody has seen the end of. They are no part of our own group: whoever interrupts us spares them. */
const living = new Set<number>();
process.once('exit', () => {
  for (const group of living)
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // It has ended.
    }
});

export class Child implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly #text = { stdout: '', stderr: '' };
  readonly #ended: Promise<Ended>;

  /** Nothing of this process's environment configures it. */
  constructor(
    command: readonly string[],
    { cwd, env = {}, stdio = ['ignore', 'pipe', 'pipe'] }: LaunchOptions,
  ) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(CANDLESTATE_|BINANCE_|npm_|VITEST|NODE_OPTIONS|NODE_V8_COVERAGE)/u.test(name),
    );
    const [program = '', ...args] = command;
    this.process = spawn(program, args, {
      cwd,
      env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env },
      stdio,
      detached: true,
    });
    // Of one that could not be started: no signal goes there, least of all to group 0, which is our own.
    this.pid = this.process.pid ?? Number.NaN;
    for (const name of ['stdout', 'stderr'] as const)
      this.process[name]?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#text[name] += chunk;
      });
    if (this.process.pid !== undefined) living.add(this.pid);
    let at = 0;
    this.process.once('exit', () => {
      at = performance.now();
    });
    this.#ended = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (code, signal) => {
        const killed = signal !== null;
        resolve({ code: code ?? 128 + constants.signals[signal!], killed, at, ...this.#text });
      });
    });
    // Whoever waits hears of it.
    this.#ended.catch(() => undefined);
  }

  stdout(): string {
    return this.#text.stdout;
  }

  stderr(): string {
    return this.#text.stderr;
  }

  /** Sends a signal, to its whole group as a terminal does, or to it alone; when that was. */
  kill(signal: NodeJS.Signals, to: 'it' | 'group' = 'it'): number {
    const at = performance.now();
    process.kill(to === 'it' ? this.pid : -this.pid, signal);
    return at;
  }

  /** Waits for its end. Throws when it does not come, or when something of its group is left then. */
  async end(timeoutMs = 10_000): Promise<Ended> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () =>
        late.reject(
          new Error(
            `it has not ended after ${timeoutMs} ms; its log ends:\n${this.#text.stderr.slice(-600)}`,
          ),
        ),
      timeoutMs,
    );
    try {
      const ended = await Promise.race([this.#ended, late.promise]);
      // A wrapper is gone a moment before what it has wrapped.
      await comes('the end of all that it has started', () => !this.#isSomeoneLeft(), 1_000);
      return ended;
    } finally {
      clearTimeout(timer);
    }
  }

  async says(what: string | RegExp, timeoutMs = 10_000): Promise<void> {
    const isThere = (text: string): boolean =>
      typeof what === 'string' ? text.includes(what) : what.test(text);
    await comes(`it to say ${what}`, () => isThere(this.stderr()) || isThere(this.stdout()), timeoutMs);
  }

  #isSomeoneLeft(): boolean {
    return processes().some(({ group, state }) => group === this.pid && state !== 'Z');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill('SIGKILL', 'group');
    } catch {
      // It has ended.
    }
    await this.#ended.catch(() => undefined);
    living.delete(this.pid);
  }
}

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** One letter; Z is a zombie. */
  readonly state: string;
}

/** All processes of this machine that may be seen. */
export const processes = (): ProcessFacts[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The name may hold anything, also spaces and brackets.
        const [state = '', parent, group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
        return [{ pid: Number(name), parent: Number(parent), group: Number(group), state }];
      } catch {
        return [];
      }
    });

/** Whether a signal still waits for the process to run: until then a second one of its kind would be no other. */
export function isPending(pid: number, signal: NodeJS.Signals): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const pending = BigInt(`0x${/^ShdPnd:\s*([0-9a-f]+)$/mu.exec(status)?.[1] ?? '0'}`);
  return ((pending >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

export const childrenOf = (pid: number): ProcessFacts[] => processes().filter(({ parent }) => parent === pid);
