import { describe, expect, test } from 'vitest';
import type { KlineStreamInput } from '../../machines/kline-stream.machine.ts';
import { Roster } from '../../src/actors/roster.ts';
import { type WatchSymbolsPorts, watchSymbolsActor } from '../../src/actors/watch-symbols.ts';
import { exchangeInfoRequest } from '../../src/binance/rest.ts';
import { readSymbols } from '../../src/binance/symbols.ts';
import { at } from '../pipeline/candles.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { clockSetTo } from './exchange.ts';
import { fakeLogger, fakeRest, host } from './harness.ts';

const NEVER = 4_133_404_800_000;
const entry = (symbol: string, status = 'TRADING', deliveryDate = NEVER) => ({
  symbol,
  status,
  contractType: 'PERPETUAL',
  deliveryDate,
});
type Entry = ReturnType<typeof entry>;
const BTC = entry('BTCUSDT');
const ETH = entry('ETHUSDT');

/** A watch over a list that the test changes; the exchange's time is minute 0 at the start. */
function watch(first: Entry[], change: Partial<WatchSymbolsPorts> & { wanted?: string[] } = {}) {
  const clock = new FakeClock();
  const world = { list: first as Entry[] | Error };
  const times: number[] = [];
  const { rest, asked } = fakeRest(() => {
    times.push(clock.now());
    if (world.list instanceof Error) throw world.list;
    return { symbols: world.list };
  });
  const { logger, lines } = fakeLogger();
  const { wanted, ...ports } = change;
  const roster = new Roster(wanted ?? 'all', () => clock.now());
  roster.begin(readSymbols({ symbols: first }), at(0));
  const actor = host(
    watchSymbolsActor({
      rest,
      clock,
      random: () => 0.5,
      exchangeClock: clockSetTo(clock, at(0)),
      logger,
      roster,
      intervals: ['1m'],
      pollMs: 300_000,
      admit: ({ symbol }) => [{ id: `stream.${symbol}@1m` } as KlineStreamInput],
      ...ports,
    }),
  );
  const say = (...entries: Entry[]): void => {
    for (const one of entries) roster.onEvent?.({ onboardDate: 0, ...one });
  };
  return { clock, world, times, asked, lines, roster, actor, say };
}

