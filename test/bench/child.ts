/** A process beside this one, and where on the machine it may run. */
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One that has ended tells nothing: whoever waits for it hears so. */
export interface Child {
  tell(order: unknown): void;
  /** What it says next. Rejects when it has ended, or says nothing for so long. */
  next(withinMs?: number): Promise<unknown>;
  /** Ends it at once, for the reason given. */
  kill(why: string): void;
  /** Lets it end. Resolves when it has, which is soon: it is killed when it does not. */
  end(): Promise<void>;
}

export interface LaunchOptions {
  /** Processor that it is pinned to. Default: any. */
  readonly processor?: number | undefined;
  readonly execArgv?: readonly string[];
  /** Called when it ends by itself. Default: only who waits for it hears so. */
  readonly onDeath?: (why: string) => void;
}

/** Of what it writes to standard error, characters. */
const COMPLAINT_MAX = 2_000;
const ENDS_WITHIN_MS = 5_000;
const SAYS_WITHIN_MS = 120_000;
const TASKSET = ['/usr/bin/taskset', '/bin/taskset'].find((path) => existsSync(path));

/** Processors that this process may use; none where it cannot be pinned. */
export function processors(): number[] {
  if (TASKSET === undefined || !existsSync('/proc/self/status')) return [];
  const list = /^Cpus_allowed_list:\s*(\S+)/mu.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/** A process of a file, which talks to this one. */
export function launch(file: URL, args: readonly string[], options: LaunchOptions = {}): Child {
  const { processor, execArgv = [], onDeath } = options;
  const flags = ['--disable-warning=ExperimentalWarning', ...execArgv];
  const isPinned = processor !== undefined && TASKSET !== undefined;
  const child = fork(fileURLToPath(file), args, {
    // Its messages are all that it may say: libraries greet on standard output.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    ...(isPinned
      ? { execPath: TASKSET, execArgv: ['-c', String(processor), process.execPath, ...flags] }
      : { execArgv: flags }),
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_MAX);
  });
  const said: unknown[] = [];
  const waiting: { resolve(message: unknown): void; reject(error: Error): void }[] = [];
  const ended = Promise.withResolvers<void>();
  let death: string | undefined;
  let isWanted = true;
  const die = (why: string): void => {
    if (death !== undefined) return;
    death = why;
    for (const { reject } of waiting.splice(0)) reject(new Error(why));
    if (isWanted) onDeath?.(why);
  };
  const name = file.pathname.split('/').at(-1);
  child.on('message', (message) => {
    const next = waiting.shift();
    if (next === undefined) said.push(message);
    else next.resolve(message);
  });
  child.on('error', (error) => {
    die(`${name}: ${error.message}`);
    ended.resolve();
  });
  const kill = (why: string): void => {
    die(`${name}: ${why}`);
    child.kill('SIGKILL');
  };
  child.on('exit', (code, signal) => {
    const end = (): void => {
      die(`${name} ended with ${code ?? signal}${reasonIn(complaint)}`);
      ended.resolve();
    };
    // Until what it complained of has been read, too. The `close` of a child whose channel was cut here never comes.
    if (child.stderr === null || child.stderr.closed) end();
    else child.stderr.once('close', end);
  });
  return {
    tell(order) {
      // To one that has just ended: its end is told by itself.
      if (child.connected) child.send(order as object, () => {});
    },
    async next(withinMs = SAYS_WITHIN_MS) {
      if (said.length > 0) return said.shift();
      if (death !== undefined) throw new Error(death);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const timer = setTimeout(() => kill(`said nothing for ${withinMs / 1_000} s`), withinMs);
      waiting.push({ resolve, reject });
      return promise.finally(() => clearTimeout(timer));
    },
    kill,
    end() {
      isWanted = false;
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
      return ended.promise.finally(() => clearTimeout(timer));
    },
  };
}

/** What it died of, in a line. */
function reasonIn(complaint: string): string {
  const line = /^\S*Error\b.*$/mu.exec(complaint)?.[0] ?? complaint.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${line}`;
}
