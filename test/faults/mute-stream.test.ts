/** Acknowledged and mute: what a stream's chart and REST make of it, in simulated time. */
import { describe, expect, test } from 'vitest';
import { INTERVALS, openTimeAt } from '../../machines/model/interval.ts';
import { at, BTC, ETH } from '../pipeline/candles.ts';
import { streamRig } from './stream-rig.ts';

const times = (rig: ReturnType<typeof streamRig>): number[] =>
  rig.candles().map((candle) => (candle.openTime - at(0)) / 60_000);
const mutes = (rig: ReturnType<typeof streamRig>): unknown[] =>
  rig.heard.filter(({ type }) => type === 'STREAM.MUTE').map(({ again, stream }) => [stream, again]);

describe('P01 a stream that is acknowledged and brings no data ever', () => {
  test('P01 is never live, is found mute by REST within a quarter of a minute, and its bars come by REST, none missing', async () => {
    const rig = streamRig({ startAt: at(0) + 20_000 });
    rig.tell('FEED.UP');
    for (let second = 0; second < 300; second++) {
      await rig.clock.advance(1_000);
      expect(rig.chart().getSnapshot().hasTag('live')).toBe(false);
      if (second > 15) expect(rig.chart().getSnapshot().hasTag('mute')).toBe(true);
    }
    expect(times(rig)).toEqual([0, 1, 2, 3, 4]);
    expect(rig.candles().every(({ source }) => source === 'rest')).toBe(true);
    rig.stop();
  });

  test('P01 asks for the stream to be subscribed anew, then for another socket, and then ever more rarely', async () => {
    const rig = streamRig({ startAt: at(0) });
    rig.tell('FEED.UP');
    const told: number[] = [];
    for (let second = 0; second < 3_600; second++) {
      await rig.clock.advance(1_000);
      if (mutes(rig).length > told.length) told.push(second);
    }
    expect(mutes(rig).slice(0, 2)).toEqual([
      ['btcusdt@kline_1m', false],
      ['btcusdt@kline_1m', true],
    ]);
    const spaces = told.slice(1).map((time, index) => time - told[index]!);
    expect(spaces[0]).toBeGreaterThanOrEqual(5);
    for (const [index, space] of spaces.entries())
      expect(space).toBeGreaterThanOrEqual(spaces[index - 1] ?? 0);
    expect(told.length).toBeLessThan(15);
    rig.stop();
  });

  test('P01 fifteen intervals of a symbol that ask together cost the questions of one', async () => {
    const series = ['BTCUSDT', 'ETHUSDT'].flatMap((symbol) =>
      INTERVALS.map((interval) => ({ symbol, interval })),
    );
    const rig = streamRig({ startAt: at(0) + 100, series });
    rig.tellAll('FEED.UP');
    await rig.clock.advance(12_000);
    expect(series.map((one) => rig.chart(one).getSnapshot().hasTag('mute'))).toEqual(series.map(() => true));
    expect(rig.asked).toHaveLength(2 * 3);
    expect(rig.asked.every(({ request }) => request.weight === 1)).toBe(true);
    rig.stop();
  });

  test('P01 nothing is decided while REST fails, and it is not asked more often than it allows', async () => {
    const error = Object.assign(new Error('teapot'), { retryable: true, retryAfterMs: 30_000 });
    const rig = streamRig({
      startAt: at(0),
      answer: () => {
        throw error;
      },
    });
    rig.tell('FEED.UP');
    for (let second = 0; second < 29; second++) {
      await rig.clock.advance(1_000);
      expect(['awaiting', 'asking', 'unanswered']).toContain(rig.proof());
    }
    expect(rig.asked).toHaveLength(1);
    expect(mutes(rig)).toEqual([]);
    rig.stop();
  });

  test('P01 a frame that comes while REST is asked wins', async () => {
    const rig = streamRig({ startAt: at(0) });
    rig.tell('FEED.UP');
    await rig.clock.advance(5_500);
    expect(rig.proof()).toBe('asking');
    rig.take(at(0), { closed: false });
    await rig.clock.advance(20_000);
    expect(rig.proof()).toBe('live');
    expect(mutes(rig)).toEqual([]);
    rig.stop();
  });
});

describe('P02 some streams of a socket do not resume', () => {
  test('P02 only those are reported, and each is complete', async () => {
    const rig = streamRig({ startAt: at(0) + 100, series: [BTC, ETH] });
    for (const series of [BTC, ETH]) rig.take(at(0), { closed: false, series });
    rig.tellAll('FEED.DOWN');
    rig.tellAll('FEED.UP');
    for (let second = 1; second <= 180; second++) {
      await rig.clock.advance(1_000);
      const open = at(Math.floor((rig.now() - at(0)) / 60_000));
      if (rig.now() - open < 1_000) rig.take(open - 60_000, { series: ETH }, 2);
      rig.take(open, { closed: false, series: ETH }, 2);
    }
    expect(rig.proof(ETH)).toBe('live');
    expect(rig.chart(BTC).getSnapshot().hasTag('mute')).toBe(true);
    expect(new Set(mutes(rig).map((mute) => (mute as unknown[])[0]))).toEqual(new Set(['btcusdt@kline_1m']));
    for (const series of [BTC, ETH])
      expect(
        rig
          .candles()
          .filter(({ symbol }) => symbol === series.symbol)
          .map(({ openTime }) => openTime),
      ).toEqual([at(0), at(1), at(2)].slice(0, series === BTC ? 2 : 3));
    rig.stop();
  });
});

