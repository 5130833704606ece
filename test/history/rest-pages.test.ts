import { describe, expect, test } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import type { Candle } from '../../machines/model/kline.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import { ExchangeError } from '../../src/errors.ts';
import { type Asked, RestPages } from '../../src/history/rest/rest-pages.ts';
import { klinesAt, rowOf } from '../actors/exchange.ts';
import { fakeRest } from '../actors/harness.ts';
import { at, BTC, bar } from '../pipeline/candles.ts';

const NOW = at(2_000_000);
const start = ({ params }: VenueRequest): number => (Number(params['startTime']) - at(0)) / 60_000;
const limit = ({ params }: VenueRequest): number => Number(params['limit']);
const minutes = ({ blocks }: Asked): number[] =>
  blocks.flatMap((block) => [...candlesIn(block)].map(({ openTime }) => (openTime - at(0)) / 60_000));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
const span = (from: number, to: number) => ({ from: at(from), to: at(to) });
const missing = (from: number, to: number): Set<number> => new Set(range(from, to).map(at));

/** Pages of a market in which bars may be missing. */
function pagesOf(lacks: ReadonlySet<number> = new Set()) {
  const { rest, asked } = fakeRest((request) => klinesAt(BTC, NOW, request, lacks));
  return { pages: new RestPages(rest, BTC), asked };
}

describe('pages', () => {
  test('have 499 rows, the last one what is left; they are background, and exactly the span comes', async () => {
    const { pages, asked } = pagesOf();
    expect(minutes(await pages.ask(span(10, 1_510)))).toEqual(range(10, 1_510));
    expect(asked.map((request) => [start(request), limit(request)])).toEqual([
      [10, 499],
      [509, 499],
      [1_008, 499],
      [1_507, 3],
    ]);
    expect(new Set(asked.map(({ priority }) => priority))).toEqual(new Set(['background']));
    expect(new Set(asked.map(({ weight }) => weight))).toEqual(new Set([2, 1]));
  });

  test('of months follow the calendar', async () => {
    const months = { ...BTC, interval: '1M' } as const;
    const { rest } = fakeRest((request) => klinesAt(months, Date.UTC(2026, 0, 15), request));
    const asked = await new RestPages(rest, months).ask({
      from: Date.UTC(2023, 11, 1),
      to: Date.UTC(2025, 1, 1),
    });
    expect(asked.blocks.reduce((rows, block) => rows + block.rows, 0)).toBe(14);
  });

  test('with a hole in them, or at their edge, lack only the hole', async () => {
    const { pages } = pagesOf(missing(490, 520));
    expect(minutes(await pages.ask(span(0, 1_100)))).toEqual([...range(0, 490), ...range(520, 1_100)]);
  });

  test('a hole of months costs a few requests, and is remembered', async () => {
    const { pages, asked } = pagesOf(missing(700, 126_000));
    expect(minutes(await pages.ask(span(0, 127_000)))).toEqual([
      ...range(0, 700),
      ...range(126_000, 127_000),
    ]);
    expect(asked.length).toBeLessThan(12);
    const before = asked.length;
    expect(minutes(await pages.ask(span(100_000, 101_000)))).toEqual([]);
    expect(asked.length).toBe(before);
  });

  test('one that is empty does not end the span; three do', async () => {
    let empties = 1;
    const { rest, asked } = fakeRest((request) =>
      start(request) >= 499 && empties-- > 0 ? [] : klinesAt(BTC, NOW, request),
    );
    const found = await new RestPages(rest, BTC).ask(span(0, 2_000));
    expect(minutes(found)).toEqual([...range(0, 499), ...range(998, 2_000)]);
    empties = Number.POSITIVE_INFINITY;
    asked.length = 0;
    expect(minutes(await new RestPages(rest, BTC).ask(span(0, 200_000)))).toEqual(range(0, 499));
    expect(asked.length).toBeLessThan(8);
  });

  test('that are shorter than asked for are gone on with where they end', async () => {
    const { rest } = fakeRest((request) => klinesAt(BTC, NOW, request).slice(0, 100));
    expect(minutes(await new RestPages(rest, BTC).ask(span(0, 1_234)))).toEqual(range(0, 1_234));
  });

  test('H07 that are of other bars, or not in order, are asked for again, and then it is an error', async () => {
    const wrong: [string, (request: VenueRequest) => unknown[][]][] = [
      [
        'the same page again',
        (request) => klinesAt(BTC, NOW, { ...request, params: { ...request.params, startTime: at(0) } }),
      ],
      ['in falling order', (request) => klinesAt(BTC, NOW, request).reverse()],
      ['a row twice', (request) => klinesAt(BTC, NOW, request).flatMap((row) => [row, row])],
    ];
    for (const [name, answer] of wrong) {
      let faults = 2;
      const { rest } = fakeRest((request) => (faults-- > 0 ? answer(request) : klinesAt(BTC, NOW, request)));
      expect(minutes(await new RestPages(rest, BTC).ask(span(500, 600))), name).toEqual(range(500, 600));
      faults = Number.POSITIVE_INFINITY;
      await expect(new RestPages(rest, BTC).ask(span(500, 600)), name).rejects.toMatchObject({
        code: 'KLINES_NO_PROGRESS',
      });
    }
  });

  test('with rows off the grid lack those', async () => {
    const crooked = (candle: Candle): Candle => ({ ...candle, closeTime: candle.closeTime + 1 });
    const rows = range(0, 50).map((n) => rowOf(n === 7 ? crooked(bar(at(n), 'rest')) : bar(at(n), 'rest')));
    const asked = await new RestPages(fakeRest(() => rows).rest, BTC).ask(span(0, 50));
    expect(minutes(asked)).toEqual(range(0, 50).filter((n) => n !== 7));
    expect(asked.misplaced).toBe(1);
    // A whole minute long, but beside where minutes begin.
    const beside = (candle: Candle): Candle => ({
      ...crooked(candle),
      openTime: candle.openTime + 1,
    });
    rows[7] = rowOf(beside(bar(at(7), 'rest')));
    const again = await new RestPages(fakeRest(() => rows).rest, BTC).ask(span(0, 50));
    expect([minutes(again), again.misplaced]).toEqual([range(0, 50).filter((n) => n !== 7), 1]);
  });
});

