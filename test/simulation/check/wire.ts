/** What went over the wires of one process, as an outsider hears it: sockets, streams, questions, and what was untrue. */
import type { Interval } from '../../../machines/model/interval.ts';
import type { Candle } from '../../../machines/model/kline.ts';
import type { Truth } from '../../../src/simulator/index.ts';
import { difference } from '../../oracle/content.ts';
import { barKey } from '../../oracle/evidence.ts';

/** A socket as its process knows it. Times are world ms. */
export interface Link {
  readonly number: number;
  readonly dialledAt: number;
  openedAt: number | undefined;
  endedAt: number | undefined;
  /** Streams that it was ever to carry: one that is mute is subscribed anew. */
  readonly subscribed: Set<string>;
  /** When each stream's first frame came. */
  readonly heard: Map<string, number>;
  lastFrameAt: number;
}

const STREAM_FROM = '{"stream":"'.length;
const STREAM_MAX = 90;
const QUOTE = 0x22;

/** The stream of a frame in its envelope; undefined for whatever else came. */
export function streamOf(data: Buffer): string | undefined {
  if (data.length < STREAM_FROM || data.toString('latin1', 0, STREAM_FROM) !== '{"stream":"')
    return undefined;
  const end = data.indexOf(QUOTE, STREAM_FROM);
  return end < 0 || end > STREAM_MAX ? undefined : data.toString('utf8', STREAM_FROM, end);
}

/** For klines, and when: exchange ms. */
export interface Question {
  readonly symbol: string;
  readonly interval: Interval;
  readonly askedAt: number;
}

interface WireKline {
  readonly s: string;
  readonly k: Readonly<Record<string, string | number | boolean>>;
}

/** Bars of which the exchange itself said something else than it will have said in the end. */
export class Untruths {
  readonly #truth: Truth;
  readonly #bars = new Set<string>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  has(bar: { symbol: string; interval: string; openTime: number }): boolean {
    return this.#bars.has(barKey(bar));
  }

  /** It is about to be corrected. */
  add(bar: { symbol: string; interval: string; openTime: number }): void {
    this.#bars.add(barKey(bar));
  }

  /** A frame that says that its bar is closed. */
  closed(data: Buffer): void {
    let frame: { readonly data?: WireKline };
    try {
      frame = JSON.parse(data.toString('utf8')) as typeof frame;
    } catch {
      return;
    }
    if (frame.data?.k?.['x'] !== true) return;
    const { k, s } = frame.data;
    this.#compare({
      symbol: s,
      interval: k['i'] as Interval,
      openTime: Number(k['t']),
      closeTime: Number(k['T']),
      open: Number(k['o']),
      high: Number(k['h']),
      low: Number(k['l']),
      close: Number(k['c']),
      volume: Number(k['v']),
      quoteVolume: Number(k['q']),
      count: Number(k['n']),
      takerBuyVolume: Number(k['V']),
      takerBuyQuoteVolume: Number(k['Q']),
      source: 'stream',
    });
  }

  /** Rows of an answer to a question for klines; a bar that had not ended when it was asked, exchange ms, is none. */
  answered({ symbol, interval, askedAt }: Question, body: string): void {
    let rows: unknown;
    try {
      rows = JSON.parse(body);
    } catch {
      return;
    }
    if (!Array.isArray(rows)) return;
    for (const row of rows as readonly (readonly (string | number)[])[]) {
      const at = (index: number): number => Number(row[index]);
      const [openTime, open, high, low, close, volume] = [at(0), at(1), at(2), at(3), at(4), at(5)];
      const values = { openTime, open, high, low, close, volume, closeTime: at(6), quoteVolume: at(7) };
      const taker = { count: at(8), takerBuyVolume: at(9), takerBuyQuoteVolume: at(10) };
      if (values.closeTime < askedAt)
        this.#compare({ symbol, interval, ...values, ...taker, source: 'rest' });
    }
  }

  #compare(candle: Candle): void {
    const wanted = this.#truth.candle(candle.symbol, candle.interval, candle.openTime);
    if (wanted === undefined || difference(candle, wanted) !== undefined) this.#bars.add(barKey(candle));
  }
}

/** The wires of one process. */
export class Wire {
  readonly now: () => number;
  readonly links: Link[] = [];
  /** When REST was asked about a symbol last, and how often in all. */
  readonly askedAt = new Map<string, number>();
  requestsOpen = 0;
  /** Answers to questions for the exchange's time since the process slept last, and when the last of them came. */
  timesRead = 0;
  timeReadAt = Number.NEGATIVE_INFINITY;
  dials = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  dialled(): Link {
    const link: Link = {
      number: ++this.dials,
      dialledAt: this.now(),
      openedAt: undefined,
      endedAt: undefined,
      subscribed: new Set(),
      heard: new Map(),
      lastFrameAt: Number.NEGATIVE_INFINITY,
    };
    this.links.push(link);
    return link;
  }

  ended(link: Link): void {
    link.endedAt ??= this.now();
    // Those that ended long ago say nothing any more.
    while (this.links.length > 100 && this.links[0]?.endedAt !== undefined) this.links.shift();
  }

  frame(link: Link, stream: string): void {
    const now = this.now();
    link.lastFrameAt = now;
    if (!link.heard.has(stream)) link.heard.set(stream, now);
  }

  /** What a control message asks for. */
  sent(link: Link, text: string): void {
    const { method, params } = JSON.parse(text) as { method?: string; params?: unknown };
    if (!Array.isArray(params)) return;
    if (method === 'SUBSCRIBE') for (const stream of params as string[]) link.subscribed.add(stream);
  }

  get socketsOpen(): number {
    return this.links.reduce((count, link) => count + (link.endedAt === undefined ? 1 : 0), 0);
  }

  /** Sockets that are open, or ended so lately that it need not be known yet. */
  known(newsMs: number): Link[] {
    const since = this.now() - newsMs;
    return this.links.filter(
      ({ openedAt, endedAt }) => openedAt !== undefined && (endedAt === undefined || endedAt >= since),
    );
  }
}
