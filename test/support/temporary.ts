/** Where a test's temporary files are, and what is left of them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';

/** Regular files below a folder. */
export const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(path, name)).isFile(),
  );

/** From here on to the end of the test, temporary files go into this folder. */
export function temporaryIn(path: string): string {
  vi.stubEnv('TMPDIR', path);
  onTestFinished(() => void vi.unstubAllEnvs());
  return path;
}
