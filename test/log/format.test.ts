import { describe, expect, test } from 'vitest';
import { jsonLine, textLine } from '../../src/log/format.ts';

const at = (message: string, fields: Record<string, unknown> = {}) =>
  ({ time: Date.UTC(2026, 10, 21, 12, 34, 56, 789), level: 'info', message, fields }) as const;

const HOSTILE = 'a\r\nb\u001b[31mc\u0000\u0085\u2028\u202ed\u007f';

describe('text lines', () => {
  test('have time, level, message and fields', () => {
    expect(textLine(at('stream is up', { feed: 'feed0', ms: 12, note: 'two words', list: ['a', 1] }))).toBe(
      '12:34:56.789 info  stream is up feed=feed0 ms=12 note="two words" list=["a",1]\n',
    );
  });

  test('show an error with what was behind it', () => {
    const cause = { name: 'Error', code: 'ECONNREFUSED', message: 'refused' };
    const error = { name: 'StoreError', code: 'STORE_LOCKED', message: 'held', cause };
    expect(textLine(at('x', { error }))).toContain(
      'error="StoreError STORE_LOCKED: held <- Error ECONNREFUSED: refused"',
    );
  });

  test('keep what could be taken for another field inside of quotes', () => {
    expect(textLine(at('x', { reason: 'a b=c', empty: '', quoted: '"' }))).toContain(
      'reason="a b=c" empty="" quoted="\\""',
    );
  });
});

describe.each([
  ['text', textLine],
  ['json', jsonLine],
])('hostile text in %s lines', (_, line) => {
  test('X13 can neither break a line nor reach the terminal', () => {
    const written = line(at(HOSTILE, { field: HOSTILE, [HOSTILE]: [HOSTILE] }));
    expect(written.endsWith('\n')).toBe(true);
    expect(written.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
  });
});

describe('JSON lines', () => {
  test('can be read back whole', () => {
    const read: unknown = JSON.parse(jsonLine(at(HOSTILE, { field: HOSTILE, n: 1 })));
    expect(read).toEqual({
      time: '2026-11-21T12:34:56.789Z',
      level: 'info',
      message: HOSTILE,
      field: HOSTILE,
      n: 1,
    });
  });

  test('keep time, level and message when fields have the same names', () => {
    const read: unknown = JSON.parse(jsonLine(at('m', { message: 'other', level: 'x' })));
    expect(read).toMatchObject({ message: 'm', level: 'info', field_message: 'other', field_level: 'x' });
  });
});
