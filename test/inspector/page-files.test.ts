/** The page of a checkout: there when somebody asks for it, built once, and never in the way of the collector. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type BuildPage, buildWithVite } from '../../src/inspector/serve/page-build.ts';
import { Page, type PageOptions, pagePlace } from '../../src/inspector/serve/page-files.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { folder, Memo } from '../support/collector.ts';
import { within } from '../support/wait.ts';
import { builtPage } from './serving.ts';

/** A checkout with one source, and a build that can be waited for. */
function checkout() {
  const root = folder();
  const source = join(root, 'page/main.tsx');
  mkdirSync(dirname(source));
  writeFileSync(source, '');
  const built = join(root, 'dist/inspector');
  const log = new Memo();
  const builds: string[] = [];
  const timers: (() => void)[] = [];
  const clock = {
    ...systemClock,
    setTimeout(callback: () => void) {
      timers.push(callback);
    },
  };
  const build: BuildPage = async (_, out) => {
    builds.push(out);
    builtPage(`build ${builds.length}`, out);
  };
  const page = (options: Partial<PageOptions> = {}): Page => {
    const sources = { root, parts: [dirname(source)] };
    const made = new Page({ clock, logger: log, built, sources, build, ...options });
    onTestFinished(() => made.close());
    return made;
  };
  /** Somebody has edited the page, in that many seconds from now. */
  const edit = (inSeconds: number): void => {
    const at = Date.now() / 1_000 + inSeconds;
    utimesSync(source, at, at);
  };
  /** What lies where builds are made. */
  const left = (): string[] => readdirSync(join(root, 'dist'));
  return { root, built, log, builds, timers, page, edit, left };
}

const SCRIPT = 'assets/index-abc.js';
const scriptOf = async (page: Page): Promise<string> => String((await page.answer(SCRIPT)).body);

