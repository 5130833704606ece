/** Which files import which, and what therefore must be loaded anew when one of them changes. */
import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { ROOT, read } from './generate.ts';
import { parse } from './tree.ts';

/** Rooms whose tests run in this process, without sockets, threads and processes: they are what mutants meet. */
const TEST_ROOMS = ['test/machines', 'test/model', 'test/pipeline', 'test/binance'];
/** Beside them, tests of faults that play everything but the collector's own code. */
const TEST_FILES = ['faults/calendar', 'faults/holes', 'faults/mute-stream', 'transport/shortcut'].map(
  (name) => `test/${name}.test.ts`,
);

export const testFiles = (): string[] => [
  ...TEST_ROOMS.flatMap((room) =>
    readdirSync(new URL(room, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => posix.join(room, path))
      .sort(),
  ),
  ...TEST_FILES,
];

export class Graph {
  readonly #importers = new Map<string, Set<string>>();
  readonly #read = new Set<string>();

  constructor(roots: readonly string[]) {
    for (const root of roots) this.#add(root);
  }

  /** The file and all that import it, through however many others. */
  reaching(file: string): Set<string> {
    const found = new Set([file]);
    for (const one of found) for (const importer of this.#importers.get(one) ?? []) found.add(importer);
    return found;
  }

  #add(file: string): void {
    if (this.#read.has(file)) return;
    this.#read.add(file);
    if (!existsSync(new URL(file, ROOT))) return;
    for (const specifier of parse(file, read(file)).imports) {
      if (!specifier.startsWith('.') || !/\.tsx?$/.test(specifier)) continue;
      const target = posix.join(posix.dirname(file), specifier);
      const importers = this.#importers.get(target) ?? new Set();
      this.#importers.set(target, importers.add(file));
      this.#add(target);
    }
  }
}
