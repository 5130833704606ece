/** How the page keeps the bars of a series: a picture, the news since, and when it asks anew. */
import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { followSeries } from '../../src/inspector/page/candles/feed.ts';
import type { Held } from '../../src/inspector/page/candles/held.ts';
import type { Bar, SeriesNews } from '../../src/inspector/protocol.ts';

const MINUTE = 60_000;
const bars = (...indices: number[]): Bar[] =>
  indices.map((index) => ({
    openTime: index * MINUTE,
    open: 1,
    high: 1,
    low: 1,
    close: 1,
    volume: 1,
    source: 'stream',
  }));

/** A server whose answers come when the test says so. */
function page(series = 'BTCUSDT@1m') {
  const seriesNews = signal<SeriesNews | undefined>(undefined);
  const link = signal('open');
  const asked: { path: string; answer: (status: number, body?: unknown) => Promise<void> }[] = [];
  const watched: (string | undefined)[] = [];
  const shown: Held[] = [];
  const troubles: (string | undefined)[] = [];
  const end = followSeries(
    series,
    {
      seriesNews,
      link,
      watchSeries: (one) => watched.push(one),
      fetch: (path) =>
        new Promise((resolve) => {
          const answer = async (status: number, body: unknown = {}): Promise<void> => {
            resolve(new Response(JSON.stringify(body), { status }));
            await vi.advanceTimersByTimeAsync(0);
          };
          asked.push({ path, answer });
        }),
    },
    { onChange: (held) => shown.push(held), onTrouble: (words) => troubles.push(words) },
  );
  onTestFinished(end);
  return {
    asked,
    watched,
    shown,
    troubles,
    link,
    seriesNews,
    end,
    hear: (news: Bar[], more: Partial<SeriesNews> = {}): void => {
      seriesNews.value = { series, bars: news, ...more };
    },
    answer: (of: Bar[]): Promise<void> =>
      asked.at(-1)!.answer(200, { symbol: 'BTCUSDT', interval: '1m', bars: of, gaps: [] }),
    times: (): number[] => (shown.at(-1)?.bars ?? []).map(({ openTime }) => openTime / MINUTE),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the bars of a series', () => {
  test('are asked for by name, and watched', () => {
    const { asked, watched, end } = page('币安人生USDT@1M');
    expect(asked.map(({ path }) => path)).toEqual(['api/series/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT/1M']);
    end();
    expect(watched).toEqual(['币安人生USDT@1M', undefined]);
  });

  test('are all there once when the news overtake the picture, or it them', async () => {
    const { hear, answer, times, asked } = page();
    hear(bars(2, 3));
    hear(bars(4));
    await answer(bars(0, 1, 2, 3));
    hear(bars(4, 5));
    expect(times()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(asked).toHaveLength(1);
  });

  test('are those of the series, whatever else is told', async () => {
    const { answer, times, hear } = page();
    await answer(bars(0));
    hear(bars(1), { series: 'ETHUSDT@1m' });
    expect(times()).toEqual([0]);
  });

  test('are asked for anew where one is missing, and only once for the same hole', async () => {
    const { hear, answer, times, asked } = page();
    await answer(bars(0, 1));
    hear(bars(4));
    expect(asked).toHaveLength(2);
    await answer(bars(0, 1, 2, 3, 4));
    expect(times()).toEqual([0, 1, 2, 3, 4]);
    hear(bars(7));
    await answer(bars(0, 1, 2, 3, 4));
    hear(bars(7));
    expect(asked).toHaveLength(3);
    expect(times()).toEqual([0, 1, 2, 3, 4, 7]);
  });

  test('are asked for anew when the link is back, and when news were left out', async () => {
    const { answer, link, asked, hear, seriesNews, times } = page();
    await answer(bars(0));
    link.value = 'lost';
    link.value = 'connecting';
    expect(asked).toHaveLength(1);
    link.value = 'open';
    expect(asked).toHaveLength(2);
    await answer(bars(0, 1));
    hear(bars(2));
    seriesNews.value = undefined;
    expect(asked).toHaveLength(3);
    await answer(bars(0, 1, 2, 3));
    expect(times()).toEqual([0, 1, 2, 3]);
  });

  test('are asked for again when the server could not answer, and what is shown stays', async () => {
    const { asked, answer, troubles, times } = page();
    await asked[0]!.answer(503);
    expect(troubles.at(-1)).toMatch(/could not be fetched/);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(2);
    await answer(bars(0));
    expect(troubles.at(-1)).toBeUndefined();
    expect(times()).toEqual([0]);
  });

  test('of a series that is not collected are not asked for again, and that is said', async () => {
    const { asked, troubles } = page();
    await asked[0]!.answer(404);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
    expect(troubles).toEqual(['BTCUSDT@1m is not collected']);
  });

  test('come no more when nobody looks', async () => {
    const { end, hear, answer, shown } = page();
    end();
    await answer(bars(0));
    hear(bars(1));
    expect(shown).toEqual([]);
  });
});
