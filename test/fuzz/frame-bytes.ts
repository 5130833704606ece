/**
 * Fuzzing of what reads frames from their bytes, against the reference that parses them; and of the numbers in them, against
 * `Number()`. What is refused here goes to the parser and is nobody's loss but of time; so frames as the exchange writes
 * them must not be.
 */
import { INTERVALS } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { DecimalReader } from '../../src/binance/decimal.ts';
import { KlineReader } from '../../src/binance/kline-bytes.ts';
import { oneOf } from '../support/seeded.ts';
import { mutateBytes, upTo } from './bytes.ts';
import { type BytesPart, type Verdict, Wrong } from './campaign.ts';
import { inventDecimal, inventFrame, SYMBOLS } from './frames.corpus.ts';
import { referenceCandle, referenceFrame } from './frames.ts';

type Random = () => number;
/** What is fuzzed: the reader, or a broken one in its place. */
export type BytesReader = Pick<
  KlineReader<Series>,
  'read' | 'keep' | 'candle' | 'eventTime' | 'closed' | 'openTime'
>;

/** A reader to which the invented streams belong. */
export function readerOfAll(): KlineReader<Series> {
  const reader = new KlineReader<Series>();
  for (const symbol of SYMBOLS)
    for (const interval of INTERVALS) reader.add({ symbol, interval }, { symbol, interval });
  return reader;
}

/** A combined frame, sometimes with the blanks of the test network. */
function combined(random: Random): string {
  for (;;) {
    const text = inventFrame(random);
    if (text.startsWith('{"stream"')) return random() < 0.3 ? text.replace(/(?<="k":\{.*),/gu, ', ') : text;
  }
}

/** The next frame of a bar: other digits where they change in life, and no other. */
const nextOf = (text: string, random: Random): string =>
  text.replace(/(?<="[LnE]":\d|"[ochlvqVQ]":"-?)[\d.]+/gu, (number) =>
    number.replace(/\d/gu, () => String(upTo(10, random))),
  );

/** Written as the exchange writes it, in a length that is read: everything but the names by its shape alone. */
const USUAL =
  /^\{"stream":"[^"]+","data":\{"e":"kline","E":[1-9]\d{12},"s":"[^"]+","k":\{"t":[1-9]\d{12}, ?"T":[1-9]\d{12}(?:, ?"[sifLochlvnxqVQB]":(?:\d{1,13}|true|false|"[^"]{1,40}")){15}\}\}\}$/u;
const isUsual = (bytes: Buffer): boolean =>
  bytes.length > 220 && bytes.length <= 480 && USUAL.test(bytes.toString('utf8'));

const LINE_END = 0x0a;

/** Two lines are frames in one piece: the first is kept where it can be, and the second may be like it. It is judged. */
function check(bytes: Buffer, reader: BytesReader): Verdict {
  const lineEnd = bytes.indexOf(LINE_END);
  const start = lineEnd + 1;
  if (lineEnd > 0 && reader.read(bytes, 0, lineEnd) !== undefined && !reader.closed) reader.keep();
  const owner = reader.read(bytes, start);
  if (owner === undefined) return 'refused';
  const expected = referenceFrame(bytes.subarray(start));
  const said: Record<string, unknown> = {
    kind: 'kline',
    symbol: owner.symbol,
    interval: owner.interval,
    openTime: reader.openTime,
    closed: reader.closed,
    eventTime: reader.eventTime,
  };
  for (const [name, value] of Object.entries(said))
    if (!Object.is(value, expected[name])) throw new Wrong(`another ${name} than the parser's`);
  const right = referenceCandle(expected);
  const candle = reader.candle(owner);
  if (right === undefined || candle === undefined) throw new Wrong('a bar of fields that are not sound');
  const names = Object.keys(candle);
  if (names.length !== Object.keys(right).length) throw new Wrong('another shape of bar');
  for (const name of names)
    if (!Object.is(candle[name as keyof Candle], right[name]))
      throw new Wrong(`another ${name} than the parser's`);
  return 'accepted';
}

/** A byte or more of it is another. */
function edited(bytes: Buffer, random: Random): Buffer {
  if (random() < 0.4) return mutateBytes(bytes, random, () => Buffer.from(combined(random)));
  for (let edits = 1 + upTo(2, random); edits > 0; edits--)
    bytes[upTo(bytes.length, random)] = random() < 0.9 ? oneOf(PRINTED, random) : upTo(256, random);
  return bytes;
}

/** Half of them as the exchange writes them, half with a byte or more that is not; half of each behind another of their bar. */
export function frameBytesPart(reader: BytesReader = readerOfAll()): BytesPart {
  let untouched: Buffer | undefined;
  return {
    target: 'frames',
    kind: 'bytes',
    name: 'frame bytes',
    share: 500,
    draw(random) {
      const text = combined(random);
      const isNext = random() < 0.5;
      const whole = Buffer.from(isNext ? nextOf(text, random) : text);
      const isUntouched = random() < 0.5;
      const frame = isUntouched ? whole : edited(whole, random);
      const bytes = isNext ? Buffer.concat([Buffer.from(`${text}\n`), frame]) : frame;
      untouched = isUntouched && isUsual(frame) ? bytes : undefined;
      return bytes;
    },
    check(bytes) {
      const verdict = check(bytes, reader);
      if (verdict === 'refused' && bytes === untouched)
        throw new Wrong('a usual frame is left to the parser');
      return verdict;
    },
  };
}
/** Bytes that frames are made of. */
const PRINTED = [...Buffer.from('0123456789.-,:"{} tTsifLochlvnxqVQBrueals@_')];

const DECIMALS_EACH = 20;
const PLAIN = /^-?\d+(?:\.\d+)?$/u;

/** Twenty decimals an input. */
export function decimalsPart(
  read: (bytes: Buffer, start: number, limit: number) => number = (...where) =>
    new DecimalReader().read(...where),
): BytesPart {
  return {
    target: 'frames',
    kind: 'bytes',
    name: 'decimals',
    share: 100,
    draw(random) {
      const texts = Array.from({ length: DECIMALS_EACH }, () => inventDecimal(random));
      const bytes = Buffer.from(texts.join(','));
      if (random() < 0.3) bytes[upTo(bytes.length, random)] = oneOf(PRINTED, random);
      return bytes;
    },
    check(bytes) {
      let verdict: Verdict = 'accepted';
      for (let start = 0; start <= bytes.length; ) {
        const comma = bytes.indexOf(',', start);
        const end = comma < 0 ? bytes.length : comma;
        const text = bytes.toString('latin1', start, end);
        if (PLAIN.test(text)) {
          if (!Object.is(read(bytes, start, bytes.length), Number(text)))
            throw new Wrong(`another number than that of ${text}`);
        } else verdict = 'refused';
        start = end + 1;
      }
      return verdict;
    },
  };
}
