import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** What a machine can run out of, as Node has it. */
const CODES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EFBIG', 'ENOMEM']);
/** As SQLite has it: no memory, no room, and no room by another name (a write that failed). */
const SQLITE_CODES: ReadonlySet<unknown> = new Set([7, 13, 778]);
const SQLITE_CANTOPEN = 14;
/** A store takes up to so many: itself, its log with index, a journal, its lock and the lock's journal. */
const DESCRIPTORS = 6;

/** Whether an error is about room, memory or descriptors that this machine does not have, and not about the file. */
export function isExhausted(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (CODES.has(code) || SQLITE_CODES.has(errcode)) return true;
  // SQLite can't open a file, and does not say why.
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_CANTOPEN && lacksDescriptors();
}

function lacksDescriptors(): boolean {
  const taken: number[] = [];
  try {
    while (taken.length < DESCRIPTORS) taken.push(openSync(devNull, 'r'));
    return false;
  } catch (error) {
    return CODES.has((error as NodeJS.ErrnoException).code);
  } finally {
    for (const one of taken) closeSync(one);
  }
}
