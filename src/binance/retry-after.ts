/** A number as HTTP writes it here: seconds, and by some servers with a fraction. */
const SECONDS = /^\d{1,12}(?:\.\d+)?$/;
/** An IMF-fixdate, the only form that servers may send (RFC 9110, 5.6.7). */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const timeOf = (text: string): number => (HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN);

/**
 * How long a `Retry-After` header asks to wait, ms; undefined when it says nothing that can be obeyed. A date counts
 * from the `Date` of the same answer, for the local calendar may be wrong.
 */
export function retryAfterMs(retryAfter: string | undefined, date?: string): number | undefined {
  if (retryAfter === undefined) return undefined;
  const text = retryAfter.trim();
  const ms = SECONDS.test(text) ? Number(text) * 1_000 : timeOf(text) - timeOf(date ?? '');
  return ms > 0 ? Math.ceil(ms) : undefined;
}
