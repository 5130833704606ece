/**
 * Modules in versions: a mutant is one file with another text, and all that import it, loaded anew. All others stay as
 * they are, so that a mutant costs a few milliseconds.
 */
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { ROOT, read } from './generate.ts';

export interface Version {
  readonly number: number;
  /** Files that are loaded anew. */
  readonly files: ReadonlySet<string>;
  /** The file that has another text, and the text, without types. */
  readonly file: string;
  readonly text: string;
}

const RUNNER = new URL('tiny-runner.ts', import.meta.url).href;
/** The text as JavaScript. Throws when it is no TypeScript. */
export const strip = (text: string): string => stripTypeScriptTypes(text, { mode: 'strip' });

let version: Version | undefined;
/** Types are taken out of each file once. */
const stripped = new Map<string, string>();

const withNumber = (url: string, { number }: Version): string => `${url}?mutant=${number}`;
const fileOf = (url: string): string | undefined =>
  url.startsWith(ROOT.href) ? url.slice(ROOT.href.length).replace(/\?.*$/, '') : undefined;

function plain(file: string): string {
  const found = stripped.get(file) ?? strip(read(file));
  stripped.set(file, found);
  return found;
}

/** From now on test files get this runner for vitest, and versions can be made. */
export function installModules(): void {
  registerHooks({
    resolve(specifier, context, next) {
      // The runner itself has the real one.
      if (specifier === 'vitest' && context.parentURL !== RUNNER)
        return { url: RUNNER, format: 'module-typescript', shortCircuit: true };
      const resolved = next(specifier, context);
      const file = version && fileOf(resolved.url);
      return file !== undefined && version!.files.has(file)
        ? { ...resolved, url: withNumber(resolved.url, version!) }
        : resolved;
    },
    load(url, context, next) {
      if (version === undefined || !url.endsWith(`?mutant=${version.number}`)) return next(url, context);
      const file = fileOf(url)!;
      const source = file === version.file ? version.text : plain(file);
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

/** What is imported from now on belongs to this version; to none: the files as they are. */
export function useVersion(next: Version | undefined): void {
  version = next;
}

/** Loads a file as it is in the version that is in use. */
export const importFile = (file: string): Promise<unknown> => import(new URL(file, ROOT).href);
