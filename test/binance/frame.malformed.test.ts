import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candleOf, decimal, decodeFrame, type Frame, type KlineFrame } from '../../src/binance/frame.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { combinedFrame, editableFrame, type Json } from './recorded.ts';

const decode = (value: unknown): Frame =>
  decodeFrame(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const KINDS = ['kline', 'other', 'reply', 'refusal', 'malformed'];

describe.skipIf(fixturesMissing)('a real frame that was damaged', () => {
  test('cut at any offset, it is malformed', () => {
    const whole = Buffer.from(JSON.stringify(JSON.parse(combinedFrame())));
    expect(decodeFrame(whole).kind).toBe('kline');
    for (let length = 0; length < whole.length; length++)
      expect(decodeFrame(whole.subarray(0, length)), `cut at ${length}`).toEqual({
        kind: 'malformed',
        reason: 'not JSON',
      });
  });

  const wrongIdentity: [where: 'frame' | 'event' | 'k', field: string, values: unknown[]][] = [
    ['frame', 'data', [null, 1, 'x', [], true]],
    ['event', 'e', [null, 1, {}, [], undefined]],
    ['event', 'E', [null, '1', 1.5, -1, 2 ** 53, [], undefined]],
    ['event', 'k', [null, 1, 'x', [], undefined]],
    ['k', 's', [null, 1, '', {}, undefined]],
    ['k', 'i', [null, 1, '', '1s', '1mo', '1H', '1MIN', 'constructor', undefined]],
    ['k', 't', [null, '1791382980000', 1.5, -1, 2 ** 53, {}, undefined]],
    ['k', 'x', [null, 1, 0, 'true', undefined]],
  ];
  test.each(wrongIdentity)('%s.%s of another type makes it malformed', (where, field, values) => {
    for (const value of values) {
      const parts = editableFrame();
      parts[where][field] = value;
      expect(decode(parts.frame), `${field} = ${JSON.stringify(value)}`).toMatchObject({ kind: 'malformed' });
    }
  });

  const DECIMALS = ['o', 'h', 'l', 'c', 'v', 'q', 'V', 'Q'];
  const notDecimals = [
    null,
    1,
    '',
    ' ',
    '1,5',
    '1e400',
    '1e5',
    'NaN',
    'Infinity',
    '0x10',
    '+1',
    '.5',
    '5.',
    '1\n',
    {},
    [],
    true,
    undefined,
  ];
  test.each(DECIMALS)('k.%s of another type or text gives no candle', (field) => {
    for (const value of [...notDecimals, '9'.repeat(400)]) {
      const { frame, k } = editableFrame();
      k[field] = value;
      const decoded = decode(frame);
      expect(decoded.kind).toBe('kline');
      expect(candleOf(decoded as KlineFrame), `${field} = ${JSON.stringify(value)}`).toBeUndefined();
    }
  });

  test.each(['T', 'n'])('k.%s of another type gives no candle', (field) => {
    for (const value of [null, '1', 1.5, -1, 2 ** 53, {}, [], undefined]) {
      const { frame, k } = editableFrame();
      k[field] = value;
      expect(candleOf(decode(frame) as KlineFrame), `${field} = ${JSON.stringify(value)}`).toBeUndefined();
    }
  });

  test('fields that are new, or that nobody reads, change nothing', () => {
    const { frame, event, k } = editableFrame();
    const before = candleOf(decode(frame) as KlineFrame);
    Object.assign(frame, { st: 1 });
    Object.assign(event, { ps: 'X', st: 2 });
    Object.assign(k, { f: null, L: 'x', B: [], new: {} });
    expect(candleOf(decode(frame) as KlineFrame)).toEqual(before);
  });

  test('X07 keys named like members of every object reach no prototype', () => {
    const text = combinedFrame().replace('"e": "kline"', '"__proto__": {"e": "kline", "polluted": 1}');
    expect(decode(text)).toEqual({
      kind: 'malformed',
      reason: 'combined frame without an event',
      stream: 'btcusdt@kline_1m',
    });
    expect(decode('{"__proto__":{"error":{"code":1}},"constructor":1}').kind).toBe('malformed');
    expect(({} as Json)['polluted']).toBeUndefined();
  });

  test('a month and a minute stay apart', () => {
    const { frame, k } = editableFrame();
    k['i'] = '1M';
    expect(decode(frame)).toMatchObject({ kind: 'kline', interval: '1M' });
    k['i'] = '1m';
    expect(decode(frame)).toMatchObject({ kind: 'kline', interval: '1m' });
  });

  test('replaced byte by byte, it never throws, and its numbers are finite', () => {
    const whole = Buffer.from(combinedFrame());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (edits) => {
          const bytes = Buffer.from(whole);
          for (const [at, byte] of edits) bytes[at] = byte;
          const frame = decodeFrame(bytes);
          expect(KINDS).toContain(frame.kind);
          const candle = frame.kind === 'kline' ? candleOf(frame) : undefined;
          for (const value of Object.values(candle ?? {}))
            if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('anything else on the socket', () => {
  const odd: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['a blank', Buffer.from(' ')],
    ['null', Buffer.from('null')],
    ['a number', Buffer.from('42')],
    ['1e400', Buffer.from('1e400')],
    ['a text', Buffer.from('"kline"')],
    ['an array', Buffer.from('[{"e":"kline"}]')],
    ['an empty object', Buffer.from('{}')],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ['a byte order mark', Buffer.from('\ufeff{"e":"kline"}')],
    ['HTML', Buffer.from('<html><body>502 Bad Gateway</body></html>')],
    ['a reply whose id is a text', Buffer.from('{"result":null,"id":"1"}')],
    ['a reply without an id', Buffer.from('{"result":null}')],
  ];
  test.each(odd)('%s is malformed', (_, bytes) => {
    expect(decodeFrame(bytes).kind).toBe('malformed');
  });

  test('X18 a megabyte of opened brackets neither overflows the stack nor takes long', () => {
    const before = performance.now();
    for (const text of [
      '['.repeat(1_048_576),
      '{"a":'.repeat(200_000),
      `${'['.repeat(5e5)}${']'.repeat(5e5)}`,
    ])
      expect(decode(text).kind).toBe('malformed');
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  test('a lone surrogate in a symbol is a symbol that nobody asked for', () => {
    const frame = decode(
      '{"e":"kline","E":1,"s":"\\ud800","k":{"t":0,"s":"\\ud800","i":"1m","x":true,"o":"1"}}',
    );
    expect(frame).toMatchObject({ kind: 'kline', symbol: '\ud800' });
    expect(candleOf(frame as KlineFrame)).toBeUndefined();
  });

  test('an event of a type that is new is set aside by its name', () => {
    expect(decode({ e: 'serverShutdown', E: 1 })).toEqual({
      kind: 'other',
      type: 'serverShutdown',
      fields: { e: 'serverShutdown', E: 1 },
    });
    expect(decode({ stream: '!miniTicker@arr', data: [{ e: '24hrMiniTicker' }] }).kind).toBe('other');
  });

  test('arbitrary bytes never make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(KINDS).toContain(decodeFrame(Buffer.from(bytes)).kind);
      }),
      { numRuns: 1_000 },
    );
  });

  test('arbitrary JSON never makes it throw', () => {
    const key = fc.constantFrom('e', 'E', 's', 'k', 'stream', 'data', 'result', 'error', 'id', 'code', 'msg');
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('kline', '1m', 'BTCUSDT', null, true, 0, 1, -1),
        fc.jsonValue(),
        fc.dictionary(key, tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(value, (any) => {
        const frame = decode(JSON.stringify(any));
        expect(KINDS).toContain(frame.kind);
        if (frame.kind === 'kline') candleOf(frame);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('decimal text', () => {
  test('of any length it is the nearest double, and never cut', () => {
    expect(decimal('12345678901234567890.123456789')).toBe(2 ** 11 * 6028163525993441);
    expect(decimal('0.1000000000000000055511151231257827')).toBe(0.1);
    expect(decimal('9007199254740993')).toBe(9007199254740992);
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(12), (units, scale) => {
        const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
        const text = `${units < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
        expect(decimal(text)).toBe(Number(text));
        expect(Number.isNaN(decimal(text))).toBe(false);
      }),
    );
  });

  test('anything but text is no number', () => {
    fc.assert(
      fc.property(fc.anything(), (any) => {
        fc.pre(typeof any !== 'string');
        expect(decimal(any)).toBeNaN();
      }),
    );
  });
});
