import { effect, type ReadonlySignal } from '@preact/signals';
import type { SeriesNews, SeriesPicture } from '../../protocol.ts';
import { type Held, merged, missedBehind, taken } from './held.ts';

/** What a feed needs of the page's store. */
export interface FeedPorts {
  readonly seriesNews: ReadonlySignal<SeriesNews | undefined>;
  readonly link: ReadonlySignal<string>;
  watchSeries(series: string | undefined): void;
  fetch(path: string, signal: AbortSignal): Promise<Response>;
}

export interface FeedEvents {
  onChange(held: Held): void;
  /** What stands in place of bars when there are none; undefined: nothing has to. */
  onTrouble(words: string | undefined): void;
}

/** Before the server is asked again that could not answer. */
const RETRY_MS = 1_500;
/** News that wait for a picture. One that takes longer is asked for again. */
const WAITING_MAX = 200;

/**
 * Keeps the bars of one series: asks for a picture and joins the news to it, also those that came while it was on its
 * way. After a lost link, after news that were left out, and where a bar is missing, it asks anew. Returns the end.
 */
export function followSeries(series: string, ports: FeedPorts, { onChange, onTrouble }: FeedEvents) {
  let held: Held | undefined;
  let waiting: SeriesNews[] = [];
  let asking: AbortController | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  /** Behind this bar the server itself had a hole: to ask again would change nothing. */
  let holeBehind: number | undefined;

  async function ask(): Promise<void> {
    asking?.abort();
    clearTimeout(retry);
    const mine = new AbortController();
    asking = mine;
    waiting = [];
    try {
      const at = series.lastIndexOf('@');
      const names = [series.slice(0, at), series.slice(at + 1)].map(encodeURIComponent);
      const answer = await ports.fetch(`api/series/${names.join('/')}`, mine.signal);
      if (mine.signal.aborted) return;
      if (answer.status === 404) {
        asking = undefined;
        onTrouble(`${series} is not collected`);
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const picture = (await answer.json()) as SeriesPicture;
      if (mine.signal.aborted) return;
      asking = undefined;
      held = taken(picture, waiting);
      waiting = [];
      onTrouble(undefined);
      onChange(held);
    } catch {
      if (mine.signal.aborted) return;
      asking = undefined;
      if (held === undefined) onTrouble('the bars could not be fetched; trying again');
      retry = setTimeout(() => void ask(), RETRY_MS);
    }
  }

  function hear(news: SeriesNews): void {
    if (asking !== undefined) {
      if (waiting.push(news) > WAITING_MAX) void ask();
      return;
    }
    if (held === undefined) return;
    const missed = missedBehind(held, news);
    if (missed !== undefined && missed !== holeBehind) {
      holeBehind = missed;
      void ask();
      return;
    }
    held = merged(held, news);
    onChange(held);
  }

  ports.watchSeries(series);
  let isLost = false;
  const stopLink = effect(() => {
    const link = ports.link.value;
    if (link === 'lost') isLost = true;
    if (link !== 'open' || !isLost) return;
    isLost = false;
    void ask();
  });
  let hasHeard = false;
  const stopNews = effect(() => {
    const news = ports.seriesNews.value;
    if (news?.series === series) {
      hasHeard = true;
      hear(news);
    } else if (news === undefined && hasHeard) {
      hasHeard = false;
      void ask();
    }
  });
  void ask();

  return (): void => {
    stopLink();
    stopNews();
    asking?.abort();
    asking = undefined;
    clearTimeout(retry);
    ports.watchSeries(undefined);
  };
}
