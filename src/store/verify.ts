/** What is wrong with a store, found by a process of its own: it can be ended at any moment, and nothing waits for it. */
import { StoreError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import { askProcess } from './look-process.ts';
import type { StoreFindings, VerifyAnswer, VerifyProgress, VerifyQuestion } from './verify.file.ts';

export type { StoreFindings, VerifyProgress, VerifyQuestion } from './verify.file.ts';

export interface AuditOptions {
  /** Ends it at once. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far it is, now and then. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/**
 * Looks through every bar, gap and watermark that is asked for, and through the file. Changes nothing; another program may
 * write meanwhile, and what is found is then how it stood at one moment. A file that is damaged is a finding.
 *
 * @throws {StoreError} `STORE_FOREIGN`, `STORE_NEWER`, `STORE_UNUSABLE` (missing, empty, or not to be read). The signal's
 * reason when it is aborted.
 */
export async function auditStore(
  question: VerifyQuestion,
  options: AuditOptions = {},
): Promise<StoreFindings> {
  const { signal, onProgress, clock = systemClock } = options;
  signal?.throwIfAborted();
  let last: VerifyAnswer | undefined;
  const how = await askProcess({ look: 'verify', ...question }, { signal, clock }, (said) => {
    last = said as VerifyAnswer;
    if ('progress' in last) onProgress?.(last.progress);
  });
  if (last !== undefined && 'findings' in last) return last.findings;
  signal?.throwIfAborted();
  if (last !== undefined && 'refused' in last) throw new StoreError(last.refused.message, last.refused);
  throw new StoreError(`${question.path} could not be looked through: ${how}`, { code: 'STORE_UNUSABLE' });
}
