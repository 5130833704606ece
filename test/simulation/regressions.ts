/** Plans that broke the promise once: each is a file, and is run again for ever. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Violation } from './check/violations.ts';
import type { Plan } from './plan.ts';

/** A plan, and what it broke when it was written down. */
export interface Regression {
  readonly violation: Violation;
  readonly plan: Plan;
}

const FOLDER = fileURLToPath(new URL('regressions', import.meta.url));

/** All of them, by the names of their files. */
export function readRegressions(): (Regression & { readonly name: string })[] {
  mkdirSync(FOLDER, { recursive: true });
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({
      name,
      ...(JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Regression),
    }));
}

/** Returns the path of the file. */
export function writeRegression(regression: Regression): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${regression.plan.seed}.json`);
  writeFileSync(path, `${JSON.stringify(regression, undefined, 2)}\n`);
  return path;
}
