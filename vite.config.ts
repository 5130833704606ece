import { defineConfig } from 'vitest/config';

/** Library build: one flat folder, so that the store worker sits beside whatever chunk starts it. */
export default defineConfig({
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
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    // Most of the time is spent waiting for sockets and processes: four files at a time also on two cores.
    maxWorkers: 4,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
