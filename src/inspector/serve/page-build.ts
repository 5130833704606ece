/** The page of a checkout that nobody has built, or that has changed since. The installed package brings its own. */
import { spawn } from 'node:child_process';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { CandlestateError } from '../../errors.ts';
import type { Clock } from '../../ports.ts';

/** Where a checkout has its page. */
export interface PageSources {
  /** Where `vite.config.ts` lies. */
  readonly root: string;
  /** What the page is made of: files and folders. */
  readonly parts: readonly string[];
}

export interface BuildBounds {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Builds the page of `root` into the folder `out`. */
export type BuildPage = (root: string, out: string, bounds: BuildBounds) => Promise<void>;

const BUILD_TIMEOUT_MS = 60_000;
/** Of what the build says, characters. */
const COMPLAINT_MAX = 2_000;
/** Folders of builds begin so; one that is as old as this belongs to nobody any more, ms. */
const TEMPORARY = '.inspector-';
const ABANDONED_MS = 600_000;

let builds = 0;

/** Whether something has changed since it was built, or it never was. */
export async function isStale(built: string, { parts }: PageSources): Promise<boolean> {
  const builtAt = await stat(join(built, 'index.html')).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  if (builtAt === undefined) return true;
  for (const part of parts) if ((await newest(part)) > builtAt) return true;
  return false;
}

async function newest(path: string): Promise<number> {
  const { mtimeMs, isDirectory } = await facts(path);
  if (!isDirectory) return mtimeMs;
  const inside = await Promise.all((await readdir(path)).map((name) => newest(join(path, name))));
  // A file that was removed changes its folder alone.
  return Math.max(mtimeMs, ...inside);
}

const facts = (path: string): Promise<{ mtimeMs: number; isDirectory: boolean }> =>
  stat(path).then(
    (found) => ({ mtimeMs: found.mtimeMs, isDirectory: found.isDirectory() }),
    () => ({ mtimeMs: 0, isDirectory: false }),
  );

/**
 * Builds it beside `built`, has it read by `read`, and puts it in its place: another process that does the same meanwhile
 * has made the same page, and whichever comes last is there.
 *
 * @throws {CandlestateError} `PAGE_BUILD` when it can't be built.
 */
export async function buildAnew<T>(
  built: string,
  root: string,
  build: BuildPage,
  bounds: BuildBounds,
  read: (folder: string) => Promise<T>,
): Promise<T> {
  const place = dirname(built);
  await sweep(place, bounds.clock.wallNow() - ABANDONED_MS);
  const out = join(place, `${TEMPORARY}${process.pid}-${++builds}`);
  const old = `${out}-old`;
  try {
    await build(root, out, bounds);
    const page = await read(out);
    // Neither has to succeed: there was none, or somebody else's is there.
    await rename(built, old).catch(() => {});
    await rename(out, built).catch(() => {});
    return page;
  } finally {
    await Promise.all([out, old].map((path) => rm(path, { recursive: true, force: true }).catch(() => {})));
  }
}

/** Removes what builds left that were killed. */
async function sweep(place: string, before: number): Promise<void> {
  const names = await readdir(place).catch(() => []);
  for (const path of names.filter((name) => name.startsWith(TEMPORARY)).map((name) => join(place, name)))
    if ((await facts(path)).mtimeMs < before)
      await rm(path, { recursive: true, force: true }).catch(() => {});
}

/** With the checkout's own vite, in a process that ends with this one. */
export const buildWithVite: BuildPage = (root, out, { clock, signal }) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Options of Node meant for this process are not for that one, and a page is built for use whoever runs this.
    const { NODE_OPTIONS: _, NODE_ENV: __, ...env } = process.env;
    const script = fileURLToPath(new URL('./page-build.child.ts', import.meta.url));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
      cwd: root,
      // It ends when nobody holds the other end of its input.
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...env, CANDLESTATE_PAGE_OUT: out },
      windowsHide: true,
    });
    // Nobody waits for a page when all else has ended.
    child.unref();
    for (const pipe of [child.stdin, child.stderr]) (pipe as Unreferable | null)?.unref?.();
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      complaint = (complaint + piece).slice(0, COMPLAINT_MAX);
    });
    child.stdin?.on('error', () => {});
    const kill = (): void => void child.kill('SIGKILL');
    let isLate = false;
    const timer = clock.setTimeout(() => {
      isLate = true;
      kill();
    }, BUILD_TIMEOUT_MS);
    signal.addEventListener('abort', kill, { once: true });
    const finish = (why?: string): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      if (why === undefined) resolve();
      else reject(new CandlestateError(`the page could not be built: ${why}`, { code: 'PAGE_BUILD' }));
    };
    child.on('error', ({ message }) => finish(message));
    child.on('close', (code) => {
      if (code === 0) finish();
      else if (isLate) finish(`it took longer than ${BUILD_TIMEOUT_MS} ms`);
      else finish(stripVTControlCharacters(complaint).trim() || 'it was cut short');
    });
  });

interface Unreferable {
  unref?(): void;
}
