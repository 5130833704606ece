/** Frames that Binance really sent, as they came, through the real collector into a store. */
import { describe, expect, test } from 'vitest';
import { collectFrom, newStore, query, storedCandles } from '../support/collector.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { type Recorded, readRecording, serveRecording } from '../support/recording.ts';
import { until } from '../support/wait.ts';

const SYMBOLS = ['SUSHIUSDT', 'AKROUSDT', 'KEEPUSDT', 'CTKUSDT'];

interface Event {
  readonly e: string;
  readonly k?: Record<string, string | number | boolean>;
}

const eventOf = (frame: Recorded): Event => (JSON.parse(frame.text) as { data: Event }).data;

/** The closed bars of a recording in our columns, read from its texts alone. */
const closedBars = (frames: readonly Recorded[]): object[] =>
  frames
    .map((frame) => eventOf(frame).k)
    .filter((k) => k?.['x'] === true)
    .map((k) => ({
      symbol: k!['s'],
      interval: k!['i'],
      openTime: k!['t'],
      open: Number(k!['o']),
      high: Number(k!['h']),
      low: Number(k!['l']),
      close: Number(k!['c']),
      volume: Number(k!['v']),
      closeTime: k!['T'],
      quoteVolume: Number(k!['q']),
      count: k!['n'],
      takerBuyVolume: Number(k!['V']),
      takerBuyQuoteVolume: Number(k!['Q']),
      source: 'stream',
    }))
    .sort((a, b) => String(a.symbol).localeCompare(String(b.symbol)));

describe.skipIf(fixturesMissing)('the recording of 2021-07-22', () => {
  test.each([
    ['as fast as it can be sent', { pace: 'burst', time: 'moving', timeScale: 1, klines: 'empty' }],
    [
      'as fast as it can be sent, its clock standing still',
      { pace: 'burst', time: 'fixed', timeScale: 1, klines: 404 },
    ],
    // REST that calls a series quiet while its frames are late by a stall, here twentyfold, would be believed.
    ['in time-lapse', { pace: 'paced', time: 'moving', timeScale: 20, klines: 404 }],
    ['in time-lapse, its clock standing still', { pace: 'paced', time: 'fixed', timeScale: 20, klines: 404 }],
  ] as const)(
    'served %s: its four closed bars are stored, as they were, and nothing else',
    async (_, how) => {
      const frames = readRecording();
      const klines = frames.filter((frame) => eventOf(frame).e === 'kline').length;
      const expected = closedBars(frames);
      expect([frames.length, klines, expected.length]).toEqual([1535, 67, 4]);

      const served = await serveRecording(frames, how);
      const store = newStore();
      const { collector, candles, gaps } = collectFrom(served, { symbols: SYMBOLS, store });
      await collector.startStreaming();
      await until('every frame is served', () => served.sent() === frames.length);
      await until('every frame has come', () => collector.status().counters.frames === frames.length + 1);
      const { counters } = collector.status();
      expect((await collector.stop()).clean).toBe(true);

      expect(served.asked).toHaveLength(1);
      expect(storedCandles(store)).toEqual(expected);
      expect(candles).toHaveLength(4);
      expect([gaps, query(store, 'SELECT * FROM gaps')]).toEqual([[], []]);
      expect(counters).toMatchObject({
        klines,
        ignored: frames.length - klines,
        closedByStream: 4,
        closedByRest: 0,
        malformed: 0,
        foreign: 0,
        insane: 0,
        duplicates: 0,
      });
      expect(counters.ignored).toBe(1468);
    },
  );

  test('served to a collector of two of its symbols: the others are foreign and leave no row', async () => {
    const frames = readRecording();
    const served = await serveRecording(frames, { pace: 'burst', time: 'moving', timeScale: 1, klines: 404 });
    const store = newStore();
    const { collector } = collectFrom(served, { symbols: ['KEEPUSDT', 'CTKUSDT'], store });
    await collector.startStreaming();
    await until('every frame has come', () => collector.status().counters.frames === frames.length + 1);
    const { counters } = collector.status();
    await collector.stop();
    expect(storedCandles(store).map((candle) => candle.symbol)).toEqual(['CTKUSDT', 'KEEPUSDT']);
    expect(counters.klines + counters.foreign).toBe(67);
    expect(counters.foreign).toBeGreaterThan(0);
  });
});
