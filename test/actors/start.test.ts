import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { keepTimeActor, setClock } from '../../src/actors/keep-time.ts';
import { prepareActor } from '../../src/actors/prepare.ts';
import { proveActor } from '../../src/actors/prove.ts';
import { Roster } from '../../src/actors/roster.ts';
import { watchBarsActor } from '../../src/actors/watch-bars.ts';
import { exchangeInfoRequest, timeRequest } from '../../src/binance/rest.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { ExchangeClock } from '../../src/transport/exchange-clock.ts';
import { at, BTC, bar, ETH, frame, rig } from '../pipeline/candles.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { rowOf } from './exchange.ts';
import { fakeLogger, fakeRest, host, run, session } from './harness.ts';

describe('a socket on which nothing comes', () => {
  /** Counts of trades in the newest bar of BTC and ETH, at the first and at the second reading. */
  async function proof(first: [number, number], second: [number, number], nextBar = false) {
    const clock = new FakeClock();
    const { pipeline } = rig({ series: [BTC, ETH], exchangeNow: at(5) + 100 });
    const seen = { BTCUSDT: 0, ETHUSDT: 0 };
    const { rest, asked } = fakeRest(({ params }) => {
      const symbol = params['symbol'] as 'BTCUSDT' | 'ETHUSDT';
      seen[symbol] += 1;
      const isSecond = seen[symbol] === 2;
      const count = (isSecond ? second : first)[symbol === 'BTCUSDT' ? 0 : 1];
      return [rowOf(bar(at(isSecond && nextBar ? 5 : 4), 'rest', BTC, { count }))];
    });
    const proving = run(proveActor({ rest, clock, pipeline }), {
      streams: ['btcusdt@kline_1m', 'btcusdt@kline_5m', 'ethusdt@kline_1m', '!contractInfo'],
      spacingMs: 3_000,
    });
    await clock.advance(2_999);
    expect(asked).toHaveLength(2);
    await clock.advance(1);
    const result = await proving;
    expect(asked).toHaveLength(4);
    return { result, due: pipeline.cursor(ETH)?.due };
  }

  test('is quiet when none of its symbols traded; its bars are owed from now on', async () => {
    expect(await proof([7, 9], [7, 9])).toEqual({ result: 'quiet', due: at(5) });
  });

  test('is mute when one of them did', async () => {
    expect(await proof([7, 9], [7, 10])).toEqual({ result: 'mute', due: undefined });
  });

  test('is quiet when a bar began without trades, and mute when it has some', async () => {
    expect((await proof([7, 9], [0, 0], true)).result).toBe('quiet');
    expect((await proof([7, 9], [0, 1], true)).result).toBe('mute');
  });

  test('is neither when REST fails', async () => {
    const { rest } = fakeRest(() => {
      throw new Error('down');
    });
    const { pipeline } = rig();
    const proving = run(proveActor({ rest, clock: new FakeClock(), pipeline }), {
      streams: ['btcusdt@kline_1m'],
      spacingMs: 1,
    });
    await expect(proving).rejects.toThrow('down');
  });
});

describe('before a socket is opened', () => {
  const listing = (...symbols: [string, string][]): unknown => ({
    symbols: symbols.map(([symbol, status]) => ({ symbol, status, contractType: 'PERPETUAL' })),
  });
  function prepare(symbols: 'all' | string[], body: unknown) {
    const { rest, asked } = fakeRest(() => body);
    const { logger, lines } = fakeLogger();
    const steps: string[] = [];
    const logic = prepareActor({
      rest,
      logger,
      symbols,
      intervals: ['1m', '1h'],
      roster: new Roster(symbols, () => 0),
      exchangeNow: () => at(0),
      admit: ({ symbol }) => {
        steps.push(symbol);
        return [];
      },
      reachExchange: async () => void steps.push('reach'),
      setClock: async () => void steps.push('clock'),
      shard: () => {
        steps.push('shard');
        return [];
      },
    });
    return { asked, lines, steps, done: run<{ feeds: unknown[]; retire: unknown[] }>(logic) };
  }

  test('the exchange is reached, then symbols are looked up, the clock set, and the streams dealt out', async () => {
    const one = prepare(
      ['BTCUSDT', '币安人生USDT'],
      listing(['BTCUSDT', 'TRADING'], ['币安人生USDT', 'TRADING']),
    );
    expect(await one.done).toEqual({ feeds: [], retire: [] });
    expect(one.steps).toEqual(['reach', 'clock', 'BTCUSDT', '币安人生USDT', 'shard']);
    expect(one.asked).toEqual([exchangeInfoRequest]);
    expect(one.lines).toEqual([]);
  });

  test('every symbol that is not listed is named, with one that begins alike', async () => {
    const one = prepare(
      ['BTCUSD', 'ETHUSDT', 'NOPE'],
      listing(['BTCUSDT', 'TRADING'], ['ETHUSDT', 'TRADING']),
    );
    const error = await one.done.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    const { issues } = error as ConfigurationError;
    expect(issues.map((issue) => [issue.option, issue.given])).toEqual([
      ['symbols[0]', "'BTCUSD'"],
      ['symbols[2]', "'NOPE'"],
    ]);
    expect(issues[0]?.allowed).toContain('BTCUSDT');
    expect(issues[1]?.allowed).toContain('2 symbols');
    expect(one.steps).toEqual(['reach']);
  });

  test('a symbol that has ended is said, and its streams retire as soon as they are there', async () => {
    const one = prepare(['OMGUSDT'], listing(['OMGUSDT', 'SETTLING']));
    expect((await one.done).retire).toEqual([
      { ids: ['stream.OMGUSDT@1m'], endTime: at(0) },
      { ids: ['stream.OMGUSDT@1h'], endTime: at(47) },
    ]);
    expect(one.steps).toContain('OMGUSDT');
    expect(one.lines).toMatchObject([
      { level: 'warn', fields: { symbol: 'OMGUSDT', status: 'SETTLING' } },
      { level: 'warn', message: expect.stringContaining('nothing is left') },
    ]);
  });

  test('a symbol that is halted is said, and collected all the same', async () => {
    const one = prepare(['OMGUSDT'], listing(['OMGUSDT', 'TRADING_HALT']));
    expect((await one.done).retire).toEqual([]);
    expect(one.steps).toContain('OMGUSDT');
    expect(one.lines).toMatchObject([{ fields: { symbol: 'OMGUSDT', status: 'TRADING_HALT' } }]);
  });

  test('a symbol that is not trading yet is said, and waited for without a stream', async () => {
    const one = prepare(['NEWUSDT'], listing(['NEWUSDT', 'PENDING_TRADING']));
    await one.done;
    expect(one.steps).toEqual(['reach', 'clock', 'shard']);
    expect(one.lines).toMatchObject([{ message: expect.stringContaining('waited for') }]);
  });

  test('all are the perpetuals that trade', async () => {
    const one = prepare(
      'all',
      listing(['BTCUSDT', 'TRADING'], ['OMGUSDT', 'SETTLING'], ['XAUUSDT', 'TRADING']),
    );
    await one.done;
    expect(one.steps).toEqual(['reach', 'clock', 'BTCUSDT', 'XAUUSDT', 'shard']);
    expect(one.lines).toMatchObject([{ level: 'info', fields: { symbols: 2 } }]);
  });

  test('an answer that lists nothing is an error', async () => {
    await expect(prepare(['BTCUSDT'], {}).done).rejects.toMatchObject({ code: 'HTTP_MALFORMED' });
  });
});

