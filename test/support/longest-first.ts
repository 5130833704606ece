/** Order of the test files: what takes longest begins first, so that nothing long is left to be waited for alone. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those of ten seconds and more, longest first: a checkout that is new has no durations to go by. */
const LONG = [
  'cli/process',
  'cli/verify',
  'collector/replay.long',
  'docs/paper-trader',
  'docs/examples',
  'inspector/browser',
  'cli/export',
  'faults/crash.long',
  'restart/restart.long',
  'collector/faults',
  'endings/endings.long',
  'faults/rest',
  'faults/transport',
  'faults/ledger',
  'collector/history',
  'collector/restart',
  'faults/data',
].map((name) => `/test/${name}.test.ts`);

/** Place among the long ones; behind all of them for any other. */
function place({ moduleId }: TestSpecification): number {
  const found = LONG.findIndex((path) => moduleId.endsWith(path));
  return found === -1 ? LONG.length : found;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byCache = await super.sort(files);
    return byCache.toSorted((a, b) => place(a) - place(b));
  }
}