describe('a live stream that falls silent', () => {
  const silent = async (trades: (openTime: number, now: number) => number) => {
    const rig = streamRig({ startAt: at(0) + 30_000, trades });
    rig.tell('FEED.UP');
    rig.take(at(0), { closed: false, k: { n: 5 } });
    await rig.clock.advance(60_500);
    return rig;
  };

  test('P01 is neither quiet nor live while REST fails, and is found out when REST answers', async () => {
    let isDown = true;
    const rig = streamRig({
      startAt: at(0) + 30_000,
      answer: (_, __, usual) => {
        if (isDown) throw new Error('down');
        return usual();
      },
    });
    rig.tell('FEED.UP');
    rig.take(at(0), { closed: false, k: { n: 1 } });
    await rig.clock.advance(60_500);
    for (let second = 0; second < 60; second++) {
      await rig.clock.advance(1_000);
      expect(['doubting', 'doubtful']).toContain(rig.proof());
      expect(rig.chart().getSnapshot().hasTag('live')).toBe(false);
    }
    expect(mutes(rig)).toEqual([]);
    isDown = false;
    await rig.clock.advance(40_000);
    expect(mutes(rig)[0]).toEqual(['btcusdt@kline_1m', false]);
    rig.stop();
  });

  test('is mute when REST has trades after its last frame, once frames under way had their time', async () => {
    const rig = await silent((openTime, now) => Math.floor((now - openTime) / 6_000));
    expect(rig.proof()).toBe('doubting');
    await rig.clock.advance(3_000);
    expect(rig.proof()).toEqual({ mute: 'waiting' });
    expect(rig.candles().map(({ openTime }) => openTime)).toEqual([at(0)]);
    rig.stop();
  });

  test('D08 is quiet when there are none, by as many trades as its last frame told of, and its flat bars come by REST', async () => {
    const rig = await silent((openTime) => (openTime === at(0) ? 5 : 0));
    await rig.clock.advance(1_000);
    expect(rig.proof()).toBe('quiet');
    await rig.clock.advance(240_000);
    expect(rig.candles().map(({ openTime, count }) => [openTime, count])).toEqual([
      [at(0), 5],
      [at(1), 0],
      [at(2), 0],
      [at(3), 0],
      [at(4), 0],
    ]);
    expect(mutes(rig)).toEqual([]);
    rig.stop();
  });

  test('that was quiet is mute at the next question when its symbol has begun to trade', async () => {
    let trading = false;
    const rig = await silent((openTime) => (openTime === at(0) ? 5 : trading && openTime === at(2) ? 1 : 0));
    await rig.clock.advance(1_000);
    expect(rig.proof()).toBe('quiet');
    trading = true;
    await rig.clock.advance(70_000);
    expect(mutes(rig)).toEqual([['btcusdt@kline_1m', false]]);
    rig.stop();
  });

  const all = INTERVALS.map((interval) => ({ symbol: 'BTCUSDT', interval }));
  const forming = (rig: ReturnType<typeof streamRig>, skipped?: string): void => {
    for (const series of all)
      if (series.interval !== skipped)
        rig.take(openTimeAt(series.interval, rig.now()), { closed: false, series, k: { n: 5 } });
  };

  test('costs one question for all intervals that fell silent with the same trade', async () => {
    const rig = streamRig({ startAt: at(0) + 1_000, series: all, trades: () => 5 });
    forming(rig);
    await rig.clock.advance(59_000);
    rig.asked.length = 0;
    await rig.clock.advance(1_700);
    expect(rig.asked).toHaveLength(1);
    rig.stop();
  });

  test('is judged by itself when another interval of its symbol spoke later', async () => {
    const rig = streamRig({
      startAt: at(0) + 1_000,
      series: all,
      trades: (_, now) => (now > at(0) + 9_000 ? 6 : 5),
    });
    forming(rig);
    await rig.clock.advance(10_000);
    // All but one tell of the sixth trade.
    for (const series of all)
      if (series.interval !== '1h')
        rig.take(openTimeAt(series.interval, rig.now()), { closed: false, series, k: { n: 6 } });
    await rig.clock.advance(54_500);
    expect(rig.chart({ symbol: 'BTCUSDT', interval: '1h' }).getSnapshot().hasTag('mute')).toBe(true);
    for (const series of all)
      if (series.interval !== '1h') expect(rig.chart(series).getSnapshot().hasTag('mute')).toBe(false);
    rig.stop();
  });
});