describe('a REST that fails', () => {
  const broken = (code: string, status: number, retryable = true): ExchangeError =>
    new ExchangeError('no', { code, status, retryable });

  test('leaves what could not be asked for, and is given up after three times in a row', async () => {
    let isBroken = true;
    const { rest } = fakeRest((request) => {
      if (isBroken && start(request) >= 499) throw broken('HTTP_UNREACHABLE', 0);
      return klinesAt(BTC, NOW, request);
    });
    const pages = new RestPages(rest, BTC);
    const once = await pages.ask(span(0, 990));
    expect(minutes(once)).toEqual(range(0, 499));
    expect(once.failure).toMatchObject({ from: at(499) });
    expect(pages.isReachable).toBe(false);
    await pages.ask(span(600, 700));
    await expect(pages.ask(span(600, 700))).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' });
    isBroken = false;
    await pages.ask(span(600, 700));
    expect(pages.isReachable).toBe(true);
  });

  test('says that a request is wrong: an error at once', async () => {
    const { rest } = fakeRest(() => {
      throw broken('-1130', 400, false);
    });
    await expect(new RestPages(rest, BTC).ask(span(0, 10))).rejects.toMatchObject({ code: '-1130' });
  });

  test('says that it has forgotten the symbol: there is nothing more', async () => {
    const { rest } = fakeRest((request) => {
      if (start(request) >= 499) throw broken('-1121', 400, false);
      return klinesAt(BTC, NOW, request);
    });
    const asked = await new RestPages(rest, BTC).ask(span(0, 990));
    expect(minutes(asked)).toEqual(range(0, 499));
    expect(asked.failure).toBeUndefined();
  });

  test('ends what is ahead when it is told to stop', async () => {
    const over = new AbortController();
    const open = new Set<VenueRequest>();
    const rest = {
      ask: (request: VenueRequest, signal?: AbortSignal) =>
        new Promise<unknown>((_, reject) => {
          open.add(request);
          signal?.addEventListener('abort', () => {
            open.delete(request);
            reject(signal.reason);
          });
        }),
    };
    const asking = new RestPages(rest, BTC).ask(span(0, 100_000), over.signal);
    expect(open.size).toBe(3);
    over.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
    expect(open.size).toBe(0);
    await expect(new RestPages(rest, BTC).ask(span(0, 10), over.signal)).rejects.toThrow('enough');
  });
});
