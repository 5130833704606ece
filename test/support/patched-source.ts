/**
 * A source file with another text in one place, for tests that must see a defect: the file on the disk stays as it is,
 * and only this process, from its next import of the file on, reads the patched text. Plain Node, no test runner.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Patch {
  readonly find: string;
  readonly replace: string;
}

const ROOT = new URL('../../', import.meta.url);
/** URL of a source file, without query → what is put in place of what. */
const patches = new Map<string, Patch[]>();
let hooks: { deregister(): void } | undefined;

/** The text with every patch applied, in order. Throws when one does not fit in exactly one place. */
function patched(text: string, list: readonly Patch[], file: string): string {
  return list.reduce((before, { find, replace }) => {
    const places = find === '' ? 0 : before.split(find).length - 1;
    if (places !== 1)
      throw new Error(`${file}: ${JSON.stringify(find)} is there ${places} times, not exactly once`);
    return before.replace(find, () => replace);
  }, text);
}

function hook(): void {
  hooks ??= registerHooks({
    load(url, context, nextLoad) {
      const list = patches.get(url.replace(/[?#].*$/, ''));
      const loaded = nextLoad(url, context);
      if (list === undefined) return loaded;
      const path = fileURLToPath(url);
      return { ...loaded, source: patched(readFileSync(path, 'utf8'), list, path), shortCircuit: true };
    },
  });
}

/**
 * From now on `file` (a path from the repository's root) is loaded with `replace` in the place of `find`. Several
 * patches, of one file too, add up. A module that has been imported already stays what it is. Threads and child
 * processes read the file from the disk. Returns what takes this patch back for later imports.
 * Throws when `find` is not in the file exactly once.
 */
export function patchSource(file: string, find: string, replace: string): () => void {
  const url = new URL(file, ROOT);
  const { href } = pathToFileURL(fileURLToPath(url));
  const list = patches.get(href) ?? [];
  const patch: Patch = { find, replace };
  patched(readFileSync(url, 'utf8'), [...list, patch], file);
  patches.set(href, [...list, patch]);
  hook();
  return () => {
    const left = (patches.get(href) ?? []).filter((it) => it !== patch);
    if (left.length > 0) patches.set(href, left);
    else patches.delete(href);
    if (patches.size > 0) return;
    hooks?.deregister();
    hooks = undefined;
  };
}