describe('a checkout that was not built', () => {
  test('builds its page once, for however many ask, and not before', async () => {
    const { page, builds, built, left } = checkout();
    const one = page();
    expect(builds).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => one.answer('')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(builds).toHaveLength(1);
    expect(existsSync(join(built, 'index.html'))).toBe(true);
    expect(left()).toEqual(['inspector']);
    expect(await scriptOf(page())).toBe('build 1');
    expect(builds).toHaveLength(1);
  });

  test('builds anew at the next start when the page was edited, and not meanwhile', async () => {
    const { page, builds, edit, left } = checkout();
    const before = page();
    await before.answer('');
    edit(60);
    expect(await scriptOf(before)).toBe('build 1');
    expect(await scriptOf(page())).toBe('build 2');
    expect(builds).toHaveLength(2);
    expect(left()).toEqual(['inspector']);
  });

  test('is shared by processes that build at the same time: each has a whole page, and one is left', async () => {
    const { page, builds, built, left } = checkout();
    const pages = Array.from({ length: 5 }, () => page());
    const scripts = await Promise.all(pages.map(scriptOf));
    expect(scripts.map((script) => script.slice(0, 5))).toEqual(Array(5).fill('build'));
    expect(new Set(builds).size).toBe(builds.length);
    expect(left()).toEqual(['inspector']);
    expect(readdirSync(built).sort()).toEqual(['assets', 'index.html', 'stately.html']);
  });

  test('that can not be built says what to do, and is tried again later', async () => {
    const { page, log, timers, left } = checkout();
    let isBroken = true;
    const one = page({
      build: async (_, out) => {
        builtPage('x', out);
        if (isBroken) throw new Error('/home/somebody/main.tsx: unexpected token');
      },
    });
    const { status, body, type } = await one.answer('');
    expect({ status, type }).toEqual({ status: 503, type: 'text/html; charset=utf-8' });
    expect(body).toContain('npm run build:page');
    expect(body).not.toContain('somebody');
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(left()).toEqual([]);
    isBroken = false;
    expect((await one.answer('')).status).toBe(503);
    for (const fire of timers) fire();
    expect((await one.answer('')).status).toBe(200);
  });

  test('that can not be built any more serves what was built before, and says so', async () => {
    const { page, log, edit, timers, left } = checkout();
    await page().answer('');
    edit(60);
    const one = page({ build: () => Promise.reject(new Error('EROFS: read-only file system')) });
    expect(await one.answer('')).toMatchObject({ status: 200 });
    expect(await scriptOf(one)).toBe('build 1');
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ message: expect.stringContaining('an older page is served') }),
    ]);
    expect(timers).toEqual([]);
    expect(left()).toEqual(['inspector']);
  });

  test('forgets the folders of builds that were killed long ago, and no others', async () => {
    const { page, root, left } = checkout();
    const dist = join(root, 'dist');
    for (const name of ['.inspector-1-1', '.inspector-2-1', 'other'])
      mkdirSync(join(dist, name), { recursive: true });
    const longAgo = Date.now() / 1_000 - 3_600;
    for (const name of ['.inspector-1-1', 'other']) utimesSync(join(dist, name), longAgo, longAgo);
    await page().answer('');
    expect(left().sort()).toEqual(['.inspector-2-1', 'inspector', 'other']);
  });

  test('ends its build with the inspector', async () => {
    const { page, left } = checkout();
    const begun = Promise.withResolvers<void>();
    const one = page({
      build: async (_, out, { signal }) => {
        builtPage('half', out);
        begun.resolve();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const answer = one.answer('');
    await begun.promise;
    await within('the end', one.close(), 500);
    expect((await answer).status).toBe(503);
    expect(left()).toEqual([]);
  });
});

describe('the page of the package', () => {
  test('is read as it is; nothing is built', async () => {
    const page = new Page({ clock: systemClock, logger: new Memo(), built: builtPage('as it is') });
    expect(await scriptOf(page)).toBe('as it is');
    expect(await page.answer('assets/none.js')).toMatchObject({ status: 404 });
  });

  test('is in memory once it was read', async () => {
    const built = builtPage('in memory');
    const page = new Page({ clock: systemClock, logger: new Memo(), built });
    await page.answer('');
    rmSync(built, { recursive: true });
    expect(await scriptOf(page)).toBe('in memory');
  });

  test('that is replaced while it is read is the old one or the new one, in whole', async () => {
    const root = folder();
    const [built, other, aside] = ['inspector', 'other', 'aside'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    for (const [path, name] of [
      [built, 'old'],
      [other, 'new'],
    ] as const) {
      builtPage('', path);
      writeFileSync(join(path, 'index.html'), name);
      for (let file = 0; file < 20; file++) writeFileSync(join(path, `assets/${file}.js`), name);
    }
    let isOver = false;
    const swapping = (async () => {
      while (!isOver) {
        renameSync(built, aside);
        renameSync(other, built);
        renameSync(aside, other);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const mixed: string[] = [];
    let whole = 0;
    for (let reading = 0; reading < 100; reading++) {
      const page = new Page({ clock: systemClock, logger: new Memo(), built });
      const names = ['', ...Array.from({ length: 20 }, (_, file) => `assets/${file}.js`)];
      const answers = await Promise.all(names.map((name) => page.answer(name)));
      const texts = new Set(answers.map(({ status, body }) => (status === 200 ? String(body) : status)));
      if (texts.size > 1) mixed.push([...texts].join(' and '));
      else if (!texts.has(503)) whole += 1;
      await page.close();
    }
    isOver = true;
    await swapping;
    expect(mixed).toEqual([]);
    expect(whole).toBeGreaterThan(0);
  });

  test('that is missing says what to do', async () => {
    const log = new Memo();
    const page = new Page({ clock: systemClock, logger: log, built: join(folder(), 'none') });
    expect(await page.answer('')).toMatchObject({
      status: 503,
      body: expect.stringContaining('npm run build:page'),
    });
    await page.close();
  });
});

describe('with vite', () => {
  const real = (build: BuildPage = buildWithVite) => {
    const built = join(folder(), 'dist/inspector');
    mkdirSync(dirname(built));
    const page = new Page({ clock: systemClock, logger: new Memo(), ...pagePlace(), built, build });
    onTestFinished(() => page.close());
    return { page, built };
  };

  test('the page of this checkout is built beside its place, and moved there', async () => {
    const { page, built } = real();
    const { status, body } = await page.answer('');
    expect(status).toBe(200);
    const scripts = /src="\.\/(assets\/[^"]+\.js)"/.exec(String(body));
    expect((await page.answer(scripts?.[1] ?? '')).status).toBe(200);
    expect(readdirSync(dirname(built))).toEqual(['inspector']);
  });

  test('a build that is under way ends at once with the inspector, and leaves nothing', async () => {
    const begun = Promise.withResolvers<void>();
    const { page, built } = real((...args) => {
      begun.resolve();
      return buildWithVite(...args);
    });
    const answer = page.answer('');
    await begun.promise;
    // Its process has ended when this has.
    await within('the end', page.close(), 1_000);
    expect((await answer).status).toBe(503);
    expect(readdirSync(dirname(built))).toEqual([]);
  });
});