describe("the exchange's time", () => {
  test('is set by the shortest of three round trips', async () => {
    const clock = new FakeClock();
    const exchangeClock = new ExchangeClock(clock, 1);
    const trips = [300, 20, 100];
    const { rest, asked } = fakeRest(async (_, count) => {
      await clock.advance(trips[count - 1]!);
      return { serverTime: 1_000_000 + Math.round(clock.now() - trips[count - 1]! / 2) };
    });
    await setClock({ rest, clock, exchangeClock }, new AbortController().signal);
    expect(asked).toEqual([timeRequest, timeRequest, timeRequest]);
    expect(exchangeClock.uncertaintyMs).toBe(10);
    expect(exchangeClock.now()).toBe(1_000_000 + clock.now());
  });

  test('is read every five minutes, and sooner after a failure, which is said', async () => {
    const clock = new FakeClock();
    const exchangeClock = new ExchangeClock(clock, 1);
    const times: number[] = [];
    const { rest } = fakeRest((_, count) => {
      times.push(clock.now());
      if (count === 2) throw new Error('down');
      return { serverTime: 5 };
    });
    const { logger, lines } = fakeLogger();
    const actor = host(keepTimeActor({ rest, clock, exchangeClock, logger }));
    await clock.advance(1_000_000);
    expect(times).toEqual([300_000, 600_000, 615_000, 915_000]);
    expect(lines).toMatchObject([{ level: 'warn', fields: { reason: 'down' } }]);
    actor.stop();
    await settle();
    expect(clock.pending).toBe(0);
    await clock.advance(1_000_000);
    expect(times).toHaveLength(4);
    expect(lines).toHaveLength(1);
  });
});

describe('the watch over bars', () => {
  test('looks four times a second until it is stopped', async () => {
    const clock = new FakeClock();
    const { pipeline, edges, time } = rig();
    pipeline.take(frame(at(0), { closed: false }), 1);
    edges.length = 0;
    time.exchange = at(2);
    const actor = host(watchBarsActor({ clock, pipeline }));
    await clock.advance(1_000);
    expect(edges).toEqual(Array.from({ length: 5 }, () => 'CURSOR.HOLE'));
    actor.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('the way to the REST session', () => {
  const bodyOf = async (request: { path: string }): Promise<unknown> => ({ path: request.path });

  test('brings the answer or the error', async () => {
    const { rest } = session(bodyOf);
    expect(await rest.ask(timeRequest)).toEqual({ path: '/fapi/v1/time' });
    const failing = session(() => Promise.reject(new Error('down')));
    await expect(failing.rest.ask(timeRequest)).rejects.toThrow('down');
  });

  test('rejects when the session is full, is closing or has ended', async () => {
    const { actor, rest } = session(() => new Promise(() => {}));
    const waiting = [1, 2, 3].map(() => rest.ask(timeRequest));
    await expect(rest.ask(timeRequest)).rejects.toMatchObject({ code: 'REST_QUEUE_FULL', retryable: true });
    actor.send({ type: 'CLOSE', withinMs: 1_000 });
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'REST_CLOSED' });
    await settle();
    expect(actor.getSnapshot().status).toBe('done');
    await expect(rest.ask(timeRequest)).rejects.toMatchObject({ code: 'REST_CLOSED' });
  });

  test('lets who asks go when it is aborted, before or later', async () => {
    const { rest } = session(() => new Promise(() => {}));
    await expect(rest.ask(timeRequest, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    const mine = new AbortController();
    const asking = rest.ask(timeRequest, mine.signal);
    mine.abort(new Error('later'));
    await expect(asking).rejects.toThrow('later');
  });

  test('keeps nothing at a signal once it has answered', async () => {
    const { rest } = session(bodyOf);
    const { signal } = new AbortController();
    for (let n = 0; n < 20; n++) await rest.ask(timeRequest, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
