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

/** Any thrown thing as text, never empty but for an empty string. Total: it runs where a throw would end a machine. */
export function describe(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return describeError(thrown);
    if (typeof thrown !== 'object' || thrown === null) return String(thrown);
    return asJson(thrown) ?? Object.prototype.toString.call(thrown);
  } catch {
    return 'something that can not be shown';
  }
}

/** A refused connection to several addresses is an error without a message, but with a code. */
function describeError(error: Error): string {
  // Whoever makes an error may put there what he likes.
  const text: unknown = error.message || ('code' in error ? error.code : '') || error.name;
  return typeof text === 'string' ? text : describe(text);
}

function asJson(thrown: object): string | undefined {
  try {
    return JSON.stringify(thrown);
  } catch {
    return undefined;
  }
}

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
