import type { Counters } from './counters.ts';
import type { OpenGaps } from './open-gaps.ts';
import type { RowBuffer } from './row-buffer.ts';

/** What one run came to. */
export interface RunFacts {
  readonly rows: {
    /**
     * Rows (bars, gaps, fills, revisions, and marks of where history is wanted from) that were taken for the store in this run, and those that a run before had
     * left waiting.
     */
    readonly received: number;
    /** Of these, committed. What is missing was never written. */
    readonly written: number;
  };
  readonly gaps: {
    /** Holes that were named in this run. */
    readonly named: number;
    /** Gaps of any run that are not filled yet, of the 10,000 that are kept in mind. */
    readonly open: number;
  };
}

/** Tells what a run came to from counters that go on over all runs: nothing is counted for it, row by row. */
export class RunCounts {
  readonly #rows: Pick<RowBuffer, 'size' | 'written'>;
  readonly #counters: Pick<Counters, 'gaps'>;
  readonly #openGaps: Pick<OpenGaps, 'size'>;
  #before = { written: 0, gaps: 0 };

  constructor(
    rows: Pick<RowBuffer, 'size' | 'written'>,
    counters: Pick<Counters, 'gaps'>,
    openGaps: Pick<OpenGaps, 'size'>,
  ) {
    this.#rows = rows;
    this.#counters = counters;
    this.#openGaps = openGaps;
  }

  /** A run begins. */
  begin(): void {
    this.#before = { written: this.#rows.written, gaps: this.#counters.gaps };
  }

  /** What it came to by now. */
  read(): RunFacts {
    const written = this.#rows.written - this.#before.written;
    return {
      rows: { received: written + this.#rows.size, written },
      gaps: { named: this.#counters.gaps - this.#before.gaps, open: this.#openGaps.size },
    };
  }
}
