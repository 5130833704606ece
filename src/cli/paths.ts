/** Where commands read and write. */
import { statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Origin } from '../options.ts';

const DEFAULT_FOLDER = 'data';

/** The store of an exchange, unless told otherwise. */
export const defaultStoreOf = (origin: Origin): string => join(DEFAULT_FOLDER, `${origin}.db`);

/** Archive files that were fetched before, unless told otherwise. */
export const DEFAULT_CACHE = join(DEFAULT_FOLDER, 'cache');

const kindOf = (path: string): 'file' | 'folder' | 'nothing' => {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts === undefined ? 'nothing' : facts.isDirectory() ? 'folder' : 'file';
};

/** What is wrong with a path as the place of a store. The store makes the folder of a relative path itself, one. */
export function pathProblem(path: string): string | undefined {
  try {
    if (kindOf(path) === 'folder') return 'the path of a file; this is a folder';
    const parent = kindOf(dirname(path));
    if (parent === 'file') return `a path in a folder; ${dirname(path)} is a file`;
    if (parent === 'nothing' && (isAbsolute(path) || kindOf(dirname(dirname(path))) === 'nothing'))
      return `a path in a folder that exists; make ${dirname(path)} first`;
  } catch (error) {
    return `a path that can be read: ${(error as Error).message}`;
  }
  return undefined;
}
