/** The page as it is served: read once into memory, so that no request names a path on the disk. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock, Logger } from '../../ports.ts';
import { type Answer, HTML, NOT_FOUND } from './answer.ts';
import { type BuildPage, buildAnew, buildWithVite, isStale, type PageSources } from './page-build.ts';

export interface PageOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The folder of the built page. */
  readonly built: string;
  /** Of a checkout; absent: the page is there or not. */
  readonly sources?: PageSources | undefined;
  /** Default: with vite, in a process of its own. */
  readonly build?: BuildPage;
}

/** By what follows `/`: `assets/index-Mtdi3_AB.js`. */
type Files = ReadonlyMap<string, Answer>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': HTML,
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
};
/** Their names change with what is in them. */
const IMMUTABLE = { 'cache-control': 'public, max-age=31536000, immutable' };
/** A page that could not be built is not tried again at once, ms. */
const RETRY_MS = 3_000;
/** While a folder is replaced it may be read in part; then it is read again. */
const READS_MAX = 3;

/** Where the page lies, beside the sources and beside the bundle. */
export function pagePlace(): Pick<PageOptions, 'built' | 'sources'> {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  if (!import.meta.url.endsWith('.ts')) return { built: here('./inspector') };
  const root = here('../../..');
  const parts = ['src/inspector/page', 'docs/charts', 'machines/model', 'vite.config.ts'];
  return {
    built: join(root, 'dist/inspector'),
    sources: { root, parts: parts.map((part) => join(root, part)) },
  };
}

/** The page. Nothing is read, and nothing built, before somebody asks for it. */
export class Page {
  readonly #options: PageOptions;
  readonly #ending = new AbortController();
  #files: Promise<Files> | undefined;

  constructor(options: PageOptions) {
    this.#options = options;
  }

  /** A file of it; the whole page for ''. Never rejects. */
  async answer(name: string): Promise<Answer> {
    try {
      this.#files ??= this.#load();
      return (await this.#files).get(name === '' ? 'index.html' : name) ?? NOT_FOUND;
    } catch {
      return UNBUILT;
    }
  }

  /** Ends a build that is under way; resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#files?.catch(() => {});
  }

  async #load(): Promise<Files> {
    const { built, sources, build = buildWithVite, clock, logger } = this.#options;
    const { signal } = this.#ending;
    try {
      if (sources === undefined || !(await isStale(built, sources))) return await read(built);
      logger.info('building the page of the inspector, once');
      try {
        return await buildAnew(built, sources.root, build, { clock, signal }, read);
      } catch (error) {
        signal.throwIfAborted();
        // Without vite, or where nothing can be written, what was built before is better than none.
        const older = await read(built).catch(() => {
          throw error;
        });
        logger.warn('an older page is served: `npm run build:page` says why it could not be built', {
          error,
        });
        return older;
      }
    } catch (error) {
      if (!signal.aborted) {
        logger.warn('there is no page: `npm run build:page` says why', { error });
        clock.setTimeout(() => {
          this.#files = undefined;
        }, RETRY_MS);
      }
      throw error;
    }
  }
}

async function read(folder: string): Promise<Files> {
  for (let reads = 1; ; reads++) {
    try {
      const before = await stat(folder);
      const files = await readAll(folder);
      const { ino, ctimeMs } = await stat(folder);
      if (ino === before.ino && ctimeMs === before.ctimeMs && files.has('index.html')) return files;
      throw new Error('the folder of the page is being written, or has no index.html');
    } catch (error) {
      if (reads === READS_MAX) throw error;
    }
  }
}

async function readAll(folder: string): Promise<Files> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, Answer]> => {
        const name = path.slice(folder.length + 1).replaceAll('\\', '/');
        const type = TYPES[extname(path)] ?? 'application/octet-stream';
        const headers = name.startsWith('assets/') ? IMMUTABLE : {};
        return [name, { status: 200, type, body: await readFile(path), headers }];
      }),
    ),
  );
}

const UNBUILT: Answer = {
  status: 503,
  type: HTML,
  headers: { 'retry-after': String(RETRY_MS / 1_000) },
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>candlestate</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem }
</style>
<h1>The page has not been built</h1>
<p>Run <code>npm ci</code> and <code>npm run build:page</code> in the checkout, and load this again: it says there
what is wrong. The collector goes on; <a href="/healthz">/healthz</a> and <a href="/metrics">/metrics</a> work.</p>
</html>
`,
};
