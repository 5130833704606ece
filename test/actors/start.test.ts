import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { prepareActor } from '../../src/actors/prepare.ts';
import { proveActor } from '../../src/actors/prove.ts';
import { Roster } from '../../src/actors/roster.ts';
import { watchBarsActor } from '../../src/actors/watch-bars.ts';
import { exchangeInfoRequest, timeRequest } from '../../src/binance/rest.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { at, BTC, bar, rig } from '../pipeline/candles.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { rowOf } from './exchange.ts';
import { fakeLogger, fakeRest, host, run, session } from './harness.ts';

describe('a socket on which nothing comes', () => {
  /** Counts of trades in the newest bar of BTC and ETH, at the first and at the second reading. */
  async function proof(first: [number, number], second: [number, number], nextBar = false) {
    const clock = new FakeClock();
    const seen = { BTCUSDT: 0, ETHUSDT: 0 };
    const { rest, asked } = fakeRest(({ params }) => {
      const symbol = params['symbol'] as 'BTCUSDT' | 'ETHUSDT';
      seen[symbol] += 1;
      const isSecond = seen[symbol] === 2;
      const count = (isSecond ? second : first)[symbol === 'BTCUSDT' ? 0 : 1];
      return [rowOf(bar(at(isSecond && nextBar ? 5 : 4), 'rest', BTC, { count }))];
    });
    const proving = run(proveActor({ rest, clock }), {
      streams: ['btcusdt@kline_1m', 'btcusdt@kline_5m', 'ethusdt@kline_1m', '!contractInfo'],
      spacingMs: 3_000,
    });
    await clock.advance(2_999);
    expect(asked).toHaveLength(2);
    await clock.advance(1);
    const result = await proving;
    expect(asked).toHaveLength(4);
    return result;
  }

  test('is quiet when none of its symbols traded', async () => {
    expect(await proof([7, 9], [7, 9])).toBe('quiet');
  });

  test('is mute when one of them did', async () => {
    expect(await proof([7, 9], [7, 10])).toBe('mute');
  });

  test('is quiet when a bar began without trades, and mute when it has some', async () => {
    expect(await proof([7, 9], [0, 0], true)).toBe('quiet');
    expect(await proof([7, 9], [0, 1], true)).toBe('mute');
  });

  test.each([
    ['the last one', 49, 'mute', 100],
    ['one of the second twenty', 25, 'mute', 80],
    ['none', -1, 'quiet', 100],
  ])(
    'has all its symbols asked, twenty at a time, until one has traded: %s',
    async (_, trader, verdict, sum) => {
      const clock = new FakeClock();
      let most = 0;
      let asking = 0;
      const { rest, asked } = fakeRest(async ({ params }, count) => {
        most = Math.max(most, ++asking);
        await settle();
        asking -= 1;
        const isTrader = params['symbol'] === `S${trader}USDT`;
        return [rowOf(bar(at(4), 'rest', BTC, { count: isTrader ? count : 7 }))];
      });
      const streams = Array.from({ length: 50 }, (_, n) => `s${n}usdt@kline_1m`);
      const proving = run(proveActor({ rest, clock }), { streams, spacingMs: 3_000 });
      for (let step = 0; step < 20; step++) await clock.advance(1_000);
      expect(await proving).toBe(verdict);
      expect([asked.length, most]).toEqual([sum, 20]);
    },
  );

  test('is quiet when it carries no streams', async () => {
    const { rest, asked } = fakeRest(() => []);
    const input = { streams: ['!contractInfo'], spacingMs: 3_000 };
    expect(await run(proveActor({ rest, clock: new FakeClock() }), input)).toBe('quiet');
    expect(asked).toEqual([]);
  });

  test('is neither when REST fails', async () => {
    const { rest } = fakeRest(() => {
      throw new Error('down');
    });
    const proving = run(proveActor({ rest, clock: new FakeClock() }), {
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

  test('an exchange that lists not even one symbol is asked again: the names given may be right', async () => {
    await expect(prepare(['BTCUSDT'], { symbols: [] }).done).rejects.toMatchObject({ retryable: true });
  });
});

describe('the watch over bars', () => {
  test('looks four times a second until it is stopped', async () => {
    const clock = new FakeClock();
    const { pipeline } = rig();
    const look = vi.spyOn(pipeline, 'scan');
    const actor = host(watchBarsActor({ clock, pipeline }));
    await clock.advance(1_000);
    expect(look).toHaveBeenCalledTimes(5);
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
