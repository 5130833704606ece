/** What a process holds when all has ended, compared with what it held before anything began. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { ResourcesOrder } from '../../machines/supervisor.setup.ts';
import type { Clock } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { Check } from './component.ts';
import { armedTimers } from './own-clock.ts';

/** What is closed is gone a few turns later: how long one waits for that, ms, and how often one looks. */
const PATIENCE_MS = 1_000;
const LOOK_EVERY_MS = 10;
/** Less patience than this proves nothing, ms. With others in the process more would not, either. */
const PATIENCE_MIN_MS = 50;

const CHECKS = ['sockets', 'timers', 'files', 'others'] as const;
type CheckName = (typeof CHECKS)[number];

/** A kind that Node does not have: a file that is open. */
const OPEN_FILE = 'OpenFile';

/** Nothing to be closed: what happens in the next turn, the three standard streams, and signals. */
const IGNORED = new Set(['Immediate', 'TickObject', 'TTYWrap', 'PipeWrap', 'SignalWrap']);
const TIMER = 'Timeout';

function checkOf(kind: string): CheckName {
  if (kind === TIMER) return 'timers';
  if (/^(TCP|TLS|UDP|HTTP|Connect|Write|Shutdown|GetAddrInfo|QUERY)/i.test(kind)) return 'sockets';
  return kind === OPEN_FILE || /^(FS|FILE|Stat)/i.test(kind) ? 'files' : 'others';
}

const countsOf = (kinds: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const kind of kinds) if (!IGNORED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
};

/** What is there now and was not before, by kind. */
function surplus(before: readonly string[], now: readonly string[]): [kind: string, count: number][] {
  const had = countsOf(before);
  return [...countsOf(now)]
    .map(([kind, count]): [string, number] => [kind, count - (had.get(kind) ?? 0)])
    .filter(([, count]) => count > 0);
}

/** One check for each sort of thing; the detail says what is left, as `2 × TCPSocketWrap`, and what excuses it. */
export function resourceChecks(
  before: readonly string[],
  now: readonly string[],
  excuse: string | undefined,
): readonly Check[] {
  const left = surplus(before, now);
  return CHECKS.map((name): Check => {
    const found = left.filter(([kind]) => checkOf(kind) === name);
    if (found.length === 0) return { name, outcome: 'ok' };
    const detail = found.map(([kind, count]) => `${count} × ${kind}`).join(', ');
    return excuse === undefined
      ? { name, outcome: 'failed', detail }
      : { name, outcome: 'skipped', detail: `${detail}; ${excuse}` };
  });
}

/** Looks until nothing is left or the patience is over. `isAlone`: no other application runs in this process. */
export const resourcesActor = (
  clock: Clock,
  isAlone: () => boolean,
): PromiseActorLogic<readonly Check[], ResourcesOrder> =>
  fromPromise(async ({ input: { baseline, look, timeoutMs, forced }, signal }) => {
    const alone = isAlone();
    // Before the chart itself gives up, or nobody would hear what is left.
    const patienceMs = Math.min(alone ? PATIENCE_MS : PATIENCE_MIN_MS, timeoutMs / 2);
    const until = clock.now() + patienceMs;
    while (surplus(baseline, look()).length > 0 && clock.now() < until)
      await sleep(clock, Math.min(LOOK_EVERY_MS, until - clock.now()), signal);
    return resourceChecks(baseline, look(), excuseOf(forced, alone, patienceMs));
  });

/** Why what is left says nothing against the application. */
function excuseOf(forced: boolean, alone: boolean, patienceMs: number): string | undefined {
  // It may hold what it likes: that has been reported already, and is its own line.
  if (forced) return 'a component or a part of one was given up';
  if (!alone) return 'another application runs in this process';
  return patienceMs < PATIENCE_MIN_MS ? 'there was no time to wait for its end' : undefined;
}

/** What this process holds by now, without the timers of those who do the stopping. */
export function processResources(): readonly string[] {
  const kinds = process.getActiveResourcesInfo();
  const timers = kinds.filter((kind) => kind === TIMER).slice(armedTimers());
  return [...kinds.filter((kind) => kind !== TIMER), ...timers, ...openFiles()];
}

const APPENDING = 0o2000;

/**
 * Files that are open, where the system lists them (Linux); by threads, too. Node lists none. What is only appended
 * to is a log, and may well be written to the last.
 */
function openFiles(): string[] {
  const isData = (fd: string): boolean => {
    try {
      if (!readlinkSync(`/proc/self/fd/${fd}`).startsWith('/') || isDevice(fd)) return false;
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
      return (Number.parseInt(flags ?? '0', 8) & APPENDING) === 0;
    } catch {
      // Closed meanwhile, as the one that lists them is.
      return false;
    }
  };
  try {
    return readdirSync('/proc/self/fd')
      .filter(isData)
      .map(() => OPEN_FILE);
  } catch {
    return [];
  }
}

const isDevice = (fd: string): boolean =>
  /^\/(dev|proc)\//.test(readlinkSync(`/proc/self/fd/${fd}`)) || Number(fd) < 3;
