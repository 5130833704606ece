/** Prices: a collector of closed bars, over WebSocket, and over REST when no socket is left. */
import {
  BinanceDataCollector,
  type Candle,
  type Check,
  type Component,
  collectorComponent,
  type Logger,
  type NetworkUrls,
  type StartContext,
  type StopContext,
  type VerifyContext,
} from 'candlestate';

/** A price, and how far to trust it. */
export interface Quote {
  readonly price: number;
  /** Where it came from: a frame of the stream, or a closed bar that REST gave. */
  readonly source: 'stream' | 'rest';
  /** Exchange time since it came, ms. */
  readonly ageMs: number;
  readonly isStale: boolean;
}

/** What others need of prices. */
export interface Prices {
  /** Exchange time, ms. */
  now(): number;
  quote(symbol: string): Quote | undefined;
  /** Closed bars, as they close. Returns what ends it. */
  onBar(listener: (bar: Candle) => void): () => void;
}

export interface PriceManagerOptions {
  readonly symbols: readonly string[];
  readonly network: 'simulator' | NetworkUrls;
  readonly timeScale: number;
  /** The collector's own file of candles. With it, a run goes on behind the last bar of the one before. */
  readonly store: string;
  readonly logger: Logger;
}

/** Two bars, in exchange time. */
const STALE_MS = 2 * 60_000;
const WATCH_MS = 250;

export class PriceManager implements Component, Prices {
  readonly name = 'PriceManager';
  readonly dependsOn = ['StateManager'];
  readonly deadlineMs = 1_000;
  readonly #collector: BinanceDataCollector;
  readonly #inner: Component;
  readonly #timeScale: number;
  readonly #logger: Logger;
  readonly #stale = new Set<string>();
  #watch: NodeJS.Timeout | undefined;
  readonly #seen = new Map<string, { bar: Candle; source: Quote['source']; at: number }>();

  constructor({ symbols, network, timeScale, store, logger }: PriceManagerOptions) {
    this.#timeScale = timeScale;
    this.#logger = logger;
    this.#collector = new BinanceDataCollector({
      symbols,
      intervals: ['1m'],
      network,
      timeScale,
      store,
      logger,
      pingIntervalMs: 10_000,
      pongTimeoutMs: 5_000,
    });
    this.#inner = collectorComponent(this.#collector);
    this.#collector.on('update', (bar) => this.#see(bar, 'stream'));
    this.#collector.on('candle', (bar) => this.#see(bar, bar.source === 'stream' ? 'stream' : 'rest'));
    this.#collector.on('state', ({ from, to }) => {
      if (from === 'streaming' && to === 'connecting') logger.warn('no socket is left: prices come by REST');
      if (from === 'connecting' && to === 'streaming') logger.info('prices come by WebSocket');
    });
  }

  start(signal: AbortSignal, context: StartContext): unknown {
    this.#watch = setInterval(() => this.#sayWhatIsStale(), WATCH_MS);
    return this.#inner.start?.(signal, context);
  }

  /** The collector gets all of this component's time: `stop({ timeoutMs: 1000 })`. */
  stop(signal: AbortSignal, context: StopContext): unknown {
    this.#logger.info('PriceManager stops', { timeoutMs: context.timeoutMs });
    clearInterval(this.#watch);
    return this.#inner.stop?.(signal, context);
  }

  verify(signal: AbortSignal, context: VerifyContext): readonly Check[] | Promise<readonly Check[]> {
    return this.#inner.verify?.(signal, context) ?? [];
  }

  now(): number {
    return this.#collector.status().exchangeTime ?? 0;
  }

  quote(symbol: string): Quote | undefined {
    const seen = this.#seen.get(symbol);
    if (seen === undefined) return undefined;
    const ageMs = (performance.now() - seen.at) * this.#timeScale;
    return { price: seen.bar.close, source: seen.source, ageMs, isStale: ageMs > STALE_MS };
  }

  /** A bar that was fetched after a break is history: nobody is told to trade on it. */
  onBar(listener: (bar: Candle) => void): () => void {
    return this.#collector.on('candle', (bar) => {
      if (this.now() - bar.closeTime < STALE_MS) listener(bar);
    });
  }

  #sayWhatIsStale(): void {
    for (const symbol of this.#seen.keys()) {
      const isStale = this.quote(symbol)?.isStale === true;
      if (isStale === this.#stale.has(symbol)) continue;
      if (isStale) this.#stale.add(symbol);
      else this.#stale.delete(symbol);
      this.#logger[isStale ? 'warn' : 'info'](isStale ? 'price is stale' : 'price is fresh again', {
        symbol,
      });
    }
  }

  #see(bar: Candle, source: Quote['source']): void {
    const last = this.#seen.get(bar.symbol)?.bar.openTime ?? 0;
    if (bar.openTime >= last) this.#seen.set(bar.symbol, { bar, source, at: performance.now() });
  }
}
