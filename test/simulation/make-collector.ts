/** The collector of a simulated process: the real one, with the options that a program would give it. */
import { BinanceDataCollector } from '../../src/collector.ts';
import type { Logger } from '../../src/ports.ts';
import type { World } from '../../src/world.ts';
import { CANARY } from './draw/kind.ts';
import { STORE, type Theatre, URLS } from './theatre.ts';
import type { Life } from './world/life.ts';

/** How long a stop may take, ms (contract 3). */
export const STOP_MS = 5_000;
/** An iterator that lags behind so many candles reads from the store. */
const QUEUE_SIZE = 50;

export interface CollectorParts {
  readonly life: Life;
  readonly logger: Logger;
  /** Aborting it stops the collector. */
  readonly signal: AbortSignal;
  /** Network and disk, as they are listened to. */
  readonly world: World;
}

export function makeCollector(theatre: Theatre, parts: CollectorParts): BinanceDataCollector {
  const { plan, coverage } = theatre;
  return new BinanceDataCollector(
    {
      symbols: plan.isAll ? 'all' : plan.symbols,
      intervals: plan.intervals,
      network: URLS,
      origin: 'simulator',
      timeScale: 1,
      store: STORE,
      queueSize: QUEUE_SIZE,
      bufferSize: 100,
      streamsPerSocket: plan.streamsPerSocket,
      timing: { rotateMs: plan.rotateMs },
      connectTimeoutMs: 'never',
      stopTimeoutMs: STOP_MS,
      clock: parts.life,
      random: theatre.random(),
      logger: parts.logger,
      signal: parts.signal,
      // Never sent, kept or logged.
      apiKey: CANARY,
      apiSecret: CANARY,
      inspect: coverage?.inspect as ((event: never) => void) | undefined,
    },
    parts.world,
  );
}
