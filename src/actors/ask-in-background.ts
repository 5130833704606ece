import { fromCallback } from 'xstate';
import { patienceOf, repairDelay } from '../../machines/model/backoff.ts';
import { describe } from '../../machines/model/cleanup.ts';
import type { Clock, Logger, Random } from '../ports.ts';
import { sleep } from '../transport/clock.ts';

export interface BackgroundPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Questions that nobody waits for. */
export interface BackgroundWork<Question> {
  /** Between two looks for something to ask, wall ms. */
  readonly tickMs: number;
  /** After each question, wall ms: what bounds the requests per second. */
  readonly spacingMs: number;
  /** What is said when a question failed. */
  readonly complaint: string;
  /** Before the first look. */
  readonly begin?: (signal: AbortSignal) => Promise<void>;
  readonly next: () => Question | undefined;
  readonly ask: (question: Question, signal: AbortSignal) => Promise<void>;
  readonly failed: (question: Question, error: unknown) => void;
}

/** Asks one question at a time for as long as it lives. Whatever fails is said, and tried again ever more slowly. */
export const askInBackground = <Question>(ports: BackgroundPorts, work: BackgroundWork<Question>) =>
  fromCallback(() => {
    const over = new AbortController();
    const { signal } = over;
    const pause = (ms: number): Promise<void> => sleep(ports.clock, ms, signal);
    let failures = 0;
    const complain = async (error: unknown): Promise<void> => {
      const retryMs = Math.max(patienceOf(error), repairDelay(failures, ports.random()));
      failures += 1;
      ports.logger.warn(work.complaint, { reason: describe(error), retryMs });
      await pause(retryMs);
    };
    /** False when there was nothing to ask. */
    const turn = async (): Promise<boolean> => {
      const question = work.next();
      if (question === undefined) return false;
      try {
        await work.ask(question, signal);
        failures = 0;
      } catch (error) {
        if (!signal.aborted) work.failed(question, error);
        throw error;
      }
      return true;
    };
    const live = async (): Promise<void> => {
      await work.begin?.(signal);
      while (!signal.aborted) {
        try {
          await pause((await turn()) ? work.spacingMs : work.tickMs);
        } catch (error) {
          if (!signal.aborted) await complain(error);
        }
      }
    };
    live().catch(() => {
      // Only the abort of its own sleep ends it: that is the disposer below.
    });
    return () => over.abort();
  });
