/** A short campaign of every part, and what shows that each can fail. `npm run fuzz` does a million. */
import { describe, expect, test } from 'vitest';
import type { CandleBlock } from '../../machines/model/block.ts';
import { INTERVALS } from '../../machines/model/interval.ts';
import { DecimalReader } from '../../src/binance/decimal.ts';
import { buildCandle, candleOf, decimal, decodeFrame, type Frame } from '../../src/binance/frame.ts';
import { readKlineRows } from '../../src/binance/kline-rows.ts';
import { rowsPart } from './answers.ts';
import { type BytesPart, campaign, tryBytes } from './campaign.ts';
import { csvPart, readCsv } from './csv.ts';
import { type BytesReader, decimalsPart, frameBytesPart, readerOfAll } from './frame-bytes.ts';
import { type FrameReader, framesPart } from './frames.ts';
import { partsOf, TARGETS } from './parts.ts';

const SEED = 20_261_122;
/** Of each target, as many as take less than a second. */
const INPUTS = { frames: 5_000, archive: 3_000, configuration: 1_000 };

describe('no input makes it throw something else, hang, or read a wrong value', () => {
  const parts = TARGETS.flatMap(({ name }) => partsOf(name));
  test.each(parts.map((part) => [`${part.target}: ${part.name}`, part] as const))('%s', async (_, part) => {
    const inputs = Math.ceil((INPUTS[part.target] * part.share) / 1_000);
    const { failure, accepted, refused } = await campaign(part, { inputs, seed: SEED });
    expect(failure).toBeUndefined();
    // Who takes all, or nothing, was told nothing.
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
  });
});

describe('a broken reader is found', () => {
  const good: FrameReader = { decode: decodeFrame, candle: candleOf };
  const changed = (change: (frame: Frame, text: string) => Frame): FrameReader => ({
    ...good,
    decode: (data) => change(decodeFrame(data), data.toString('utf8')),
  });
  const withNumbers = (read: (text: unknown) => number): FrameReader => ({
    ...good,
    candle: (frame) => {
      const candle = candleOf(frame);
      return candle === undefined ? undefined : { ...candle, close: read(frame.fields['c']) };
    },
  });
  const readers: [what: string, reader: FrameReader][] = [
    [
      'that throws what JSON.parse throws',
      changed((frame, text) => (JSON.parse(text) === 0 ? frame : frame)),
    ],
    [
      'that takes an interval for another of other case',
      changed((frame) =>
        frame.kind === 'kline'
          ? {
              ...frame,
              interval: INTERVALS.find((one) => one.toLowerCase() === frame.interval.toLowerCase())!,
            }
          : frame,
      ),
    ],
    [
      'that takes each bar for closed',
      changed((frame) => (frame.kind === 'kline' ? { ...frame, closed: true } : frame)),
    ],
    [
      'that takes an error for a reply',
      changed((frame) => (frame.kind === 'refusal' ? { kind: 'reply', id: frame.id ?? 0 } : frame)),
    ],
    ['that reads prices in single precision', withNumbers((text) => Math.fround(decimal(text)))],
    [
      'that reads digits before it divides',
      withNumbers((text) => {
        const [whole = '', part = ''] = String(text).split('.');
        return Number(whole + part) / 10 ** part.length;
      }),
    ],
    [
      'that takes every text for a number that JavaScript does',
      {
        ...good,
        candle: ({ fields: k, symbol, interval }) => {
          const texts = ['o', 'h', 'l', 'c', 'v', 'q', 'V', 'Q'].map((name) => String(Number(k[name])));
          const [open, high, low, close, volume, quoteVolume, takerBuyVolume, takerBuyQuoteVolume] = texts;
          const prices = { open, high, low, close, volume, quoteVolume, takerBuyVolume, takerBuyQuoteVolume };
          const times = { openTime: k['t'], closeTime: k['T'], count: k['n'] };
          return buildCandle(symbol, interval, 'stream', { ...prices, ...times });
        },
      },
    ],
    [
      'that copies fields as they are named',
      changed((frame) => (frame.kind === 'kline' ? { ...frame, ...Object.assign({}, frame.fields) } : frame)),
    ],
  ];
  test.each(readers)('a decoder %s', async (_, reader) => {
    await found(framesPart(reader), 3_000);
  });

  const careless: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    [
      'does not look at the last of them',
      (bytes) => Buffer.concat([bytes.subarray(0, -3), Buffer.from('}}}')]),
    ],
    [
      'does not see that a whole number begins with a zero',
      (bytes) => Buffer.from(bytes.toString('latin1').replace(/(?<="[fLn]":)0(?=\d)/u, '1'), 'latin1'),
    ],
  ];
  test.each(careless)('a reader of bytes that %s', async (_, changed) => {
    const whole = readerOfAll();
    const reader = Object.create(whole, {
      read: {
        value: (bytes: Buffer, from = 0, to = bytes.length) => whole.read(changed(bytes.subarray(from, to))),
      },
      keep: { value: whole.keep.bind(whole) },
      candle: { value: whole.candle.bind(whole) },
    }) as BytesReader;
    await found(frameBytesPart(reader), 10_000);
  });

  test('a reader of decimals that loses digits', async () => {
    await found(
      decimalsPart((...where) => Math.fround(new DecimalReader().read(...where))),
      100,
    );
  });

  test('a reader of rows that overlooks a sign', async () => {
    await found(rowsPart(withoutSigns), 3_000);
  });

  test('a reader of files that loses what lies over the edge of a piece', async () => {
    await found(
      csvPart((bytes, pieceBytes) => readCsv(pieceBytes > bytes.length ? bytes : bytes.subarray(0, -1), 7)),
      3_000,
    );
  });

  const withoutSigns = (bytes: Buffer): CandleBlock =>
    readKlineRows({ symbol: 'BTCUSDT', interval: '1m' }, Buffer.from(bytes.toString().replaceAll('-', '')));

  /** Within so many inputs; and the input that is left is small, and is found again when it is tried alone. */
  async function found(part: BytesPart, withinInputs: number): Promise<void> {
    const { failure, inputs } = await campaign(part, { inputs: withinInputs, seed: SEED });
    expect(inputs).toBeLessThan(withinInputs);
    const bytes = Buffer.from(failure?.input ?? '', 'base64');
    expect(bytes.length).toBeLessThan(500);
    expect((await tryBytes(part, bytes)).failure?.input).toBe(failure?.input);
    expect(failure?.repeat).toContain(`--part '${part.name}' --input '${failure?.input}'`);
  }
});
