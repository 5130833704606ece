/** The last look at a store, when its writer has gone. */
import { existsSync, statSync } from 'node:fs';
import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import type { FileQuestion, StoreCheck } from './check.file.ts';
import { checkHandles } from './check.handles.ts';
import { filesOfStore, realNameOf, type StoreMark, wasOpenedSince } from './check.mark.ts';
import { askProcess } from './look-process.ts';

export interface VerifyOptions {
  /** How long all of it may take, ms. What can't be done by then is skipped. */
  readonly timeoutMs: number;
  /** How the store stood before the run: only then it can be told whether what the run wrote is whole. */
  readonly before?: StoreMark | undefined;
  /** Cuts it short. */
  readonly signal?: AbortSignal | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * So much of a file is looked through in a ms, bytes: a sixth of what was measured with the file in memory (600 MB/s,
 * 2 cores, Node 24), for it may have to come from a disk.
 */
const BYTES_PER_MS = 100_000;
/** For a process to start, when the machine has much to do, ms. */
const START_MS = 200;
/** What is kept of the time, to be able to say that it was too short, ms. */
const RESERVE_MS = 50;
/** How long a file that is still open is waited for, ms. */
const HANDLES_MS = 500;

const LATER = 'PRAGMA integrity_check does it later';

/**
 * Whether a store was left as it should be: `files` (this process holds none of it), `series` (what the run wrote is
 * there, or named as missing, up to where each series stands) and `integrity` (SQLite finds no fault in it). Never
 * rejects, never later than its time, changes nothing; other programs may read and write it meanwhile.
 */
export async function verifyStore(path: string, options: VerifyOptions): Promise<readonly StoreCheck[]> {
  const { before, signal, clock = systemClock } = options;
  const timeoutMs = Math.max(0, options.timeoutMs - Math.min(RESERVE_MS, options.timeoutMs / 10));
  const file = realNameOf(path);
  const [handles, found] = await Promise.all([
    checkHandles(filesOfStore(file), before?.held ?? [], Math.min(HANDLES_MS, timeoutMs), clock),
    existsSync(file)
      ? lookThrough({ path: file, before }, { timeoutMs, signal, clock })
      : whyAbsent(file, before),
  ]);
  return [handles, ...found];
}

/** Nothing was ever stored, or it was and is gone. */
function whyAbsent(path: string, before: StoreMark | undefined): StoreCheck[] {
  const isGone = before !== undefined && (before.exists || wasOpenedSince(path, before));
  const outcome = isGone ? 'failed' : 'skipped';
  const detail = isGone ? `${path} is gone` : 'there is no store';
  return [
    { name: 'series', outcome, detail },
    { name: 'integrity', outcome, detail },
  ];
}

interface Bounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
}

async function lookThrough(
  { path, before }: Omit<FileQuestion, 'integrity'>,
  { timeoutMs, signal, clock }: Bounds,
): Promise<StoreCheck[]> {
  const needsMs = START_MS + bytesOf(path) / BYTES_PER_MS;
  const integrity = needsMs <= timeoutMs;
  const told = new Map<StoreCheck['name'], StoreCheck>();
  if (!integrity)
    told.set('integrity', {
      name: 'integrity',
      outcome: 'skipped',
      detail: `${megabytes(bytesOf(path))} are too much for the ${Math.round(timeoutMs)} ms left; ${LATER}`,
    });
  const end =
    timeoutMs === 0
      ? 'no time was left'
      : await askProcess({ look: 'check', path, before, integrity }, { timeoutMs, signal, clock }, (line) => {
          const check = line as StoreCheck;
          told.set(check.name, check);
        });
  for (const name of ['series', 'integrity'] as const)
    if (!told.has(name)) told.set(name, { name, outcome: 'skipped', detail: `${end}; ${LATER}` });
  return (['series', 'integrity'] as const).flatMap((name) => told.get(name) ?? []);
}

/** The file and what waits beside it to be put into it. */
const bytesOf = (path: string): number =>
  [path, `${path}-wal`].reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
