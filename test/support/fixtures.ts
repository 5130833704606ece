import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of recordings and archive files beside the project. They are read there and never copied. */
const SHARED = new URL('../../../shared/', import.meta.url);

/** Path of a shared file. */
export const shared = (path: string): string => fileURLToPath(new URL(path, SHARED));

/**
 * For `test.skipIf`: true where the shared folder is missing. With `REQUIRE_FIXTURES=1`, as in CI, such tests
 * run all the same, and fail.
 */
export const fixturesMissing = !existsSync(SHARED) && process.env['REQUIRE_FIXTURES'] !== '1';
