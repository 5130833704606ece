/** Frames to mutate: those that were recorded, where they are, and invented ones. */
import { readFileSync } from 'node:fs';
import { INTERVALS } from '../../machines/model/interval.ts';
import { combinedFrame, recordedFrames } from '../binance/recorded.ts';
import { fixturesMissing, shared } from '../support/fixtures.ts';
import { oneOf } from '../support/seeded.ts';
import { upTo } from './bytes.ts';

type Random = () => number;

const CONTROL = [
  '{"result":null,"id":1}',
  '{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}',
  '{"result":{"code":2,"msg":"Invalid request"},"id":7}',
  '{"stream":"!contractInfo","data":{"e":"contractInfo","E":1697121000819,"s":"BIGTIMEUSDT","cs":"TRADING","bks":[]}}',
  '{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker"}]}',
  '{"e":"serverShutdown","E":1697121000819}',
];
const SAMPLES = ['combined-btcusdt-1m', 'doc-example', 'raw-btcusdt-1m', 'spot-closed-no-trades'];

/** Longer ones, as order books, only cost time. */
const CHARS_MAX = 1_500;
const RECORDED_MAX = 300;

/** Texts of frames that are JSON. */
export function frameCorpus(): readonly string[] {
  if (fixturesMissing) return CONTROL;
  const samples = SAMPLES.map((name) =>
    readFileSync(shared(`fixtures/samples/ws-kline-${name}.json`), 'utf8'),
  );
  const recorded = recordedFrames()
    .map(({ text }) => text)
    .filter((text) => text.length < CHARS_MAX);
  const klines = recorded.filter((text) => text.includes('"kline"'));
  const others = recorded.filter((text) => !text.includes('"kline"'));
  return [
    ...CONTROL,
    combinedFrame(),
    ...samples,
    ...some(klines, RECORDED_MAX),
    ...some(others, RECORDED_MAX / 10),
  ];
}

/** As many of them, from all over. */
const some = (texts: readonly string[], count: number): string[] =>
  texts.filter((_, index) => index % Math.max(1, Math.ceil(texts.length / count)) === 0);

/** Of invented frames. */
export const SYMBOLS = ['BTCUSDT', '1000PEPEUSDT', 'ETHUSDT_260925', '币安人生USDT'];

/** A decimal as long as they come, and sometimes longer. */
export function inventDecimal(random: Random): string {
  const digits = (most: number): string =>
    Array.from({ length: 1 + upTo(most, random) }, () => upTo(10, random)).join('');
  const dice = random();
  if (dice < 0.1) return oneOf(['0', '0.00', '4', '7177', '-1.50', '0.00100000', '9007199254740993'], random);
  const [whole, part] = dice < 0.9 ? [digits(7), digits(8)] : [digits(25), digits(40)];
  return `${whole.replace(/^0+(?=\d)/u, '')}.${part}`;
}

/** A kline frame as the exchange writes it, combined or raw. */
export function inventFrame(random: Random): string {
  const symbol = oneOf(SYMBOLS, random);
  const interval = oneOf(INTERVALS, random);
  // Mostly of thirteen digits, as all times from 2001 to 2286 are.
  const openTime =
    60_000 * (random() < 0.9 ? 20_000_000 + upTo(10_000_000, random) : upTo(30_000_000, random));
  const decimal = (): string => inventDecimal(random);
  const k = {
    t: openTime,
    T: openTime + 59_999,
    s: symbol,
    i: interval,
    f: upTo(1e9, random),
    L: upTo(1e9, random),
    o: decimal(),
    c: decimal(),
    h: decimal(),
    l: decimal(),
    v: decimal(),
    n: upTo(100_000, random),
    x: random() < 0.5,
    q: decimal(),
    V: decimal(),
    Q: decimal(),
    B: '0',
  };
  const event = { e: 'kline', E: openTime + 2_000, s: symbol, k };
  const stream = `${symbol.toLowerCase()}@kline_${interval}`;
  return JSON.stringify(random() < 0.7 ? { stream, data: event } : event);
}
