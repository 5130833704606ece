/** Frames that are like the one that was kept before them, and frames that are not; where in a piece they stand. */
import { describe, expect, test } from 'vitest';
import type { Series } from '../../machines/model/kline.ts';
import { candleOf, decodeFrame } from '../../src/binance/frame.ts';
import { KlineReader } from '../../src/binance/kline-bytes.ts';
import { seeded } from '../support/seeded.ts';

const BTC: Series = { symbol: 'BTCUSDT', interval: '1m' };
const CHINESE: Series = { symbol: '币安人生USDT', interval: '15m' };

const random = seeded(8);
const upTo = (below: number): number => Math.floor(random() * below);
const digits = (count: number): string => Array.from({ length: count }, () => upTo(10)).join('');
/** Without a zero in front. */
const whole = (count: number): string => `${1 + upTo(9)}${digits(count - 1)}`;

/** A frame of a forming bar as the exchange writes it, its members replaced by others. */
function frame(change: Readonly<Record<string, string>> = {}, { symbol, interval }: Series = BTC): Buffer {
  const k: Record<string, string> = {
    ...{ t: '1785617880000', T: '1785617939999', s: `"${symbol}"`, i: `"${interval}"` },
    ...{
      f: '7946184667',
      L: '7946184938',
      o: '"62635.80"',
      c: '"62631.80"',
      h: '"62635.90"',
      l: '"62631.80"',
    },
    ...{
      v: '"3.418"',
      n: '272',
      x: 'false',
      q: '"214085.65360"',
      V: '"0.491"',
      Q: '"30753.74630"',
      B: '"0"',
    },
  };
  const { E = '1785617898970', blank = '', ...others } = change;
  const members = Object.entries({ ...k, ...others }).map(([key, value]) => `"${key}":${value}`);
  const name = `${symbol.replace(/[A-Z]+/gu, (part) => part.toLowerCase())}@kline_${interval}`;
  return Buffer.from(
    `{"stream":"${name}","data":{"e":"kline","E":${E},"s":"${symbol}","k":{${members.join(`,${blank}`)}}}}`,
  );
}

function readerOf(...series: readonly Series[]): KlineReader<Series> {
  const reader = new KlineReader<Series>();
  for (const one of series) reader.add(one, one);
  return reader;
}
/** What a reader makes of the frame in the piece: whose it is, and all that it says. */
function read(reader: KlineReader<Series>, piece: Uint8Array, from = 0, to = piece.length) {
  const owner = reader.read(piece, from, to);
  if (owner === undefined) return undefined;
  const { openTime, closeTime, eventTime, closed, count } = reader;
  return { ...owner, openTime, closeTime, eventTime, closed, count, candle: reader.candle(owner) };
}
/** The same by the parser. */
function parsed(bytes: Buffer) {
  const decoded = decodeFrame(bytes);
  if (decoded.kind !== 'kline') return undefined;
  const { symbol, interval, openTime, eventTime, closed, fields } = decoded;
  const [closeTime, count] = [fields['T'], fields['n']];
  return { symbol, interval, openTime, closeTime, eventTime, closed, count, candle: candleOf(decoded) };
}
/** A reader that has kept that frame. */
function hearer(bytes: Buffer): KlineReader<Series> {
  const reader = readerOf(BTC, CHINESE);
  expect(reader.read(bytes)).toBeDefined();
  reader.keep();
  return reader;
}

/** Any decimal, of so many digits at most. */
function decimal(): string {
  const part = random() < 0.8 ? `.${digits(1 + upTo(20))}` : '';
  return `"${random() < 0.1 ? '-' : ''}${random() < 0.2 ? '0' : digits(1 + upTo(8))}${part}"`;
}
/** What changes from one frame to the next: at times only digits, at times how many there are, at times the bar. */
function next(last: Readonly<Record<string, string>>): Record<string, string> {
  const dice = random();
  if (dice < 0.5)
    return Object.fromEntries(
      Object.entries(last).map(([key, value]) =>
        key === 't' || key === 'T' || key === 'f'
          ? [key, value]
          : [key, value.replace(/(?<=\d)\d/gu, () => digits(1))],
      ),
    );
  if (dice < 0.6)
    return { ...last, t: whole(13), T: whole(13), f: random() < 0.3 ? '-1' : whole(1 + upTo(15)) };
  return {
    ...last,
    ...{ E: whole(13), L: random() < 0.1 ? '-1' : whole(1 + upTo(11)), x: random() < 0.1 ? 'true' : 'false' },
    ...{ n: random() < 0.1 ? '0' : whole(1 + upTo(15)), blank: random() < 0.2 ? ' ' : '' },
    ...{ o: decimal(), c: decimal(), v: decimal(), q: decimal(), Q: decimal(), B: decimal() },
  };
}

