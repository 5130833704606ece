import type { Interval } from '../../machines/model/interval.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { generatedSource } from './generator.ts';
import { Market } from './market.ts';
import { loadReplay } from './replay.ts';
import type { BarSource } from './source.ts';
import { assertSymbols, type SymbolInfo } from './symbols.ts';
import type { WireBar } from './units.ts';

/**
 * What really happened on the simulated exchange: pure, in any order of asking, past and future alike. Tests
 * compare a collector's store with it. Of a running exchange it changes with what happens to its market (the
 * faults `symbol`, `outage` and `revise`), and by nothing else.
 */
export interface Truth {
  /** Also those that are not listed yet, or not any more. */
  symbols(): readonly SymbolInfo[];
  /** The final bar; undefined when the exchange has no such bar. */
  bar(symbol: string, interval: Interval, openTime: number): WireBar | undefined;
  /** The bar that contains `at` (ms) after the trades up to `at`; at its last ms it is the final one. */
  forming(symbol: string, interval: Interval, at: number): WireBar | undefined;
  /** The final bar in numbers, `source` being `rest`. */
  candle(symbol: string, interval: Interval, openTime: number): Candle | undefined;
}

export interface TruthOptions {
  /** Any safe integer; the same seed is the same market for ever. */
  readonly seed: number;
  readonly symbols: readonly string[];
  /** Symbols, among those above, that never trade. */
  readonly quietSymbols?: readonly string[];
}

/** The bars that a seed stands for. */
export function generatedSources(options: TruthOptions): BarSource[] {
  assertSymbols(options.symbols);
  if (!Number.isSafeInteger(options.seed)) throw new RangeError(`seed: ${options.seed} is not an integer`);
  const quiet = new Set(options.quietSymbols);
  return options.symbols.map((symbol) => generatedSource(options.seed, symbol, quiet.has(symbol)));
}

/** The truth of a seed. */
export const createTruth = (options: TruthOptions): Truth => truthOf(new Market(generatedSources(options)));

/** The truth in a folder of archive files; see `docs/simulator.md`. Throws when a file is damaged. */
export const createReplayTruth = (dir: string, symbols?: readonly string[]): Truth =>
  truthOf(new Market(loadReplay(dir, symbols)));

/** The truth of a market. */
export function truthOf(market: Market): Truth {
  const bar = (symbol: string, interval: Interval, openTime: number): WireBar | undefined => {
    const source = market.source(symbol);
    return source && market.bar(source, interval, openTime);
  };
  return {
    symbols: () => Array.from(market.sources, (source) => source.info),
    bar,
    forming(symbol, interval, at) {
      const source = market.source(symbol);
      return source && market.forming(source, interval, at);
    },
    candle(symbol, interval, openTime) {
      const wire = bar(symbol, interval, openTime);
      return wire && candleOf(symbol, interval, wire);
    },
  };
}

/** A wire bar in numbers. */
function candleOf(symbol: string, interval: Interval, wire: WireBar): Candle {
  return {
    symbol,
    interval,
    openTime: wire.openTime,
    open: Number(wire.open),
    high: Number(wire.high),
    low: Number(wire.low),
    close: Number(wire.close),
    volume: Number(wire.volume),
    closeTime: wire.closeTime,
    quoteVolume: Number(wire.quoteVolume),
    count: wire.count,
    takerBuyVolume: Number(wire.takerBuyVolume),
    takerBuyQuoteVolume: Number(wire.takerBuyQuoteVolume),
    source: 'rest',
  };
}
