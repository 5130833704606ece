/** What the commands need of a collector, so that tests can put another one there. */
import type { BinanceDataCollector } from '../collector.ts';
import type { Watched } from '../inspector/options.ts';
import type { FlushableLogger } from '../log/logger.ts';
import type { CollectorOptions } from '../options.ts';
import type { CollectPlan } from './collect-plan.ts';
import type { CollectSettings } from './collect-settings.ts';
import type { Screen } from './terminal.ts';

export type CollectorFace = Pick<BinanceDataCollector, 'startStreaming' | 'stop' | 'candles' | 'state'> &
  Watched;

/** What a run is made of. */
export interface RunParts {
  readonly plan: CollectPlan;
  readonly settings: CollectSettings;
  readonly collector: CollectorFace;
  readonly logger: FlushableLogger;
  readonly screen: Screen;
  readonly isLive: boolean;
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
