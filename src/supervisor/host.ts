/** The process, as far as its end is concerned. */
import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { endThreads, livingThreads } from '../store/threads.ts';
import { ownClock } from './own-clock.ts';

/** What is needed of `process`. */
export interface ProcessHost {
  on(event: string, listener: (...values: never[]) => void): unknown;
  off(event: string, listener: (...values: never[]) => void): unknown;
  /** Ends it at once. */
  exit(code: number): void;
  /** Keeps the process alive until what it returns is called. Default: whatever else is open does. */
  hold?(): () => void;
  /** Lets go of what an exit would wait for. Default: nothing. */
  letGo?(): Promise<void>;
  /** Signals of one kind nearer together than this are one, ms. Default 0. */
  readonly sameSignalMs?: number;
  /** The code that it will end with when it ends by itself. */
  exitCode?: number | string | null | undefined;
}

const emitter: EventEmitter = process;

/** A signal to all of `npm start`, as a terminal's or a service manager's, arrives twice: npm passes its own on. */
const NPM_REPEATS_MS = 100;

export const thisProcess: ProcessHost = {
  on: (event, listener) => emitter.on(event, listener as () => void),
  off: (event, listener) => emitter.off(event, listener as () => void),
  exit: exitNow,
  hold,
  letGo: endThreads,
  get sameSignalMs() {
    return process.env['npm_lifecycle_event'] === undefined ? 0 : NPM_REPEATS_MS;
  },
  set exitCode(code: number) {
    process.exitCode = code;
  },
};

const HOLD_MS = 3_600_000;

/** Listeners of signals hold nothing: without this, an application that only waits would be gone before it is stopped. */
function hold(): () => void {
  let timer: unknown;
  const arm = (): void => {
    timer = ownClock.setTimeout(arm, HOLD_MS);
  };
  arm();
  return () => ownClock.clearTimeout(timer);
}

const SHELL = '/bin/sh';
/** Requests that a thread of Node's pool serves: files, host names, cryptography. */
const POOLED = /^(FSReq|GetAddrInfo|GetNameInfo)|Job$|Request$/u;

/**
 * Ends the process at once. `process.exit` waits for every thread, and some can't be hurried: one inside SQLite, one
 * that asks a dead name server, one that opens a file on a dead disk. Then a shell takes the place of the process,
 * which ends the threads as `kill -9` would, and gives the code.
 */
export function exitNow(code: number): void {
  const isHeld = livingThreads() > 0 || process.getActiveResourcesInfo().some((name) => POOLED.test(name));
  if (isHeld && process.execve !== undefined && process.platform !== 'win32' && existsSync(SHELL)) {
    try {
      process.emit('exit', code);
      process.execve(SHELL, [SHELL, '-c', `exit ${code}`], {});
    } catch {
      // Not allowed here, or a listener has thrown: then the exit takes the time it takes.
    }
  }
  process.exit(code);
}

/** What is still open in the process, with how often: `TCPSocketWrap ×3`. */
export function openResources(): string[] {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
}
