/** What the commands need of a collector, so that tests can put another one there. */
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { CollectorOptions } from '../options.ts';

export interface CollectorStatus {
  readonly state: string;
  readonly isConnected: boolean;
  /** Ms since epoch, once it is known. */
  readonly exchangeTime?: number | undefined;
  readonly series: readonly {
    readonly symbol: string;
    readonly interval: string;
    readonly state: string;
    /** The last closed bar. */
    readonly last?: Candle | undefined;
    /** Closed bars in this run. */
    readonly closed: number;
    /** Of these, committed and delivered. */
    readonly stored: number;
  }[];
  readonly counters: Readonly<Record<string, number>>;
}

export interface StopReport {
  readonly reason: string;
  readonly durationMs: number;
  readonly clean: boolean;
  readonly components: readonly {
    readonly name: string;
    readonly outcome: 'closed' | 'forced' | 'failed';
    readonly durationMs: number;
    readonly error?: unknown;
  }[];
  readonly buffers: Readonly<Record<string, number>>;
  /** Rows received but never written. */
  readonly unwritten: number;
}

export interface CollectorEvents {
  readonly candle: Candle;
  readonly update: Candle;
  readonly state: { readonly from: string; readonly to: string; readonly reason: string };
  readonly gap: Series & {
    readonly fromOpenTime: number;
    readonly toOpenTime: number;
    readonly reason: string;
    readonly status: 'open' | 'filled';
  };
  readonly revision: { readonly before: Candle; readonly after: Candle };
  readonly error: { readonly code: string; readonly message: string; readonly cause?: unknown };
}

export interface CollectorFace {
  startStreaming(): Promise<void>;
  stop(options?: { timeoutMs?: number; reason?: string }): Promise<StopReport>;
  on<E extends keyof CollectorEvents>(event: E, listener: (payload: CollectorEvents[E]) => void): () => void;
  candles(query: object): AsyncIterable<Candle>;
  status(): CollectorStatus;
}

/** How a command comes by the large parts. They are loaded late, so that `--help` and refusals are quick. */
export interface Parts {
  createCollector(options: CollectorOptions): Promise<CollectorFace>;
  inspectStore(path: string): Promise<{ exists: boolean; origin?: string }>;
  /** What the embedded simulated exchange lists. */
  embeddedSymbols(): Promise<readonly string[]>;
}

export const realParts: Parts = {
  async createCollector(options) {
    const { BinanceDataCollector } = await import('../collector.ts');
    return new BinanceDataCollector(options);
  },
  async inspectStore(path) {
    const { inspectStore } = await import('../store/inspect.ts');
    return inspectStore(path);
  },
  async embeddedSymbols() {
    const { EMBEDDED_SYMBOLS } = await import('../exchange.ts');
    return EMBEDDED_SYMBOLS;
  },
};
