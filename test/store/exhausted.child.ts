/** Opens a store with no more than 0, 1, 2 … descriptors to be had, and writes a line of JSON for each: its error's code, or null. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { StoreDatabase } from '../../src/store/database.ts';

const LEFT_MAX = 8;
const [path = ''] = process.argv.slice(2);
const codes: (string | null)[] = [];
const holder = { pid: process.pid, host: 'here', since: 0 };
const attempt = (): string | null => {
  try {
    StoreDatabase.open({ path, origin: 'simulator', holder }).database.close(0);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

// What is loaded only when it is needed is loaded now.
attempt();
const taken: number[] = [];
try {
  for (;;) taken.push(openSync(devNull, 'r'));
} catch {
  // There are no more.
}
for (let left = 0; left <= LEFT_MAX; left++) {
  codes.push(attempt());
  closeSync(taken.pop()!);
}
process.stdout.write(JSON.stringify(codes));
