/** Holes and how they are filled, or named, in simulated time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, nextOpenTime } from '../../machines/model/interval.ts';
import { candleOf, decodeFrame } from '../../src/binance/frame.ts';
import { ExchangeError } from '../../src/errors.ts';
import { at, BTC, ETH, MINUTE } from '../pipeline/candles.ts';
import { streamRig } from './stream-rig.ts';

type Rig = ReturnType<typeof streamRig>;
const indices = (rig: Rig, series = BTC): number[] =>
  rig
    .candles()
    .filter(({ symbol }) => symbol === series.symbol)
    .map(({ openTime }) => (openTime - at(0)) / MINUTE);
const klinesAsked = (rig: Rig) =>
  rig.asked.filter(({ request }) => request.params['startTime'] !== undefined);

describe('D09 bars that the exchange itself does not have', () => {
  test('D09 are a gap after at least three questions over at least ten seconds, and then they are asked for no more', async () => {
    const rig = streamRig({ startAt: at(0), lacks: (openTime) => openTime === at(1) });
    rig.tell('FEED.UP');
    rig.take(at(0), { closed: false });
    await rig.clock.advance(61_000);
    rig.take(at(0));
    await rig.clock.advance(60_000);
    rig.take(at(2), { closed: false });
    await rig.clock.advance(60_000);
    rig.take(at(2));
    expect(indices(rig)).toEqual([0, 2]);
    expect(rig.gaps()).toMatchObject([{ fromOpenTime: at(1), toOpenTime: at(1), symbol: 'BTCUSDT' }]);
    const of = klinesAsked(rig).filter(({ request }) => request.params['startTime'] === at(1));
    expect(of.length).toBeGreaterThanOrEqual(3);
    expect(of.length).toBeLessThan(8);
    expect(of.at(-1)!.at - of[0]!.at).toBeGreaterThanOrEqual(10_000);
    expect(of.at(-1)!.at - of[0]!.at).toBeLessThanOrEqual(30_000);
    rig.stop();
  });

  test('D09 a day of them is one gap', async () => {
    const lacks = (openTime: number): boolean => openTime >= at(1) && openTime < at(1) + DAY_MS;
    const rig = streamRig({ startAt: at(0) + DAY_MS + 10 * MINUTE, lacks });
    rig.pipeline.resume(BTC, at(0));
    rig.tell('FEED.UP');
    await rig.clock.advance(40_000);
    expect(rig.gaps()).toMatchObject([{ fromOpenTime: at(1), toOpenTime: at(1_440) }]);
    expect(indices(rig)[0]).toBe(1_441);
    rig.stop();
  });

  test('D09 while the exchange has nothing new its bars are named as they are missed, each asked for a few times', async () => {
    const rig = streamRig({ startAt: at(0), lacks: (openTime) => openTime >= at(1) && openTime < at(31) });
    rig.pipeline.startAt(BTC, at(0));
    await rig.clock.advance(32 * MINUTE);
    const named = rig.gaps().flatMap(({ fromOpenTime, toOpenTime }) => {
      const times: number[] = [];
      for (let time = fromOpenTime; time <= toOpenTime; time = nextOpenTime('1m', time)) times.push(time);
      return times;
    });
    expect(named).toEqual(Array.from({ length: 30 }, (_, index) => at(1 + index)));
    expect(indices(rig)).toEqual([0, 31].slice(0, indices(rig).length));
    expect(rig.asked.length).toBeLessThan(30 * 8);
    rig.stop();
  });
});

describe('D10 numbers with many digits', () => {
  const digits = fc.stringMatching(/^[0-9]{1,40}$/);

  test('D10 become the nearest double, never NaN and never cut', () => {
    const values = [
      '0.1',
      '9007199254740993',
      '0.30000000000000004',
      '123456789012345678901234567890.123456789',
    ];
    const decimal = fc.oneof(
      fc.constantFrom(...values),
      fc.tuple(digits, digits).map(([whole, part]) => `${whole}.${part}`),
      digits,
    );
    fc.assert(
      fc.property(decimal, (text) => {
        const k = { s: 'BTCUSDT', i: '1m', t: at(0), T: at(1) - 1, o: text, h: text, l: text, c: text };
        const rest = { v: text, n: 1, x: true, q: text, V: text, Q: text };
        const frame = decodeFrame(
          Buffer.from(JSON.stringify({ e: 'kline', E: at(1), s: 'BTCUSDT', k: { ...k, ...rest } })),
        );
        if (frame.kind !== 'kline') throw new Error(frame.kind);
        const candle = candleOf(frame)!;
        expect(candle.open).toBe(Number.parseFloat(text));
        expect(candle.takerBuyQuoteVolume).toBe(candle.open);
        expect(Number.isFinite(candle.volume)).toBe(true);
        // No other double is nearer: the text of what was read reads back as the same.
        expect(Number(candle.open.toString())).toBe(candle.open);
      }),
    );
  });
});

describe('D12 the open bar at the end of an answer', () => {
  test('D12 is never taken for a closed one, whenever REST is asked and however long the answer takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 120_000 }),
        fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 6 }),
        async (startMs, delays) => {
          let asked = 0;
          const rig = streamRig({
            startAt: at(0) + startMs,
            answer: async (_, __, usual) => {
              const rows = usual();
              await new Promise<void>((done) => rig.clock.setTimeout(done, delays[asked++ % delays.length]!));
              return rows;
            },
          });
          rig.pipeline.startAt(BTC, at(0));
          await rig.clock.advance(400_000);
          // Every bar has ten trades in the end; an open one has fewer.
          expect(rig.candles().map(({ count }) => count)).toEqual(rig.candles().map(() => 10));
          expect(indices(rig)).toEqual(indices(rig).map((_, index) => index));
          expect(indices(rig).length).toBeGreaterThan(2);
          rig.stop();
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('D16 many series that are owed at one instant', () => {
  test('D16 ask spread over their jitter, and none of them waits for longer than that', async () => {
    const series = Array.from({ length: 1_000 }, (_, index) => ({
      symbol: `S${index}USDT`,
      interval: '1d' as const,
    }));
    const midnight = Date.UTC(2026, 0, 2);
    let dice = 0;
    const random = (): number => {
      dice = (dice + 0.618_033_988_7) % 1;
      return dice;
    };
    const rig = streamRig({ startAt: midnight - 1_000, series, random });
    for (const one of series) rig.take(midnight - DAY_MS, { closed: false, series: one });
    await rig.clock.advance(5_900);
    expect(rig.candles()).toEqual([]);
    await rig.clock.advance(1_600);
    expect(rig.candles()).toHaveLength(1_000);
    const moments = new Map<number, number>();
    for (const { at: time } of rig.asked) moments.set(time, (moments.get(time) ?? 0) + 1);
    expect(Math.max(...moments.values())).toBeLessThan(300);
    rig.stop();
  });
});

describe('H07 the edges of a page', () => {
  test.each([1, 98, 99, 100, 1_498, 1_499, 1_500, 1_501, 2_999, 3_000, 4_497])(
    'H07 a hole of %i bars is filled, each bar once, by pages that each begin where the last ended',
    async (count) => {
      const rig = streamRig({ startAt: at(count) + 10_000 });
      rig.pipeline.startAt(BTC, at(0));
      await rig.clock.advance(1_000);
      expect(indices(rig)).toEqual(Array.from({ length: count }, (_, index) => index));
      const pages = klinesAsked(rig).map(
        ({ request }) => (Number(request.params['startTime']) - at(0)) / MINUTE,
      );
      expect(pages).toEqual([...new Set(pages)].sort((one, other) => one - other));
      // A page that is full tells nothing of what follows its last row: that is asked for once more.
      expect(pages.length).toBe(Math.floor(count / 1_500) + 1);
      expect(rig.asked.map(({ request }) => request.priority)[0]).toBe(count > 100 ? 'background' : 'live');
      rig.stop();
    },
  );

  test('H07 the same page again stops the repair with an error, and the next attempts are spaced', async () => {
    const rig = streamRig({
      startAt: at(3_000) + 10_000,
      answer: ({ params, ...request }, _, usual) =>
        Number(params['startTime']) === at(0) ? usual() : rig.asked.length > 30 ? [] : rigPage(request),
    });
    const first = streamRig({ startAt: at(3_000) + 10_000 });
    first.pipeline.startAt(BTC, at(0));
    await first.clock.advance(1_000);
    const page = first.candles().slice(0, 1_500);
    const rigPage = (_: object): unknown[][] =>
      page.map((bar) => [bar.openTime, '1', '1', '1', '1', '1', bar.closeTime, '1', 1, '1', '1', '0']);
    rig.pipeline.startAt(BTC, at(0));
    await rig.clock.advance(60_000);
    expect(indices(rig)).toHaveLength(1_500);
    expect(rig.asked.length).toBeLessThan(10);
    expect(rig.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ reason: expect.stringMatching(/ascend/u) }),
      }),
    );
    rig.stop();
    first.stop();
  });
});

test('D09 a bar that REST shows only 13 s after its end, while the next one already trades, is no gap', async () => {
  const rig = streamRig({
    startAt: at(0),
    answer: (_, now, usual) => usual().filter((row) => now >= Number(row[6]) + 13_000),
  });
  rig.take(at(0), { closed: false });
  await rig.clock.advance(MINUTE);
  // The close is lost, and frames of the next bar are evidence of it from the first moment on.
  for (let tick = 0; tick < 40; tick++) {
    rig.take(at(1), { closed: false });
    await rig.clock.advance(1_000);
  }
  expect(indices(rig)).toEqual([0]);
  expect(rig.gaps()).toEqual([]);
  rig.stop();
});

describe('H14 a repair that can never succeed', () => {
  test('H14 is tried ever more rarely, is said; after three minutes it is a gap with its reason, and what waited goes on', async () => {
    const failure = new ExchangeError('broken', { code: 'HTTP_500', status: 500, retryable: true });
    const rig = streamRig({
      startAt: at(0),
      series: [BTC, ETH],
      answer: ({ params }, _, usual) => {
        if (params['symbol'] === 'BTCUSDT') throw failure;
        return usual();
      },
    });
    rig.tellAll('FEED.UP');
    const updates: number[] = [];
    rig.delivery.listeners.on('update', ({ openTime, symbol }) => {
      if (symbol === 'BTCUSDT') updates.push(openTime);
    });
    for (let minute = 0; minute < 30; minute++) {
      for (const series of [BTC, ETH]) rig.take(at(minute), { closed: false, series });
      await rig.clock.advance(MINUTE);
      // The close of the third minute is lost.
      for (const series of [BTC, ETH]) if (minute !== 2 || series === ETH) rig.take(at(minute), { series });
    }
    expect(indices(rig)).toEqual([0, 1, ...Array.from({ length: 27 }, (_, index) => index + 3)]);
    expect(indices(rig, ETH)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    expect(updates.at(-1)).toBe(at(29));
    expect(rig.proof()).toBe('live');
    expect(rig.gaps()).toMatchObject([
      { fromOpenTime: at(2), toOpenTime: at(2), reason: 'the exchange could not be asked for it' },
    ]);
    const tried = klinesAsked(rig).map((entry) => entry.at);
    expect(tried.length).toBeGreaterThan(5);
    expect(tried.length).toBeLessThan(40);
    expect(rig.lines.filter(({ message }) => /could not be fetched/u.test(message)).length).toBeGreaterThan(
      0,
    );
    rig.stop();
  });

  test('H14 once it can, everything that waited comes in order', async () => {
    let broken = true;
    const rig = streamRig({
      startAt: at(0),
      answer: (_, __, usual) => {
        if (broken) throw new Error('down');
        return usual();
      },
    });
    for (let minute = 0; minute < 5; minute++) {
      rig.take(at(minute), { closed: false });
      await rig.clock.advance(MINUTE);
      if (minute % 5 !== 2) rig.take(at(minute));
    }
    expect(indices(rig)).toEqual([0, 1]);
    broken = false;
    await rig.clock.advance(60_000);
    expect(indices(rig).slice(0, 5)).toEqual(Array.from({ length: 5 }, (_, index) => index));
    expect(rig.chart().getSnapshot().hasTag('repairing')).toBe(false);
    rig.stop();
  });
});

describe('the end of a symbol', () => {
  test('its stream brings the last bars, and then ends by itself, as retired', async () => {
    const rig = streamRig({ startAt: at(0), lacks: (openTime) => openTime >= at(3) });
    rig.take(at(0), { closed: false });
    await rig.clock.advance(70_000);
    rig.chart().send({ type: 'RETIRE', endTime: at(5) });
    await rig.clock.advance(200_000);
    expect(indices(rig)).toEqual([0, 1, 2]);
    expect(rig.chart().getSnapshot().status).toBe('active');
    await rig.clock.advance(60_000);
    expect(rig.chart().getSnapshot()).toMatchObject({
      status: 'done',
      output: { outcome: 'closed', retired: true },
    });
    expect(rig.gaps()).toEqual([]);
    rig.stop();
  });

  test('is the same when the exchange has forgotten the symbol', async () => {
    const rig = streamRig({
      startAt: at(0),
      answer: () => {
        throw new ExchangeError('Invalid symbol.', { code: '-1121', status: 400, retryable: false });
      },
    });
    rig.take(at(0), { closed: false });
    await rig.clock.advance(70_000);
    rig.chart().send({ type: 'RETIRE', endTime: at(1) });
    await rig.clock.advance(60_000);
    expect(rig.chart().getSnapshot().output).toMatchObject({ retired: true });
    rig.stop();
  });
});