test('one after the other, frames of two streams are read and kept as they are parsed, however their numbers change', () => {
  const reader = readerOf(BTC, CHINESE);
  const last = new Map<Series, Record<string, string>>([
    [BTC, {}],
    [CHINESE, { v: '"1"', E: '1785617898970' }],
  ]);
  for (let tries = 0; tries < 3_000; tries++) {
    const series = random() < 0.5 ? BTC : CHINESE;
    const change = next(last.get(series) as Record<string, string>);
    last.set(series, change);
    const bytes = frame(change, series);
    const garbage = random() < 0.5 ? 0 : upTo(600);
    const piece = Buffer.concat([Buffer.from(digits(garbage)), bytes, Buffer.from(digits(garbage % 20))]);
    const said = read(reader, piece, garbage, garbage + bytes.length);
    expect(said).toBeDefined();
    expect(said).toEqual(parsed(bytes));
    if (reader.closed) continue;
    const kept = reader.keep();
    piece.fill(0x39);
    const decoded = decodeFrame(bytes);
    if (decoded.kind === 'kline') expect(decoded.fields).toMatchObject(kept.fields);
    expect(Object.keys(kept.fields).sort().join('')).toBe('BLQTVchlnoqtvx');
  }
});

describe('behind a frame that was kept', () => {
  test.each([
    ['without blanks', {}],
    ['with blanks', { blank: ' ' }],
    ['of a bar without trades', { f: '-1', L: '-1', n: '0' }],
  ])('%s, one of which a byte is another is read only when the parser takes it for the same', (_, change) => {
    const bytes = frame(change);
    const reader = hearer(bytes);
    let taken = 0;
    for (let at = 0; at < bytes.length; at++) {
      const was = bytes[at] as number;
      for (const byte of [
        0x00,
        0x20,
        0x22,
        0x2c,
        0x2d,
        0x2e,
        0x2f,
        0x30,
        0x31,
        0x39,
        0x3a,
        0x7d,
        0x80,
        was ^ 0x80,
      ]) {
        bytes[at] = byte;
        const said = read(reader, bytes);
        if (said === undefined) continue;
        taken += 1;
        expect(said).toEqual(parsed(bytes));
      }
      bytes[at] = was;
    }
    expect(taken).toBeGreaterThan(300);
    expect(read(reader, bytes)).toEqual(parsed(bytes));
  });

  test.each([
    ['the event', { E: '0785617898970' }],
    ['the number of the last trade', { L: '0946184938' }],
    ['the count', { n: '072' }],
  ])('one with a zero in front of %s is left to the parser', (_, change) => {
    expect(hearer(frame()).read(frame(change))).toBeUndefined();
  });

  test('one with a zero behind the sign of a number is left to the parser, which refuses it', () => {
    const reader = hearer(frame({ L: '-12' }));
    for (const L of ['-05', '-00']) {
      expect(reader.read(frame({ L }))).toBeUndefined();
      expect(parsed(frame({ L }))).toBeUndefined();
    }
    for (const L of ['-12', '-90', '-1', '-0', '0', '12'])
      expect(read(reader, frame({ L }))).toEqual(parsed(frame({ L })));
  });

  test('one that is longer in front of what is alike is looked at there', () => {
    for (let length = 1; length <= 32; length++) {
      const v = `"${whole(length)}"`;
      for (const L of ['x7946184938', '07946184938', '"7946184938', ''])
        expect(hearer(frame({ v })).read(frame({ v, L }))).toBeUndefined();
      for (const L of ['17946184938', '-7946184938', '946184938'])
        expect(read(hearer(frame({ v })), frame({ v, L }))).toEqual(parsed(frame({ v, L })));
    }
  });

  test('one of another bar, or that closes it, is read; and the next that is like the first', () => {
    const reader = hearer(frame());
    for (const change of [{ t: '1785617940000', T: '1785617999999' }, { x: 'true' }, { f: '7946184668' }, {}])
      expect(read(reader, frame(change))).toEqual(parsed(frame(change)));
  });
});

