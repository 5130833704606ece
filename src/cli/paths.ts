/** Where commands read and write. */
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
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

/** What is wrong with a path as the place of a file that is to be written; `db`: the store that is read, if any. */
export function outProblem(
  out: string,
  { replace, db }: { readonly replace: boolean; readonly db?: string },
): string | undefined {
  try {
    const stat = statSync(out, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return 'the path of a file; this is a folder';
    if (stat !== undefined && !stat.isFile()) return 'the path of a file; this is none';
    if (db !== undefined && filesOfStore(db).includes(realNameOf(out)))
      return 'another file; this one is part of the store';
    if (stat !== undefined && !replace) return 'a name that is free, or --force to replace that file';
    if (kindOf(dirname(out)) !== 'folder') return `a path in a folder that exists; ${dirname(out)} is none`;
    accessSync(dirname(out), constants.W_OK);
  } catch (error) {
    return `a path that can be used: ${(error as Error).message}`;
  }
  return undefined;
}

const realNameOf = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));
const filesOfStore = (db: string): string[] =>
  ['', '-wal', '-shm', '.lock'].map((ending) => `${realNameOf(db)}${ending}`);
