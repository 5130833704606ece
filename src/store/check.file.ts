/** A store looked through by SQLite itself: synchronous, and for a large file long. Runs in a process of its own. */
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import type { StoreMark } from './check.mark.ts';
import { checkSeries } from './check.series.ts';
import { checkIdentity, openToLook, refuseForeignFile, stampOf } from './identity.ts';

/** One thing that was looked at. */
export interface StoreCheck {
  readonly name: 'files' | 'series' | 'integrity';
  readonly outcome: 'ok' | 'failed' | 'skipped';
  /** What was found, or why it was not looked for. */
  readonly detail?: string;
}

export interface FileQuestion {
  readonly path: string;
  /** How it stood before the run that is looked at. */
  readonly before?: StoreMark | undefined;
  /** Whether its pages are to be looked through; what of the run is in it always is. */
  readonly integrity: boolean;
}

/** Faults of a file that are named; there may be one for every page. */
const FAULTS_MAX = 3;
/** How often a file that another program changes meanwhile is looked at. */
const TRIES_MAX = 3;

/**
 * Tells what is found as it is found, so that what is known by then is not lost when this is cut short. Nothing is
 * created or changed.
 */
export function checkFile(question: FileQuestion, tell: (check: StoreCheck) => void): void {
  const told = new Set<StoreCheck['name']>();
  const names: StoreCheck['name'][] = question.integrity ? ['series', 'integrity'] : ['series'];
  for (let tries = 1; told.size < names.length; tries++) {
    const before = stampOf(question.path);
    // With a log beside it, it is read as it was at one moment, whatever others do to it.
    const isTakenAsStill = !existsSync(`${question.path}-wal`);
    lookThrough(question, (check) => {
      if (told.has(check.name)) return;
      // What is read as a file that can't change, and did, is looked at again.
      const isDoubtful = check.outcome === 'failed' && isTakenAsStill && stampOf(question.path) !== before;
      if (isDoubtful && tries < TRIES_MAX) return;
      told.add(check.name);
      tell(
        isDoubtful ? { ...check, outcome: 'skipped', detail: 'another program is changing the file' } : check,
      );
    });
    if (tries === TRIES_MAX) return;
  }
}

function lookThrough({ path, before, integrity }: FileQuestion, tell: (check: StoreCheck) => void): void {
  const tellBoth = (outcome: StoreCheck['outcome'], detail: string): void => {
    tell({ name: 'series', outcome, detail });
    if (integrity) tell({ name: 'integrity', outcome, detail });
  };
  if (existsSync(`${path}-wal`) && !existsSync(`${path}-shm`)) {
    tellBoth('skipped', 'its log has no index beside it, and reading it would make one');
    return;
  }
  let database: DatabaseSync | undefined;
  try {
    refuseForeignFile(path);
    database = openToLook(path);
    if (checkIdentity(database, path) === 'new') {
      tellBoth(before?.exists ? 'failed' : 'ok', 'it is empty');
      return;
    }
    const opened = database;
    attempt('series', tell, () => seriesOf(opened, before));
    if (integrity) attempt('integrity', tell, () => integrityOf(opened));
  } catch (error) {
    tellBoth(outcomeOf(error), textOf(error));
  } finally {
    database?.close();
  }
}

function attempt(name: StoreCheck['name'], tell: (check: StoreCheck) => void, look: () => StoreCheck): void {
  let check: StoreCheck;
  try {
    check = look();
  } catch (error) {
    check = { name, outcome: outcomeOf(error), detail: textOf(error) };
  }
  tell(check);
}

function seriesOf(database: DatabaseSync, before: StoreMark | undefined): StoreCheck {
  // One picture for all questions, while another program may go on writing.
  database.exec('BEGIN');
  try {
    const { series, bars, wrong } = checkSeries(database, before?.watermarks);
    if (wrong !== undefined) return { name: 'series', outcome: 'failed', detail: wrong };
    return { name: 'series', outcome: 'ok', detail: `${bars} bars of this run in ${series} series` };
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}

function integrityOf(database: DatabaseSync): StoreCheck {
  const found = database.prepare(`PRAGMA quick_check(${FAULTS_MAX})`).all();
  const faults = found.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok');
  if (faults.length === 0) return { name: 'integrity', outcome: 'ok' };
  return { name: 'integrity', outcome: 'failed', detail: faults.join('; ') };
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Damage is a finding; a lock of another program, or a right that is lacking, says nothing of the file. */
const outcomeOf = (error: unknown): 'failed' | 'skipped' =>
  error instanceof StoreError || isDamage(error) ? 'failed' : 'skipped';

/** Whether SQLite has found the file itself wrong. */
export function isDamage(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : undefined;
  // Extended codes have the plain one in their last byte.
  const plain = typeof code === 'number' ? code & 0xff : undefined;
  return plain === SQLITE_CORRUPT || plain === SQLITE_NOTADB;
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