test('a frame that closes its bar says so each time, be it kept', () => {
  const reader = hearer(frame({ x: 'true' }));
  for (const x of ['true', 'false', 'true']) {
    expect(read(reader, frame({ x }))?.closed).toBe(x === 'true');
    reader.keep();
  }
});

describe('a frame that is longer than what is kept in place', () => {
  const long = { o: `"1.${digits(70)}"`, c: `"2.${digits(70)}"` };

  test('is kept all the same, and the next short one after it', () => {
    const reader = readerOf(BTC);
    for (const change of [
      {},
      long,
      { c: '"62631.81"' },
      { f: whole(60) },
      { f: whole(60), n: '273' },
      { n: '274' },
    ]) {
      const bytes = frame(change);
      expect(read(reader, bytes)).toEqual(parsed(bytes));
      const decoded = decodeFrame(bytes);
      if (decoded.kind === 'kline') expect(decoded.fields).toMatchObject(reader.keep().fields);
    }
  });

  test('takes nothing of the room of others', () => {
    const all = ['AUSDT', 'BUSDT', 'CUSDT'].map((symbol): Series => ({ symbol, interval: '1m' }));
    const reader = readerOf(...all);
    for (const series of [...all, ...all]) {
      expect(reader.read(frame(long, series))).toBe(series);
      reader.keep();
    }
  });
});

describe('where a frame stands', () => {
  const bytes = frame();
  const said = parsed(bytes);
  const pieceOf = (before: number, behind: number): Buffer =>
    Buffer.concat([Buffer.alloc(before, bytes), bytes, Buffer.alloc(behind, bytes)]);

  test('says nothing: at each offset, at the end of a piece and in its middle, with anything around it', () => {
    const reader = readerOf(BTC);
    for (const behind of [0, 1, 7, 400])
      for (let before = 0; before < 400; before++) {
        const piece = pieceOf(before, behind);
        const to = before + bytes.length;
        expect(read(reader, piece, before, to)).toEqual(said);
        if (before % 2 === 0) reader.keep();
        else expect(reader.read(piece, before, to + 1) ?? reader.read(piece, before + 1, to)).toBeUndefined();
      }
  });

  test('is looked at anew each time, be it the same piece', () => {
    const reader = readerOf(BTC);
    for (const piece of [pieceOf(0, 0), pieceOf(9, 9), pieceOf(700, 700)])
      for (const n of ['272', '273', '7']) {
        const from = (piece.length - bytes.length) >> 1;
        const other = frame({ n, v: n === '7' ? '"555.418"' : '"5.418"' });
        other.copy(piece, from);
        expect(read(reader, piece, from, from + bytes.length)).toEqual(parsed(other));
        reader.keep();
      }
  });

  test('is in the piece: what is said to be beyond it is none', () => {
    const reader = readerOf(BTC);
    expect(reader.read(bytes)).toBe(BTC);
    const part = bytes.subarray(0, 250);
    expect(reader.read(part, 0, bytes.length)).toBeUndefined();
    for (const from of [-1, -40]) expect(reader.read(bytes, from, bytes.length)).toBeUndefined();
    const piece = pieceOf(700, 0);
    expect(reader.read(piece, 701, piece.length + 1)).toBeUndefined();
  });

  test.each([7, 40, 90])(
    'at the end of a piece: one that is cut off is none, be its symbol of %i letters',
    (length) => {
      const series: Series = { symbol: 'A'.repeat(length), interval: '15m' };
      const reader = readerOf(series);
      const whole = frame({ blank: ' ' }, series);
      if (reader.read(whole) !== undefined) reader.keep();
      for (let size = 190; size < whole.length; size++) {
        const cut = Buffer.concat([Buffer.alloc(600), whole.subarray(0, size - 4), Buffer.from('"}}}')]);
        expect(reader.read(cut, 600, 600 + size)).toBeUndefined();
      }
    },
  );
});
