/** One record, one line, whatever the venue sent: control characters are written as escapes. */

/** How important a line is, the most important first. */
export type Level = 'error' | 'warn' | 'info' | 'debug';
export const LEVELS: readonly Level[] = ['error', 'warn', 'info', 'debug'];

/** A record with its secrets already gone. */
export interface LogRecord {
  /** Local wall clock, ms since epoch. */
  readonly time: number;
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Controls of C0 and C1, line separators, and what turns the direction of writing. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const hex = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text with every control character as a visible escape. */
export const escapeControls = (text: string): string =>
  text.replace(UNSAFE, (char) => SHORT[char] ?? hex(char));

/** JSON escapes C0 alone; the rest stands inside of strings only, so it can be escaped afterwards. */
const toJson = (value: unknown): string => JSON.stringify(value).replace(UNSAFE, hex);

const BARE = /^[^\s"'=[\]{}\\\p{C}]+$/u;

interface ErrorData {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

/** `StoreError STORE_LOCKED: held by … <- Error: …`, or undefined when this is no error. */
function errorText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('message' in value) || !('name' in value))
    return undefined;
  const { name, code, message, cause } = value as ErrorData;
  const head = code === undefined ? name : `${name} ${code}`;
  const behind = typeof cause === 'string' ? cause : errorText(cause);
  return `${head}: ${message}${behind === undefined ? '' : ` <- ${behind}`}`;
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : errorText(value);
  if (text === undefined) return toJson(value);
  return BARE.test(text) ? text : toJson(text);
}

/** `12:34:56.789 info  message name=value …`; the time is UTC. */
export function textLine(record: LogRecord): string {
  const time = new Date(record.time).toISOString().slice(11, 23);
  const fields = Object.entries(record.fields).map(
    ([name, value]) => ` ${escapeControls(name)}=${valueText(value)}`,
  );
  return `${time} ${record.level.padEnd(5)} ${escapeControls(record.message)}${fields.join('')}\n`;
}

/** `{"time":"2026-…Z","level":"info","message":"…",…}`; fields can't replace these three. */
export function jsonLine(record: LogRecord): string {
  const { time, level, message, fields } = record;
  const head = { time: new Date(time).toISOString(), level, message };
  const rest = Object.entries(fields).map(([name, value]) => [name in head ? `field_${name}` : name, value]);
  return `${toJson({ ...head, ...Object.fromEntries(rest) })}\n`;
}
