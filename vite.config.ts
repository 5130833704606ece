import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig as UserConfig } from 'vitest/config';

/**
 * Tests that look at the whole process, or put something in the place of a module: they have a process of their own. All
 * others close what they open: to start a process for each file, and to load all modules anew, costs more than many tests.
 */
const ALONE = ['test/supervisor/*.test.ts', 'test/collector/release.test.ts'];

/** Tests that repeat what takes long, mostly over real processes: by `CANDLESTATE_TEST_LONG=1`, as in CI. */
const LONG = process.env['CANDLESTATE_TEST_LONG'] === '1' ? [] : ['test/**/*.long.test.ts'];

/** The inspector's page, built beside the library: `vite build --mode page`. */
const PAGE: UserConfig = {
  root: fileURLToPath(new URL('src/inspector/page', import.meta.url)),
  // Below whatever path it is served.
  base: './',
  build: {
    target: 'es2023',
    // Elsewhere for a checkout that builds it while another program serves it.
    outDir: process.env['CANDLESTATE_PAGE_OUT'] ?? fileURLToPath(new URL('dist/inspector', import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What the page is built from wants its licences to go with it.
    license: { fileName: 'LICENSES.md' },
    chunkSizeWarningLimit: 1_000,
    // The page, and what stands between the collector and the hosted viewer.
    rolldownOptions: {
      input: ['index', 'stately'].map((name) =>
        fileURLToPath(new URL(`src/inspector/page/${name}.html`, import.meta.url)),
      ),
    },
  },
};

/** Library build: one flat folder, so that the store worker sits beside whatever chunk starts it. */
const LIBRARY: UserConfig = {
  build: {
    target: 'node22',
    ssr: true,
    outDir: 'dist',
    emptyOutDir: true,
    minify: false,
    rolldownOptions: {
      input: {
        index: 'src/index.ts',
        machines: 'machines/index.ts',
        simulator: 'src/simulator/index.ts',
        cli: 'src/cli/main.ts',
        'sqlite.worker': 'src/store/sqlite.worker.ts',
        'check.child': 'src/store/check.child.ts',
      },
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: 'chunk-[name]-[hash].js',
      },
    },
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    // Most of the time is spent waiting for sockets and processes: five files at a time also on two cores.
    maxWorkers: Number(process.env['CANDLESTATE_TEST_WORKERS'] ?? 5),
    // A shared machine that stands still for seconds fails some test that is held to them: once more, and it is told.
    // Not for a property, whose second try has other inputs.
    retry: { count: Number(process.env['CANDLESTATE_TEST_RETRIES'] ?? 0), condition: /^(?!Property failed)/ },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...LONG],
          isolate: false,
        },
      },
    ],
    // Hundreds of processes are started from the sources: their types are stripped once, and not each time again.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
  },
};

export default defineConfig(async ({ mode }) => {
  if (mode === 'page') return PAGE;
  if (mode !== 'test') return LIBRARY;
  const { LongestFirst } = await import('./test/support/longest-first.ts');
  return { ...LIBRARY, test: { ...LIBRARY.test, sequence: { sequencer: LongestFirst } } };
});
