import { describe, expect, test } from 'vitest';
import { cleanFields, textMasker } from '../../src/log/redact.ts';

const CANARY = 'canary-9f3b1c';
const mask = textMasker();

describe('masked texts', () => {
  test.each([
    [`https://user:${CANARY}@proxy.example:8080/x`, 'https://***@proxy.example:8080/x'],
    [`see wss://${CANARY}@h/ws and go`, 'see wss://***@h/ws and go'],
    [`wss://h/private?listenKey=${CANARY}&events=a`, 'wss://h/private?listenKey=***&events=a'],
    [`/fapi/v1/x?symbol=B&signature=${CANARY}`, '/fapi/v1/x?symbol=B&signature=***'],
    [`X-MBX-APIKEY: ${CANARY}`, 'X-MBX-APIKEY: ***'],
    [`Authorization: Bearer ${CANARY}`, 'Authorization: ***'],
    [`{"apiSecret":"${CANARY}","a":1}`, '{"apiSecret":"***","a":1}'],
    [`wss://h/ws/${'a1B2'.repeat(16)}`, 'wss://h/ws/***'],
  ])('%s loses its secret', (given, expected) => {
    expect(mask(given)).toBe(expected);
  });

  test.each([
    ['wss://fstream.binance.com/market/stream?streams=btcusdt@kline_1m'],
    ['the key BTCUSDT@1m is unknown'],
    ['a@b.example wrote'],
  ])('%s stays as it is', (given) => {
    expect(mask(given)).toBe(given);
  });

  test('secrets that are known are masked wherever they stand, also encoded', () => {
    const known = textMasker(['s3cr+t/', 'abc']);
    expect(known('x s3cr+t/ y s3cr%2Bt%2F z')).toBe('x *** y *** z');
    expect(known('abc is too short to be one')).toContain('abc');
  });

  test('X18 a megabyte of hostile text is masked within a second', () => {
    for (const part of ['//', '//a', '?', '?a', '&key', 'token', 'token: ', '@', '/ws/']) {
      const started = performance.now();
      mask(part.repeat(1_000_000 / part.length));
      expect(performance.now() - started).toBeLessThan(1_000);
    }
  });
});

describe('fields', () => {
  test.each([
    'apiKey',
    'X-MBX-APIKEY',
    'secret',
    'listenKey',
    'token',
    'signature',
    'Authorization',
    'Set-Cookie',
    'password',
  ])('the value of %s is masked', (name) => {
    expect(cleanFields({ [name]: CANARY }, mask)).toEqual({ [name]: '***' });
  });

  test('objects are written out under listed names alone', () => {
    const inner = { [CANARY]: CANARY, plain: CANARY };
    const cleaned = cleanFields(
      { env: inner, headers: inner, request: inner, counters: { frames: 5 } },
      mask,
    );
    expect(cleaned).toEqual({
      env: '[object]',
      headers: '[object]',
      request: '[object]',
      counters: { frames: 5 },
    });
  });

  test('an error shows its code, message and causes, and none of its other properties', () => {
    const cause = Object.assign(new Error(`no route to https://u:${CANARY}@h`), {
      code: 'ENETUNREACH',
      errno: -101,
    });
    const error = Object.assign(new Error('failed', { cause }), {
      code: 'X',
      status: 418,
      config: { apiKey: CANARY },
      request: { headers: { authorization: CANARY } },
    });
    expect(cleanFields({ error }, mask)).toEqual({
      error: {
        name: 'Error',
        code: 'X',
        status: 418,
        message: 'failed',
        cause: { name: 'Error', code: 'ENETUNREACH', message: 'no route to https://***@h' },
      },
    });
  });

  test('a chain of causes that bites its tail ends', () => {
    const error = new Error('a');
    error.cause = error;
    expect(JSON.stringify(cleanFields(error, mask)).length).toBeLessThan(1_000);
  });

  test('what JSON can not hold is written as text', () => {
    const given = {
      big: 5n,
      nan: Number.NaN,
      fn: () => 1,
      date: new Date(0),
      url: new URL('https://u:p@h/'),
      bytes: Buffer.alloc(3),
      none: undefined,
    };
    expect(cleanFields(given, mask)).toEqual({
      big: '5',
      nan: 'NaN',
      fn: '[function]',
      date: '1970-01-01T00:00:00.000Z',
      url: 'https://***@h/',
      bytes: '[3 bytes]',
    });
  });

  test('long lists and texts are cut', () => {
    const cleaned = cleanFields(
      { list: Array.from({ length: 500 }, (_, index) => index), text: 'x'.repeat(1e6) },
      mask,
    );
    expect(JSON.stringify(cleaned).length).toBeLessThan(3_000);
  });

  test('a getter that throws does not reach the caller', () => {
    const hostile = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    expect(cleanFields(hostile, mask)).toEqual({});
  });
});
