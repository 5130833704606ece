/** What is wrong with a line of an archive's CSV file, in words. Only lines that could not be read come here. */
import { readDecimal } from './decimal.ts';
import { isTime } from './frame.ts';

/** The columns of the archive, as its header line names them. Source: protocol reference 3.4. */
export const ARCHIVE_COLUMNS = [
  'open_time',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'close_time',
  'quote_volume',
  'count',
  'taker_buy_volume',
  'taker_buy_quote_volume',
  'ignore',
] as const;

/** With its end; a line of klines has less than 200 bytes. Ours. */
export const LINE_BYTES_MAX = 1_024;

const WHOLE: ReadonlySet<string> = new Set(['open_time', 'close_time', 'count']);
const QUOTED_MAX = 40;
const LF = 0x0a;

/** As much of a text from outside as is fit to be shown. */
function quoted(text: string): string {
  const shown = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text;
  return JSON.stringify(shown);
}

/**
 * `bytes` begin with the line, and may go on with others. `unit`: that of the times before, where there were any.
 * To be read behind the number of the line, as `has 11 columns, not 12`.
 */
export function describeLine(bytes: Uint8Array, unit: 'ms' | 'us' | undefined): string {
  const end = bytes.indexOf(LF);
  const length = end < 0 ? bytes.length : end;
  if (end < 0 || length >= LINE_BYTES_MAX) return `is longer than ${LINE_BYTES_MAX} bytes`;
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1').replace(/\r$/, '');
  if (line === '') return 'is empty';
  const odd = /[^ -~]/.exec(line);
  if (odd !== null)
    return `has a byte that can't be there: 0x${odd[0].charCodeAt(0).toString(16).padStart(2, '0')} at ${odd.index + 1}`;
  const texts = line.split(',');
  if (texts.length !== ARCHIVE_COLUMNS.length)
    return `has ${texts.length} columns, not ${ARCHIVE_COLUMNS.length}: ${quoted(line)}`;
  for (const [index, name] of ARCHIVE_COLUMNS.entries()) {
    const text = texts[index] as string;
    const value = readDecimal(Buffer.from(text, 'latin1'), 0, text.length);
    if (!Number.isFinite(value)) return `has no number in ${name}: ${quoted(text)}`;
    if (WHOLE.has(name) && !isTime(value)) return `has no whole number in ${name}: ${quoted(text)}`;
  }
  return `has times of another unit than ${unit ?? 'its own'}: ${quoted(`${texts[0]},…,${texts[6]}`)}`;
}
