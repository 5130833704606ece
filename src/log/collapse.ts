import type { Level } from './format.ts';

const WINDOW_MS = 1_000;
/** Lines with the same level and message that pass in a window. */
const PASS = 10;
/** Different messages that are watched at a time; others pass. */
const WATCHED_MAX = 1_000;

interface Watched {
  readonly level: Level;
  readonly message: string;
  since: number;
  passed: number;
  held: number;
}

export interface Collapse {
  /** Whether this line is to be written. */
  admit(level: Level, message: string, now: number): boolean;
  /** Reports the lines held back in windows that are over, or in all of them, and forgets quiet messages. */
  sweep(now: number, all?: boolean): void;
  /** Whether there is anything to sweep. */
  readonly busy: boolean;
}

/**
 * Keeps an error storm from filling the disk: of lines with the same level and message ten a second pass,
 * and the others become one with their number. Fields do not make lines different.
 */
export function createCollapse(report: (level: Level, message: string, held: number) => void): Collapse {
  const watched = new Map<string, Watched>();

  const release = (entry: Watched): void => {
    if (entry.held > 0) report(entry.level, entry.message, entry.held);
    entry.held = 0;
  };

  return {
    admit(level, message, now) {
      const name = `${level} ${message}`;
      let entry = watched.get(name);
      if (entry === undefined) {
        if (watched.size >= WATCHED_MAX) return true;
        entry = { level, message, since: now, passed: 0, held: 0 };
        watched.set(name, entry);
      } else if (now - entry.since >= WINDOW_MS) {
        release(entry);
        entry.since = now;
        entry.passed = 0;
      }
      if (entry.passed < PASS) {
        entry.passed++;
        return true;
      }
      entry.held++;
      return false;
    },
    sweep(now, all = false) {
      for (const [name, entry] of watched) {
        if (!all && now - entry.since < WINDOW_MS) continue;
        release(entry);
        watched.delete(name);
      }
    },
    get busy() {
      return watched.size > 0;
    },
  };
}
