/**
 * Fuzzing of the frame decoder, against a reference that looks at the same text in its own way. Both parse by `JSON.parse`:
 * of a key that is there twice the last counts, bytes that are no UTF-8 become U+FFFD, and `1.0` or `1e3` is a whole
 * number. What is written as the exchange writes it has none of these, and is compared with its own text, unparsed.
 */
import type { Candle } from '../../machines/model/kline.ts';
import { candleOf, decodeFrame, type Frame, type KlineFrame } from '../../src/binance/frame.ts';
import { oneOf } from '../support/seeded.ts';
import { mutateBytes } from './bytes.ts';
import { type BytesPart, type Verdict, Wrong } from './campaign.ts';
import { frameCorpus, inventFrame } from './frames.corpus.ts';
import { mutateJson } from './json.ts';
import { nearestDouble } from './nearest.ts';

/** What is fuzzed: the decoder, or a broken one in its place. */
export interface FrameReader {
  decode(data: Buffer): Frame;
  candle(frame: KlineFrame): Candle | undefined;
}

type Fields = Record<string, unknown>;
const INTERVALS = '1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M'.split(' ');
const isFields = (value: unknown): value is Fields =>
  Object.prototype.toString.call(value) === '[object Object]';
const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 9_007_199_254_740_991 && value % 1 === 0;
const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

/** What a message is, by the protocol: an error before a result, a result before data. Reasons are left open. */
export function referenceFrame(data: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(data));
  } catch {
    return { kind: 'malformed' };
  }
  if (!isFields(value)) return { kind: 'malformed' };
  const [error, result, id] = [own(value, 'error'), own(value, 'result'), own(value, 'id')];
  const numericId = typeof id === 'number' ? id : undefined;
  const refusal = (told: Fields): Fields => ({
    kind: 'refusal',
    id: numericId,
    code: typeof own(told, 'code') === 'number' ? own(told, 'code') : Number.NaN,
    message: typeof own(told, 'msg') === 'string' ? own(told, 'msg') : '',
  });
  if (isFields(error)) return refusal(error);
  if (Object.hasOwn(value, 'result')) {
    if (isFields(result) && typeof own(result, 'code') === 'number') return refusal(result);
    return numericId === undefined ? { kind: 'malformed' } : { kind: 'reply', id: numericId };
  }
  if (!Object.hasOwn(value, 'stream')) return referenceEvent(value);
  const [stream, inner] = [own(value, 'stream'), own(value, 'data')];
  if (isFields(inner) && typeof own(inner, 'e') === 'string') {
    const told = referenceEvent(inner);
    return told['kind'] === 'malformed' && typeof stream === 'string' ? { ...told, stream } : told;
  }
  if (typeof stream !== 'string') return { kind: 'malformed' };
  if (inner === undefined || stream.includes('@kline_')) return { kind: 'malformed', stream };
  return { kind: 'other', type: stream, fields: isFields(inner) ? inner : {} };
}

function referenceEvent(event: Fields): Fields {
  const [type, eventTime, k] = [own(event, 'e'), own(event, 'E'), own(event, 'k')];
  if (typeof type !== 'string') return { kind: 'malformed' };
  if (type !== 'kline') return { kind: 'other', type, fields: event };
  if (!isFields(k)) return { kind: 'malformed' };
  const [symbol, interval, openTime, closed] = ['s', 'i', 't', 'x'].map((name) => own(k, name));
  const isKline =
    typeof symbol === 'string' &&
    symbol.length > 0 &&
    typeof interval === 'string' &&
    INTERVALS.includes(interval) &&
    isWhole(openTime) &&
    isWhole(eventTime) &&
    (closed === true || closed === false); // prettier-ignore
  return isKline
    ? { kind: 'kline', symbol, interval, openTime, closed, eventTime, fields: k }
    : { kind: 'malformed' };
}

const NUMBERS = {
  o: 'open',
  h: 'high',
  l: 'low',
  c: 'close',
  v: 'volume',
  q: 'quoteVolume',
  V: 'takerBuyVolume',
  Q: 'takerBuyQuoteVolume',
}; // prettier-ignore
const WHOLE = { t: 'openTime', T: 'closeTime', n: 'count' };

/** The bar in a kline frame; undefined when any field is not sound. */
export function referenceCandle(kline: Fields): Fields | undefined {
  const k = kline['fields'] as Fields;
  const candle: Fields = { symbol: kline['symbol'], interval: kline['interval'], source: 'stream' };
  for (const [letter, name] of Object.entries(WHOLE)) {
    if (!isWhole(own(k, letter))) return undefined;
    candle[name] = own(k, letter);
  }
  for (const [letter, name] of Object.entries(NUMBERS)) {
    candle[name] = nearestDouble(own(k, letter));
    if (!Number.isFinite(candle[name])) return undefined;
  }
  return candle;
}

