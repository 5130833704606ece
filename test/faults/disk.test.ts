/** Commits that take long, fail, or are cut off by a death, on simulated time: whole collectors, nothing real. */
import { describe, expect, test } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import type { MemoryDisk } from '../simulation/world/disk.ts';
import { expectTrue, expectWhole, ofSeries } from '../support/collector.ts';
import { MINUTE, simulated } from './simulated.ts';

const SYMBOLS = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT', 'EUSDT', 'FUSDT'];

describe('commits that take long', () => {
  test.each([
    // Every bar is there before the next ends.
    ['two seconds', 2_000, SYMBOLS.length],
    // Two of them are all that a minute has: bars wait, for the next ones too.
    ['half a minute', 30_000, 2 * SYMBOLS.length],
    // Longer than a bar lasts.
    ['seventy seconds', 70_000, 3 * SYMBOLS.length],
  ])(
    'S15 each %s: bars wait, bounded, each is told once its commit is over, none is lost, the socket stays',
    async (_, commitMs, waitingMax) => {
      const { world, exchange, disk, begin, until, within, stored, gaps } = simulated({ symbols: SYMBOLS });
      const { collector, candles } = begin();
      await until('bars', () => candles.length > 2 * SYMBOLS.length);
      disk.commitMs = commitMs;
      const [begunAt, before] = [world.now(), candles.length];
      const late: number[] = [];
      const off = collector.on('candle', ({ closeTime }) => late.push(exchange.now() - closeTime));
      let waitingMost = 0;
      let isLive = true;
      await world.run(begunAt + 10 * MINUTE, () => {
        waitingMost = Math.max(waitingMost, collector.status().rowsWaiting);
        isLive &&= collector.isConnected;
        return true;
      });
      off();
      expect([isLive, exchange.log().filter(({ kind }) => kind === 'open').length]).toEqual([true, 1]);
      // Ten minutes of bars, but for those whose commit is not over yet.
      expect(candles.length - before).toBeGreaterThanOrEqual(10 * SYMBOLS.length - waitingMax);
      expect(waitingMost).toBeGreaterThanOrEqual(SYMBOLS.length - 1);
      expect(waitingMost).toBeLessThanOrEqual(waitingMax);
      // Behind one commit that was under way and its own; not later and later.
      expect(Math.min(...late)).toBeGreaterThanOrEqual(commitMs);
      expect(Math.max(...late)).toBeLessThan(3 * commitMs + 1_000);
      disk.commitMs = 2;
      await until('nothing waits', () => collector.status().rowsWaiting === 0);
      const report = await within('its end', collector.stop());
      expect(report).toMatchObject({ clean: true });
      expectWhole(stored(), exchange, SYMBOLS, 12);
      for (const symbol of SYMBOLS) expect(ofSeries(candles, symbol)).toEqual(ofSeries(stored(), symbol));
      expect(gaps()).toEqual([]);
    },
  );

  test('S15 a stop does not wait for one that takes half a minute; what it could not write the next run has', async () => {
    const { world, exchange, disk, begin, until, within, stored, gaps } = simulated({ symbols: SYMBOLS });
    const one = begin();
    await until('bars', () => one.candles.length > 2 * SYMBOLS.length);
    disk.commitMs = 30_000;
    await until('bars wait', () => one.collector.status().rowsWaiting >= SYMBOLS.length);
    const askedAt = world.now();
    const report = await within('its end', one.collector.stop());
    expect(world.now() - askedAt).toBeLessThanOrEqual(5_000);
    expect(report).toMatchObject({
      clean: false,
      components: expect.arrayContaining([expect.objectContaining({ name: 'store', outcome: 'forced' })]),
    });
    one.life.kill();
    disk.commitMs = 2;
    const two = begin();
    const now = exchange.now();
    await until('bars of now', () =>
      SYMBOLS.every((symbol) => two.candles.some((one) => one.symbol === symbol && one.openTime > now)),
    );
    await within('its end', two.collector.stop());
    expectWhole(stored(), exchange, SYMBOLS, 4);
    expect(gaps()).toEqual([]);
  });
});

