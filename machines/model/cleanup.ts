/** How a component's end went: by itself, by force after its deadline, or with an error of its own. */
export type Outcome = 'closed' | 'forced' | 'failed';

/** One line of a stop report: what every component hands its parent when it has ended. */
export interface Cleanup {
  readonly name: string;
  readonly outcome: Outcome;
  /** How long the end took, ms. */
  readonly durationMs: number;
  readonly error?: string;
}

/** Any thrown thing as one line of text. */
export const describe = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : JSON.stringify(thrown);

/** A cleanup line for a component that took from `since` to `now`. */
export function cleanup(
  name: string,
  outcome: Outcome,
  since: number,
  now: number,
  error?: unknown,
): Cleanup {
  const line = { name, outcome, durationMs: Math.max(0, Math.round(now - since)) };
  return error === undefined ? line : { ...line, error: describe(error) };
}

/** Whether trying again may help: errors say so themselves (`retryable`). Anything else is final. */
export const isRetryable = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === true;