const whole = String.raw`(?:0|[1-9]\d{0,14})`;
const plainKey = (letter: string): string => {
  if ('fL'.includes(letter)) return `"${letter}":-?${whole}`;
  if ('tTn'.includes(letter)) return `"${letter}":(?<${letter}>${whole})`;
  if (letter === 's') return `"s":"(?<s>[A-Z0-9]{2,20})"`;
  if (letter === 'i') return `"i":"(?<i>${INTERVALS.join('|')})"`;
  if (letter === 'x') return `"x":(?<x>true|false)`;
  return String.raw`"${letter}":"(?<${letter}>\d{1,12}(?:\.\d{1,12})?)"`;
};
const PLAIN = new RegExp(
  `^(?:\\{"stream":"[a-z0-9]{2,20}@kline_\\w+","data":)?\\{"e":"kline","E":(?<E>${whole}),"s":"[A-Z0-9]+",` +
    `"k":\\{${[...'tTsifLochlvnxqVQB'].map(plainKey).join(',')}\\}\\}\\}?$`,
  'u',
);

/** A frame written as the exchange writes it must be taken, with the values that stand in it. Nothing is parsed here. */
function checkPlain(bytes: Buffer, frame: Frame, candle: Candle | undefined): void {
  const text = bytes.toString('latin1');
  const found = PLAIN.exec(text)?.groups;
  if (found === undefined || text.startsWith('{"stream"') !== text.endsWith('}}}')) return;
  if (frame.kind !== 'kline' || candle === undefined)
    throw new Wrong(`a plain frame is not taken: ${frame.kind}`);
  const said: Fields = { ...frame, ...candle };
  const isRight =
    said['symbol'] === found['s'] &&
    said['interval'] === found['i'] &&
    String(said['closed']) === found['x'] &&
    String(said['eventTime']) === found['E'] &&
    Object.entries(WHOLE).every(([letter, name]) => String(said[name]) === found[letter]) &&
    Object.entries(NUMBERS).every(([letter, name]) => said[name] === nearestDouble(found[letter])); // prettier-ignore
  if (!isRight) throw new Wrong('a plain frame is taken for another one');
}

/** Equal but for the fields as received, of which what lies deep may be too deep to be compared. */
function isSame(said: Fields, expected: Fields): boolean {
  const [names, others] = [Object.keys(said), Object.keys(expected)];
  if (names.length !== others.length) return false;
  return others.every((name) => {
    const [one, other] = [own(said, name), own(expected, name)];
    if (name === 'fields' && isFields(one) && isFields(other)) return isSame(one, other);
    return isFields(one) || Array.isArray(one) ? typeof other === 'object' : Object.is(one, other);
  });
}

function check(bytes: Buffer, { decode, candle: candleIn }: FrameReader): Verdict {
  const frame = decode(bytes);
  const expected = referenceFrame(bytes);
  const { reason, ...said } = { reason: 'none', ...frame };
  if (frame.kind === 'malformed' && (reason === 'none' || reason === ''))
    throw new Wrong('malformed without a reason');
  if (frame.kind !== expected['kind']) throw new Wrong(`is ${frame.kind}, and should be ${expected['kind']}`);
  if (!isSame(said, expected)) throw new Wrong(`another ${frame.kind} than it should be`);
  if (frame.kind !== 'kline') return frame.kind === 'malformed' ? 'refused' : 'accepted';
  const [candle, right] = [candleIn(frame), referenceCandle(expected)];
  if ((candle === undefined) !== (right === undefined))
    throw new Wrong(
      right === undefined ? 'a bar of fields that are not sound' : 'no bar of fields that are sound',
    );
  if (candle !== undefined)
    for (const [name, value] of Object.entries(right as Fields))
      if (!Object.is(value, candle[name as keyof Candle]))
        throw new Wrong(`another ${name} than it should be`);
  checkPlain(bytes, frame, candle);
  return candle === undefined ? 'refused' : 'accepted';
}

/** Real frames and invented ones, mutated as JSON, as bytes, or both. */
export function framesPart(reader: FrameReader = { decode: decodeFrame, candle: candleOf }): BytesPart {
  const corpus = frameCorpus();
  const seedOf = (random: () => number): string =>
    random() < 0.5 ? inventFrame(random) : oneOf(corpus, random);
  return {
    target: 'frames',
    kind: 'bytes',
    name: 'frame',
    share: 400,
    draw(random) {
      const text = seedOf(random);
      const dice = random();
      if (dice < 0.02) return Buffer.from(text);
      const bytes = Buffer.from(dice < 0.6 ? mutateJson(JSON.parse(text), random) : text);
      return dice < 0.5 ? bytes : mutateBytes(bytes, random, () => Buffer.from(seedOf(random)));
    },
    check: (bytes) => check(bytes, reader),
  };
}