describe('commits that fail while bars go on', () => {
  const EIO = new Error('disk I/O error');

  test.each([
    // Tried again after a second, then ever more rarely.
    [
      'S07 four times, as on a disk that can be written again afterwards',
      (disk: MemoryDisk) => disk.failNext(4, EIO),
      0,
    ],
    [
      'S17 three times, all written, and only the answer is lost',
      (disk: MemoryDisk) => disk.loseNext(3),
      SYMBOLS.length,
    ],
    ['S06 for minutes, for there is no room', (disk: MemoryDisk) => disk.failNext(20), 0],
  ] as const)(
    '%s: told is what a commit that was answered has written, once, and nothing is lost',
    async (_, strike, written) => {
      const { exchange, disk, begin, until, within, stored, gaps } = simulated({ symbols: SYMBOLS });
      const { collector, candles, log } = begin();
      await until('bars', () => candles.length === 2 * SYMBOLS.length);
      strike(disk);
      await until('rows wait, and the store is in trouble', () =>
        log.lines.some(({ message }) => message.includes('the store cannot write')),
      );
      const [told, there] = [candles.length, stored().length];
      expect(told).toBe(2 * SYMBOLS.length);
      expect(there - told).toBeGreaterThanOrEqual(Math.min(written, 1));
      expect(there - told).toBeLessThanOrEqual(written);
      // Whatever is told is in the store by then.
      let lies = 0;
      collector.on('candle', ({ symbol, openTime }) => {
        if (!stored().some((one) => one.symbol === symbol && one.openTime === openTime)) lies += 1;
      });
      await until('it goes on', () => candles.length > told);
      await until('bars of later', () => candles.length >= told + 3 * SYMBOLS.length);
      expect(await within('its end', collector.stop())).toMatchObject({ clean: true, unwritten: 0 });
      expect(lies).toBe(0);
      expectWhole(stored(), exchange, SYMBOLS, 5);
      for (const symbol of SYMBOLS) expect(ofSeries(candles, symbol)).toEqual(ofSeries(stored(), symbol));
      expect(gaps()).toEqual([]);
    },
  );
});

describe('killed around a commit', () => {
  test.each([
    // What was told, what is there, and the first that the next run tells as new.
    ['before its row is written', { told: 2, there: 2, first: 2 }],
    ['when it is, and nobody was told of it', { told: 2, there: 3, first: 3 }],
    ['when it was told', { told: 3, there: 3, first: 3 }],
  ])('S16 %s: who reads on with since has each bar, the one it was not told of too', async (_, wanted) => {
    const { exchange, disk, begin, until, within, stored } = simulated({ symbols: ['BTCUSDT'] });
    const one = begin();
    await until('bars', () => one.candles.length === 2);
    // Its row is there when half of that has passed, and is told at the end.
    disk.commitMs = 100;
    await until('a row', () => one.collector.status().rowsWaiting > 0);
    await until('the moment', () => one.candles.length === wanted.told && stored().length === wanted.there);
    one.life.kill();
    const told = one.candles.map(({ openTime }) => openTime);
    const first = told[0]!;

    disk.commitMs = 2;
    const two = begin();
    // Who has dealt with the last but one and no more when it dies.
    const got: Candle[] = [];
    const reading = (async () => {
      for await (const candle of two.collector.candles({ since: told.at(-2)! })) got.push(candle);
    })();
    await until('three bars more', () => got.length >= 4);
    await within('its end', two.collector.stop());
    await within('the end of the reading', reading);
    const openTimes = (candles: readonly Candle[]) =>
      candles.map(({ openTime }) => (openTime - first) / MINUTE);
    expect(openTimes(got)).toEqual(got.map((_, index) => wanted.told - 1 + index));
    expectTrue(got, exchange);
    // By an event in one run alone, or in none.
    expect(openTimes(two.candles)).toEqual(two.candles.map((_, index) => wanted.first + index));
    expectWhole(stored(), exchange, ['BTCUSDT'], 5);
  });
});
