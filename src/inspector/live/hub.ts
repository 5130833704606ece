import type { WebSocket } from 'ws';
import type { Clock, Logger, Timer } from '../../ports.ts';
import type { Changes, Observer } from '../observe/observer.ts';
import type { Watched } from '../options.ts';
import type { News, Picture } from '../protocol.ts';
import { LiveClient } from './live-client.ts';
import type { SeriesSource } from './series-source.ts';
import { StripSource } from './strip.ts';

/** Pages that may look at a time. */
export const CLIENTS_MAX = 32;
const BATCH_MS = 100;
const STRIP_MS = 500;
/** A batch that took long is followed by a pause so many times as long: to look costs the collector a sixth at most. */
const PAUSE_SHARE = 5;

export interface HubOptions {
  readonly collector: Watched;
  readonly observer: Observer;
  /** Its timers keep no process alive. */
  readonly clock: Clock;
  /** Of the program. */
  readonly version: string;
  /** Default: nobody hears of candles. */
  readonly series?: SeriesSource | undefined;
  /** Default: nothing is logged. */
  readonly logger?: Logger | undefined;
}

const NO_CHANGES: Changes = { actors: [], gone: [], recent: [] };

/**
 * Tells all pages that look what has changed, in batches: written once, sent to each. Whoever comes, and whoever was
 * too slow, gets the whole picture. While nobody looks it does nothing. Nothing that it reads can end it.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #strip: StripSource;
  readonly #clients = new Set<LiveClient>();
  readonly #complained = new Set<string>();
  /** Until the next batch; undefined while nobody looks. */
  #timer: Timer;
  #nextAt = Number.NEGATIVE_INFINITY;
  #stripAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#strip = new StripSource(options.collector, options.clock);
  }

  /** Sockets that are open: those that look, and those that have been told to go. */
  get clients(): number {
    return this.#clients.size;
  }

  /** A page that looks from now on. One too many is sent away. */
  add(socket: WebSocket): void {
    const isFull = this.#clients.size >= CLIENTS_MAX;
    const client = new LiveClient(socket, this.#options.clock, {
      watch: (series) => this.#watch(client, series),
      end: () => {
        this.#clients.delete(client);
        this.#watch(client, undefined);
      },
    });
    this.#clients.add(client);
    if (this.#isClosed) client.leave(1001, 'over');
    else if (isFull) client.leave(1013, 'too many look');
    this.#wait();
  }

  /**
   * Says to all how it ended, and that it is over. What is still open then is for {@link terminate}, or gone after a
   * second.
   */
  close(): void {
    if (!this.#isClosed && this.#clients.size > 0) {
      this.#stripAt = Number.NEGATIVE_INFINITY;
      this.#tell([...this.#clients].filter((client) => !client.isLeaving));
    }
    this.#isClosed = true;
    for (const client of this.#clients) client.leave(1001, 'over');
  }

  /** Lets go of everything at once. */
  terminate(): void {
    this.close();
    for (const client of this.#clients) client.terminate();
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #wait(): void {
    if (this.#timer !== undefined || this.#clients.size === 0) return;
    const delayMs = Math.max(0, this.#nextAt - this.#now());
    this.#timer = this.#options.clock.setTimeout(() => this.#beat(), delayMs);
  }

  #beat(): void {
    this.#timer = undefined;
    const began = this.#now();
    for (const client of this.#clients) client.check();
    const staying = [...this.#clients].filter((client) => !client.isLeaving);
    if (staying.length > 0) this.#tell(staying);
    this.#nextAt = Math.max(began + BATCH_MS, this.#now() + (this.#now() - began) * PAUSE_SHARE);
    this.#wait();
  }

  #tell(clients: readonly LiveClient[]): void {
    const { observer, clock } = this.#options;
    const at = clock.wallNow();
    const changes = this.#read('changes', () => observer.takeChanges(), NO_CHANGES);
    const newcomers = clients.filter((client) => client.wantsPicture);
    const isStripDue = this.#now() - this.#stripAt >= STRIP_MS;
    if (isStripDue || newcomers.length > 0)
      this.#read('strip', () => this.#strip.read(observer.streams()), undefined);
    if (isStripDue) this.#stripAt = this.#now();

    const news: News = {
      type: 'news',
      at,
      ...(changes.actors.length === 0 ? {} : { actors: changes.actors }),
      ...(changes.gone.length === 0 ? {} : { gone: changes.gone }),
      ...(changes.recent.length === 0 ? {} : { recent: changes.recent }),
      ...(isStripDue ? { strip: this.#strip.strip } : {}),
    };
    const hasNews = Object.keys(news).length > 2;
    const current = clients.filter((client) => client.wantsNews);
    if (hasNews && current.length > 0) {
      const text = JSON.stringify(news);
      for (const client of current) client.sendNews(text);
    }
    this.#tellSeries(clients, at);
    if (newcomers.length > 0) {
      const text = this.#read('picture', () => JSON.stringify(this.#picture(at)), undefined);
      if (text !== undefined) for (const client of newcomers) client.sendPicture(text);
    }
  }

  #picture(at: number): Picture {
    const { observer, version } = this.#options;
    const actors = [...observer.rows()];
    return { type: 'picture', at, version, actors, recent: observer.recent(), strip: this.#strip.strip };
  }

  /** To each the news of the series that it shows; those who know as much get the same text. */
  #tellSeries(clients: readonly LiveClient[], at: number): void {
    const { series: source } = this.#options;
    const texts = new Map<string, { text: string; until: number } | undefined>();
    for (const client of clients) {
      const { series, since } = client;
      if (source === undefined || series === undefined || !client.wantsNews) continue;
      const key = `${series} ${since}`;
      if (!texts.has(key))
        texts.set(
          key,
          this.#read('series', () => seriesText(source, series, since, at), undefined),
        );
      const found = texts.get(key);
      if (found === undefined) continue;
      client.since = found.until;
      client.sendNews(found.text);
    }
  }

  #watch(client: LiveClient, series: string | undefined): void {
    const former = client.series;
    client.series = series;
    client.since = undefined;
    if (former === undefined || [...this.#clients].some((one) => one.series === former)) return;
    this.#read('series', () => this.#options.series?.forget(former), undefined);
  }

  /** What others do may go wrong: that is said once of each kind, and the next batch goes on. */
  #read<T, Otherwise>(what: string, read: () => T, otherwise: Otherwise): T | Otherwise {
    try {
      return read();
    } catch (error) {
      if (!this.#complained.has(what)) {
        this.#complained.add(what);
        this.#options.logger?.warn('the inspector could not read what it shows', { what, error });
      }
      return otherwise;
    }
  }
}

function seriesText(
  source: SeriesSource,
  series: string,
  since: number | undefined,
  at: number,
): { text: string; until: number } | undefined {
  const found = source.newsOf(series, since);
  if (found === undefined) return undefined;
  const news: News = { type: 'news', at, series: found.news };
  return { text: JSON.stringify(news), until: found.until };
}
