/** Reading a moment: `--from` and `--to`. */
import type { ConfigurationIssue } from '../errors.ts';
import { printable } from '../options.ts';
import { type Reader, Refused } from './flags.ts';

const ALLOWED = 'a date as 2021-01-31, a time as 2021-01-31T12:30Z, or ms since epoch';

/** Before there were futures, by far: who gives less means a year, a date without hyphens, or seconds. */
const MS_MIN = 100_000_000_000;
/** The last ms of the year 9999: who gives more means microseconds. */
const MS_MAX = 253_402_300_799_999;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/u;
const CLOCK = /^(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?$/u;
const ZONE = /(?:z|[+-]\d{2}(?::?\d{2})?)$/iu;

const refuse = (allowed: string): never => {
  throw new Refused(allowed);
};

/**
 * A moment in ms since epoch: an ISO 8601 date (its midnight in UTC), a date and time with its zone, or ms. A time
 * without a zone is refused, for what it means depends on where the program runs.
 */
export const when: Reader<number> = (given) => {
  if (typeof given === 'number') return milliseconds(given);
  if (typeof given !== 'string') return refuse(ALLOWED);
  const text = given.trim();
  if (/^[+-]?\d+$/u.test(text)) return milliseconds(Number(text));
  const [date = '', clock, ...rest] = text.split(/[tT ]/u);
  const day = dayOf(date);
  if (day === undefined || rest.length > 0) return refuse(ALLOWED);
  return clock === undefined ? day : day + timeOf(date, clock);
};

function milliseconds(value: number): number {
  const isOne = value === 0 || (value >= MS_MIN && value <= MS_MAX);
  if (Number.isInteger(value) && isOne) return value;
  return refuse(`${ALLOWED}; those have 12 to 15 digits`);
}

/** Midnight in UTC; undefined for a day that no calendar has. */
function dayOf(text: string): number | undefined {
  const [, year, month, day] = DATE.exec(text) ?? [];
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (Number.isNaN(midnight) || midnight > MS_MAX) return undefined;
  return new Date(midnight).toISOString().startsWith(text) ? midnight : undefined;
}

/** How long behind midnight in UTC, ms. */
function timeOf(date: string, text: string): number {
  const zone = ZONE.exec(text)?.[0];
  const clock = zone === undefined ? text : text.slice(0, -zone.length);
  const match = CLOCK.exec(clock);
  if (match === null) return refuse(ALLOWED);
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1, 4).map((part) => Number(part ?? 0));
  if (hours > 23 || minutes > 59 || seconds > 59) return refuse(ALLOWED);
  if (zone === undefined) {
    const written = `${date}T${clock}`;
    return refuse(
      `a time with its zone: ${written}Z when that is UTC, or as ${written}+02:00; a date alone is midnight in UTC`,
    );
  }
  const ms = Number((match[4] ?? '').padEnd(3, '0'));
  return ((hours * 60 + minutes - offsetOf(zone)) * 60 + seconds) * 1_000 + ms;
}

/** Minutes before UTC. */
function offsetOf(zone: string): number {
  if (zone.toLowerCase() === 'z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', ''))];
  if (hours > 14 || minutes > 59) return refuse(ALLOWED);
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** What is wrong with a range that is none. */
export function rangeIssues(
  from: number | undefined,
  to: number | undefined,
  labelOf: (setting: string) => string,
): ConfigurationIssue[] {
  if (from === undefined || to === undefined || from < to) return [];
  const allowed = `behind ${labelOf('from')}, which is ${utc(from)}; it is not part of the range itself`;
  return [{ option: labelOf('to'), given: printable(utc(to)), allowed }];
}

/** `2021-01-31T12:30:00.000Z` as short as it can be said. */
export const utc = (time: number): string =>
  new Date(time)
    .toISOString()
    .replace(/(?<=T\d{2}:\d{2}):00\.000Z$/u, 'Z')
    .replace(/\.000Z$/u, 'Z');