describe('the watch over symbols', () => {
  test('reads the list every five minutes, a tenth more or less, and tells what has changed', async () => {
    const dice = [0, 1, 0.5];
    const { clock, world, times, actor, asked } = watch([BTC], { random: () => dice.shift() ?? 0.5 });
    await clock.advance(600_000);
    expect(times).toEqual([270_000, 600_000]);
    expect(asked).toEqual([exchangeInfoRequest, exchangeInfoRequest]);
    expect(actor.heard).toEqual([]);
    world.list = [BTC, ETH];
    await clock.advance(300_000);
    expect(actor.heard).toEqual([
      {
        type: 'SYMBOLS.CHANGED',
        add: [{ id: 'stream.ETHUSDT@1m' }],
        retire: [],
        news: [{ code: 'SYMBOL_LISTED', symbols: ['ETHUSDT'] }],
      },
    ]);
  });

  test('tells of the end of a symbol, by the time at which it was first seen so', async () => {
    const { clock, world, actor } = watch([BTC, ETH]);
    world.list = [BTC, entry('ETHUSDT', 'SETTLING')];
    await clock.advance(300_000);
    expect(actor.heard).toMatchObject([
      { add: [], retire: [{ ids: ['stream.ETHUSDT@1m'], endTime: at(5) }] },
    ]);
  });

  test('looks when a contract is delivered, and ends it there', async () => {
    const quarter = entry('BTCUSDT_261225', 'TRADING', at(2));
    const { clock, times, actor } = watch([BTC, quarter], { wanted: ['BTCUSDT', 'BTCUSDT_261225'] });
    await clock.advance(130_000);
    expect(times).toEqual([120_000]);
    expect(actor.heard).toMatchObject([{ retire: [{ endTime: at(2) }] }]);
  });

  test('changes nothing when the list can not be read, says so, and reads it again soon', async () => {
    const { clock, world, times, actor, lines } = watch([BTC]);
    world.list = new Error('down');
    await clock.advance(320_000);
    expect(times).toEqual([300_000, 315_000]);
    expect(lines).toMatchObject([{ level: 'warn', fields: { reason: 'down' } }, { level: 'warn' }]);
    world.list = [BTC, ETH];
    await clock.advance(10_000);
    expect(actor.types()).toEqual(['SYMBOLS.CHANGED']);
  });

  test('does not believe at once that half of the exchange is gone', async () => {
    const many = Array.from({ length: 5 }, (_, index) => entry(`S${index}USDT`));
    const { clock, world, times, actor, lines } = watch([BTC, ...many]);
    world.list = [BTC];
    await clock.advance(316_000);
    expect(times).toEqual([300_000, 315_000]);
    expect(actor.heard).toEqual([]);
    expect(lines).toMatchObject([{ level: 'warn', fields: { symbols: 1 } }, { level: 'warn' }]);
    world.list = [BTC, ...many];
    await clock.advance(400_000);
    expect(actor.heard).toEqual([]);
    world.list = [BTC];
    await clock.advance(400_000);
    expect(actor.heard).toMatchObject([{ add: [], retire: [{ ids: { length: 5 } }] }]);
  });

  test('is over with its actor: no timer, no question, no event', async () => {
    const { clock, times, actor, roster } = watch([BTC]);
    actor.stop();
    await settle();
    expect(clock.pending).toBe(0);
    expect(roster.onEvent).toBeUndefined();
    await clock.advance(1_000_000);
    expect(times).toEqual([]);
  });

  test('does not tell what it learns after its end', async () => {
    const clock = new FakeClock();
    let answer: (body: unknown) => void = () => {};
    const { actor, lines } = watch([BTC], {
      clock,
      rest: { ask: () => new Promise((resolve) => (answer = resolve)) },
    });
    await clock.advance(300_000);
    actor.stop();
    answer({ symbols: [BTC, ETH] });
    await settle();
    expect(actor.heard).toEqual([]);
    expect(lines).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('an event', () => {
  test('of a listing starts the streams at once; the list is read a second later', async () => {
    const { clock, world, times, actor, say } = watch([BTC]);
    await clock.advance(20_000);
    world.list = [BTC, ETH];
    say(ETH);
    expect(actor.heard).toMatchObject([{ add: [{ id: 'stream.ETHUSDT@1m' }], retire: [] }]);
    await clock.advance(9_000);
    expect(times).toEqual([21_000]);
    expect(actor.heard).toHaveLength(1);
  });

  test('of an end ends the streams at once; the list is read a second later', async () => {
    const { clock, world, actor, times, say } = watch([BTC, ETH]);
    await clock.advance(100);
    world.list = [BTC];
    say(entry('ETHUSDT', 'CLOSE'));
    expect(actor.heard).toMatchObject([
      { add: [], retire: [{ ids: ['stream.ETHUSDT@1m'], endTime: at(1) }] },
    ]);
    await clock.advance(9_000);
    expect(times).toEqual([1_100]);
    expect(actor.heard).toHaveLength(1);
  });

  test('that the list does not confirm is asked about every ten seconds, for a minute', async () => {
    const { clock, times, say } = watch([BTC, ETH]);
    await clock.advance(20_000);
    say(entry('ETHUSDT', 'CLOSE'));
    await clock.advance(200_000);
    expect(times).toEqual([21, 31, 41, 51, 61, 71, 81].map((second) => second * 1_000));
  });

  test('one of many asks no more often', async () => {
    const { clock, times, say } = watch([BTC]);
    await clock.advance(20_000);
    for (let index = 0; index < 300; index++) {
      say(entry(`N${index}USDT`));
      await clock.advance(100);
    }
    expect(times).toEqual([21_000, 31_000, 41_000]);
  });

  test('of what is known asks nothing', async () => {
    const { clock, times, say, actor } = watch([BTC]);
    say(BTC, BTC, BTC);
    await clock.advance(100_000);
    expect(times).toEqual([]);
    expect(actor.heard).toEqual([]);
  });
});
