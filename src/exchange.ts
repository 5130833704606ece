import type { NetworkUrls, ResolvedOptions } from './options.ts';
import type { Clock } from './ports.ts';
import type { SimulatedExchange } from './simulator/index.ts';
import type { DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import { within } from './supervisor/within.ts';
import { realWorld, type StoreDisk } from './world.ts';

/** Where the exchange is, and getting there where that is ours to do. */
export interface Exchange {
  /** Base URLs; for the embedded exchange only after {@link reach}. */
  urls(): NetworkUrls;
  /** Whether it has an address now. */
  isThere(): boolean;
  reach(): Promise<void>;
  /** Adds the leaving to what a stop lets go of, where there is something to leave. */
  release(cleanup: DeadlineCleanup): void;
}

/** Symbols that the embedded exchange lists: the usual ones, and one in Chinese characters, as in life. */
export const EMBEDDED_SYMBOLS = [
  'BTCUSDT',
  'ETHUSDT',
  'SOLUSDT',
  'BNBUSDT',
  'XRPUSDT',
  'ADAUSDT',
  'DOGEUSDT',
  'LINKUSDT',
  'LTCUSDT',
  'AVAXUSDT',
  'DOTUSDT',
  'NEARUSDT',
  'FILUSDT',
  'ALGOUSDT',
  '币安人生USDT',
] as const;

/**
 * From the last time that a run noted to its end, at most: two bars of the shortest interval when it was
 * killed, and what the close itself took. The next run on the same store starts behind it, so that exchange
 * time never goes back.
 */
const resumeMarginMs = (timeScale: number): number => 2 * 60_000 + 200 * timeScale;

/** An exchange that is already there, at the URLs given. */
const distant = (urls: NetworkUrls): Exchange => ({
  urls: () => urls,
  isThere: () => true,
  reach: async () => {},
  release: () => {},
});

/** The simulated exchange, in this process, for as long as the collector runs. */
function embedded(options: ExchangeOptions, clock: Clock, disk: Pick<StoreDisk, 'inspect'>): Exchange {
  let starting: Promise<SimulatedExchange> | undefined;
  let running: SimulatedExchange | undefined;
  let leaving: Promise<void> = Promise.resolve();
  let leftAt = 0;
  const start = async (): Promise<SimulatedExchange> => {
    // One that does not end in time is left behind: the next one has a port of its own.
    await within(leaving, options.stopTimeoutMs, clock);
    // Loaded on demand: who collects from a real exchange does not need it.
    const { startSimulator } = await import('./simulator/index.ts');
    const stored = options.store === undefined ? undefined : await disk.inspect(options.store);
    const resumeAt = Math.max(leftAt, (stored?.exchangeTime ?? 0) + resumeMarginMs(options.timeScale));
    return startSimulator({
      timeScale: options.timeScale,
      startTime: Math.max(Math.floor(clock.wallNow()), resumeAt),
      symbols: EMBEDDED_SYMBOLS,
      clock,
    });
  };
  const close = async (left: Promise<SimulatedExchange>): Promise<void> => {
    // One that never started needs no end, and whoever waited for it has heard why.
    const exchange = await left.catch(() => undefined);
    leftAt = Math.ceil(exchange?.now() ?? leftAt);
    await exchange?.close();
  };
  return {
    urls() {
      if (running === undefined) throw new Error('the embedded exchange is not running');
      return running;
    },
    isThere: () => running !== undefined,
    async reach() {
      starting ??= start();
      const mine = starting;
      try {
        const started = await mine;
        // Left meanwhile: then it is being closed.
        if (starting === mine) running = started;
      } catch (error) {
        if (starting === mine) starting = undefined;
        throw error;
      }
    },
    release(cleanup) {
      const left = starting;
      starting = undefined;
      running = undefined;
      if (left === undefined) return;
      leaving = close(left);
      cleanup.add('exchange', () => leaving);
    },
  };
}

/** What decides where it is and how the embedded one runs. */
export type ExchangeOptions = Pick<ResolvedOptions, 'urls' | 'store' | 'timeScale' | 'stopTimeoutMs'>;

export const exchangeOf = (
  options: ExchangeOptions,
  clock: Clock,
  disk: Pick<StoreDisk, 'inspect'> = realWorld.disk,
): Exchange => (options.urls === undefined ? embedded(options, clock, disk) : distant(options.urls));
