import fc from 'fast-check';
import { expect, describe as group, test } from 'vitest';
import { cleanup, describe, isRetryable } from '../../../machines/model/cleanup.ts';

const circle: { self?: unknown } = {};
circle.self = circle;

const fail = (): never => {
  throw new Error('not this either');
};

group('any thrown thing becomes a text', () => {
  test.each<[unknown, string]>([
    [new Error('boom'), 'boom'],
    ['text', 'text'],
    [{ code: 7 }, '{"code":7}'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7n, '7'],
    [Symbol('s'), 'Symbol(s)'],
    [circle, '[object Object]'],
    [{ toJSON: () => undefined }, '[object Object]'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new TypeError(), 'TypeError'],
    [Object.assign(new Error(), { message: 42 }), '42'],
    [Object.assign(new Error(), { message: { a: 1 } }), '{"a":1}'],
  ])('%o', (thrown, text) => expect(describe(thrown)).toBe(text));

  test('without ever throwing', () => {
    const deaf = Object.defineProperty(new Error(), 'message', { get: fail });
    expect(describe(deaf)).toBe('something that can not be shown');
    expect(describe({ toJSON: fail })).toBe('[object Object]');
    const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withObjectString: true });
    fc.assert(fc.property(anything, (thrown) => typeof describe(thrown) === 'string'));
  });
});

test('a line says how long the end took in whole ms, and never less than nothing', () => {
  expect(cleanup('a', 'closed', 10, 12.6)).toEqual({ name: 'a', outcome: 'closed', durationMs: 3 });
  expect(cleanup('a', 'forced', 10, 9, new Error('boom'))).toEqual({
    name: 'a',
    outcome: 'forced',
    durationMs: 0,
    error: 'boom',
  });
});

test.each([
  [Object.assign(new Error(), { retryable: true }), true],
  [Object.assign(new Error(), { retryable: 'yes' }), false],
  [new Error(), false],
  [null, false],
  ['retryable', false],
])('only an error that says so may be tried again: %o', (error, expected) => {
  expect(isRetryable(error)).toBe(expected);
});
