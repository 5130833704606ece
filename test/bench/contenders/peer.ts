/** A package that the benchmark has installed in a folder of its own. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Its exports, as a user's `require` gets them. */
export const peer = <Exports>(folder: string, name: string): Exports =>
  createRequire(join(folder, 'package.json'))(name) as Exports;
