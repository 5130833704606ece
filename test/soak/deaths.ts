/** How a collector's life can end, and what is then asked of its end. */
import { existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustEnd, mustTakeLess } from '../endings/cases.ts';
import { Child, isPending, quoted } from '../endings/launch.ts';
import { comes } from '../support/program.ts';
import type { Life } from './drawing.ts';

/** A stop's five seconds, what a process may take to leave, and a machine with other things to do. */
const STOP_MS = 8_000;
const FORCED_MS = 2_000;
/** Within which trouble that is bound to come must show, wall ms. */
const TROUBLE_MS = 12_000;
const CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const KILLED = 137;

export interface Grave {
  /** Words of the command; flags may be added. */
  readonly words: readonly string[];
  readonly folder: string;
  readonly store: string;
}

type Complaints = readonly (string | false)[];

interface Death {
  /** How often against the others. */
  readonly weight: number;
  /** Flags more than the others have. */
  readonly flags?: readonly string[];
  /** Words of a shell before the command, and behind it. */
  readonly shell?: (life: Life, grave: Grave) => { readonly before?: string; readonly after?: string };
  readonly die: (child: Child, life: Life, grave: Grave) => Promise<Complaints>;
}

/** One signal; whoever has not yet come to hear it is ended by it, with the same code. */
async function stopBy(
  child: Child,
  signal: Life['signal'],
  allowed: readonly number[] = [CODES[signal]],
): Promise<Complaints> {
  if (isOver(child)) return [`it ended before its signal, with ${(await child.end()).code}`];
  const askedAt = child.kill(signal);
  const { code, at } = await child.end(2 * STOP_MS);
  return [!allowed.includes(code) && mustEnd(code, allowed[0]!), mustTakeLess(at - askedAt, STOP_MS)];
}

const isOver = ({ process: { exitCode, signalCode } }: Child): boolean =>
  exitCode !== null || signalCode !== null;

function waits(child: Child, signal: NodeJS.Signals): boolean {
  try {
    return isPending(child.pid, signal);
  } catch {
    // It is gone.
    return false;
  }
}

/** Until it has ended, or for so long; whether it has. */
async function ends(child: Child, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!isOver(child) && performance.now() < end) await sleep(20);
  return isOver(child);
}

async function says(child: Child, what: RegExp, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!what.test(child.stderr()) && !isOver(child) && performance.now() < end) await sleep(20);
  return what.test(child.stderr());
}

const blocksOf = (store: string): number => (existsSync(store) ? Math.ceil(statSync(store).size / 512) : 0);

export type DeathName =
  | 'SIGKILL'
  | 'one signal'
  | 'two signals'
  | 'asleep'
  | 'asleep, told to end'
  | 'duration'
  | 'full disk'
  | 'few descriptors'
  | 'reader gone'
  | 'output on a full disk'
  | 'log on a full disk'
  | 'second writer';

export const DEATHS: Readonly<Record<DeathName, Death>> = {
  SIGKILL: {
    weight: 6,
    die: async (child, { livedMs }) => {
      await sleep(livedMs);
      if (!isOver(child)) child.kill('SIGKILL');
      return [mustEnd((await child.end()).code, KILLED)];
    },
  },
  'one signal': {
    weight: 3,
    die: async (child, { livedMs, signal }) => {
      await sleep(livedMs);
      return stopBy(child, signal);
    },
  },
  'two signals': {
    weight: 2,
    die: async (child, { livedMs, signal, apartMs }) => {
      await sleep(livedMs);
      child.kill(signal);
      // Two of a kind that wait for it are one.
      await comes('the first signal taken', () => isOver(child) || !waits(child, signal));
      // It may have had the time to end as the first one said.
      if (await ends(child, apartMs / 5)) return [mustEnd((await child.end()).code, CODES[signal])];
      const askedAt = child.kill('SIGTERM');
      const { code, at } = await child.end();
      return [
        ![1, CODES[signal], CODES.SIGTERM].includes(code) && mustEnd(code, 1),
        mustTakeLess(at - askedAt, FORCED_MS),
      ];
    },
  },
  asleep: {
    weight: 1,
    die: async (child, { livedMs, apartMs, signal }) => {
      await sleep(livedMs);
      child.kill('SIGSTOP');
      await sleep(2 * apartMs);
      child.kill('SIGCONT');
      await sleep(apartMs);
      return stopBy(child, signal);
    },
  },
  'asleep, told to end': {
    weight: 1,
    die: async (child, { livedMs, apartMs, signal }) => {
      await sleep(livedMs);
      child.kill('SIGSTOP');
      child.kill(signal);
      await sleep(apartMs);
      const isGone = isOver(child);
      child.kill('SIGCONT');
      const { code } = await child.end(2 * STOP_MS);
      return [isGone && 'it ended while it slept', mustEnd(code, CODES[signal])];
    },
  },
  duration: {
    weight: 1,
    flags: ['--duration', '2s'],
    die: async (child) => [mustEnd((await child.end(20_000)).code, 0)],
  },
  'full disk': {
    weight: 1,
    // Files may grow by some batches; in blocks of 512 bytes.
    shell: ({ share }, { store }) => ({
      before: `ulimit -f ${blocksOf(store) + 100 + Math.floor(share * 400)};`,
    }),
    die: async (child, { signal }) => {
      const isFull = await says(child, /disk|full|too large|I\/O/u, TROUBLE_MS);
      if (isOver(child)) return [mustEnd((await child.end()).code, 1)];
      return stopBy(child, signal, isFull ? [1, CODES[signal]] : [CODES[signal]]);
    },
  },
  'few descriptors': {
    weight: 1,
    // With fewer Node itself does not begin.
    shell: ({ share }) => ({ before: `ulimit -n ${26 + Math.floor(share * 30)};` }),
    die: async (child, { livedMs, signal }) => {
      if (await ends(child, livedMs)) return [mustEnd((await child.end()).code, 1)];
      // The last look at the store needs a process of its own, and that some descriptors.
      return stopBy(child, signal, [CODES[signal], 1]);
    },
  },
  'reader gone': {
    weight: 1,
    die: async (child, { livedMs }) => {
      await sleep(livedMs);
      child.process.stdout?.destroy();
      return [mustEnd((await child.end(30_000)).code, 0)];
    },
  },
  'output on a full disk': {
    weight: 1,
    shell: () => ({ after: '>/dev/full' }),
    die: async (child) => [mustEnd((await child.end(30_000)).code, 1)],
  },
  'log on a full disk': {
    weight: 1,
    shell: () => ({ after: '2>/dev/full' }),
    die: async (child, { livedMs, signal }) => {
      await sleep(livedMs);
      return stopBy(child, signal);
    },
  },
  'second writer': {
    weight: 1,
    die: async (child, { livedMs, signal }, { words, folder }) => {
      await says(child, /→ streaming/u, 4_000 + livedMs);
      await using other = new Child(words, { cwd: folder });
      const { code, stderr } = await other.end(20_000);
      const first = await stopBy(child, signal);
      return [
        mustEnd(code, 1),
        !/being written|locked|another/iu.test(stderr) && 'the second one does not say why',
        ...first,
      ];
    },
  },
};

/** Begins a life. */
export function bear(life: Life, grave: Grave): Child {
  const { shell, flags = [] } = DEATHS[life.death];
  const words = [...grave.words, ...flags];
  if (shell === undefined) return new Child(words, { cwd: grave.folder });
  const { before = '', after = '' } = shell(life, grave);
  return new Child(['sh', '-c', `${before} exec ${quoted(words)} ${after}`], { cwd: grave.folder });
}
