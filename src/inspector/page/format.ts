/** Figures as text. What changes often keeps its width: the page sets it in figures of one width. */

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const two = (n: number): string => String(n).padStart(2, '0');
const three = (n: number): string => String(n).padStart(3, '0');

/** `12,345`; from ten million on `12.3 M`. */
export const count = (n: number): string =>
  Math.abs(n) < 10_000_000 ? WHOLE.format(n) : `${(n / 1_000_000).toFixed(1)} M`;

/** `0.4`, `12`, `12,345`. */
export const rate = (perSecond: number): string =>
  perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : count(perSecond);

/** `12 ms`, `3.4 s`, `2 min 5 s`, `1 h 3 min`, `2 d 4 h`. */
export function span(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1_440)} d ${Math.floor(minutes / 60) % 24} h`;
}

/** Whole seconds, for what counts up before one's eyes: `34 s`, `2 min 5 s`. */
export const age = (ms: number): string =>
  ms < 59_500 ? `${Math.max(0, Math.round(ms / 1_000))} s` : span(Math.round(ms / 1_000) * 1_000);

/** `14:03:04.123`, where the viewer is. */
export function wallTime(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${three(at.getMilliseconds())}`;
}

/** `2026-11-22` and `14:03:04`, UTC. */
export function utc(ms: number): { readonly date: string; readonly time: string } {
  const [date = '', time = ''] = new Date(ms).toISOString().split('T');
  return { date, time: time.slice(0, 8) };
}

/** What caused a transition, by the colours of the charts. */
export type Cause = 'event' | 'after' | 'done' | 'error' | 'always';

const OWN: readonly (readonly [pattern: RegExp, cause: Cause, text: string])[] = [
  [/^xstate\.after\.(\d+)\..*$/, 'after', 'after $1 ms'],
  [/^xstate\.after\.([^.]+)\..*$/, 'after', 'after $1'],
  [/^xstate\.(?:done|snapshot)\.(?:actor|state)\.(.+)$/, 'done', 'done $1'],
  [/^xstate\.error\.(?:actor\.)?(.+)$/, 'error', 'error $1'],
  [/^$/, 'always', 'always'],
];

/** XState's own words in short: `xstate.after.backoff.connection.waiting.resting` is `after backoff`. */
export function eventName(type: string): { readonly text: string; readonly cause: Cause } {
  for (const [pattern, cause, text] of OWN)
    if (pattern.test(type)) return { text: type.replace(pattern, text), cause };
  return { text: type.replace(/^xstate\./, ''), cause: 'event' };
}
