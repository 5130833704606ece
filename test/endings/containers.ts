/** The collector as the first process of a container, below a shell, and below npm. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { comes } from '../support/program.ts';
import { type Case, mustEnd, mustHold, mustTakeLess, Skipped } from './cases.ts';
import { collects, collectWords, storeIn } from './collect.ts';
import { Child, childrenOf, quoted, ROOT } from './launch.ts';
import { remainsOf } from './store-facts.ts';

const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const AS_USER = ['unshare', '--user', '--map-root-user', ...UNSHARE.slice(1)];

/** The words that make a namespace of processes here. */
function namespace(): readonly string[] {
  const refusals: string[] = [];
  for (const words of [UNSHARE, AS_USER]) {
    const [program = '', ...args] = words;
    try {
      execFileSync(program, [...args, 'true'], { stdio: 'pipe' });
      return words;
    } catch (error) {
      refusals.push((error as Error).message.trim());
    }
  }
  throw new Skipped(`no namespace of processes can be had: ${refusals.at(-1)}`);
}

/** Starts it as process 1; also the number that it has out here. */
async function startAsFirst(
  folder: string,
  command: readonly string[],
): Promise<{ child: Child; pid: number }> {
  const child = new Child([...namespace(), ...command], { cwd: folder });
  const pid = await comes('the first process', () => childrenOf(child.pid)[0]?.pid);
  return { child, pid };
}

const firstProcess = (signals: readonly NodeJS.Signals[], wanted: number): Case => ({
  name: `L04 as process 1 of a container: ${signals.join(', ')} → ${wanted}, and no child, no zombie`,
  async run(folder) {
    const { child, pid } = await startAsFirst(folder, collectWords(folder));
    await using _ = child;
    await collects(folder);
    const children = childrenOf(pid).length;
    const askedAt = performance.now();
    // Two of one kind would be one while the first waits to be taken.
    for (const signal of signals) process.kill(pid, signal);
    const { code, at } = await child.end();
    mustHold([
      mustEnd(code, wanted),
      mustTakeLess(at - askedAt, signals.length > 1 ? 1_000 : 5_000),
      children > 0 && `it had ${children} children`,
      ...(signals.length > 1 ? [] : remainsOf(storeIn(folder))),
    ]);
    return `exit ${code} after ${(at - askedAt).toFixed(0)} ms`;
  },
});

const orphans: Case = {
  name: "L04 as process 1, somebody else's orphans do not hold it up: SIGTERM → 143",
  async run(folder) {
    // What the shell has started stays a child of what it turns into.
    const command = ['sh', '-c', `sleep 0.1 & sleep 100 & exec ${quoted(collectWords(folder))}`];
    const { child, pid } = await startAsFirst(folder, command);
    await using _ = child;
    await collects(folder);
    const states = childrenOf(pid).map(({ state }) => (state === 'Z' ? 'a zombie' : 'alive'));
    process.kill(pid, 'SIGTERM');
    const { code } = await child.end();
    mustHold([mustEnd(code, 143), ...remainsOf(storeIn(folder))]);
    return `exit ${code}; its two orphans were ${states.join(' and ')} before, and are gone with it`;
  },
};

/** Some shells turn into the last command by themselves; `exec` says so to all. */
const shell: Case = {
  name: 'below sh -c with exec: SIGTERM → 143',
  async run(folder) {
    await using child = new Child(['sh', '-c', `exec ${quoted(collectWords(folder))}`], { cwd: folder });
    await collects(folder);
    child.kill('SIGTERM');
    const { code } = await child.end();
    mustHold([mustEnd(code, 143), ...remainsOf(storeIn(folder))]);
    return `exit ${code}`;
  },
};

const shellGroup: Case = {
  name: 'below sh -c that waits for it: Ctrl+C to both → 130',
  async run(folder) {
    await using child = new Child(['sh', '-c', `${quoted(collectWords(folder))}; exit $?`], { cwd: folder });
    await collects(folder);
    child.kill('SIGINT', 'group');
    const { code, stderr } = await child.end();
    mustHold([
      mustEnd(code, 130),
      !stderr.includes('checks ok') && 'nothing was closed',
      ...remainsOf(storeIn(folder)),
    ]);
    return `exit ${code}`;
  },
};

/** `npm start -- …`: `start` is `collect`. */
const npmWords = (folder: string): string[] => {
  const words = collectWords(folder);
  return ['npm', 'start', '--', ...words.slice(words.indexOf('collect') + 1)];
};

const npm: Case = {
  name: 'below npm start, which passes it on: SIGTERM to npm → 143',
  async run(folder) {
    await using child = new Child(npmWords(folder), { cwd: ROOT });
    await collects(folder);
    child.kill('SIGTERM');
    const { code, stderr } = await child.end();
    mustHold([
      mustEnd(code, 143),
      !stderr.includes('checks ok') && 'nothing was closed',
      ...remainsOf(storeIn(folder)),
    ]);
    return `exit ${code}`;
  },
};

const npmTerminal: Case = {
  name: 'below npm start in a terminal: one Ctrl+C, which arrives twice, → a stop, not forced',
  async run(folder) {
    const record = join(folder, 'typescript');
    const words = ['script', '--quiet', '--return', '--flush', '--command', quoted(npmWords(folder)), record];
    try {
      execFileSync('script', ['--version'], { stdio: 'pipe' });
    } catch {
      throw new Skipped('no terminal can be had: script (util-linux) is missing');
    }
    await using child = new Child(words, {
      cwd: ROOT,
      env: { TERM: 'dumb' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    await collects(folder);
    child.process.stdin?.write('\x03');
    const { code, stdout } = await child.end();
    mustHold([
      stdout.includes('Forced exit') && 'it was forced',
      mustEnd(code, 130),
      !stdout.includes('checks ok') && 'it was not closed',
      ...remainsOf(storeIn(folder)),
    ]);
    return `exit ${code}`;
  },
};

const npmService: Case = {
  name: 'below npm start as a service: SIGTERM to every process of it, and npm passes its own on: a stop, not forced',
  async run(folder) {
    await using child = new Child(npmWords(folder), { cwd: ROOT });
    await collects(folder);
    child.kill('SIGTERM', 'group');
    const { code, stderr } = await child.end();
    mustHold([
      stderr.includes('Forced exit') && 'it was forced',
      mustEnd(code, 143),
      ...remainsOf(storeIn(folder)),
    ]);
    return `exit ${code}`;
  },
};

export const CONTAINERS: readonly Case[] = [
  firstProcess(['SIGTERM'], 143),
  firstProcess(['SIGINT'], 130),
  firstProcess(['SIGTERM', 'SIGINT'], 1),
  orphans,
  shell,
  shellGroup,
  npm,
  npmTerminal,
  npmService,
];
