/** Processes with a collector on simulated time, one after another on one disk, with one exchange that outlives them. */
import { onTestFinished } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import { BinanceDataCollector } from '../../src/collector.ts';
import type { CollectorOptions } from '../../src/index.ts';
import { createExchange } from '../../src/simulator/core.ts';
import type { SimulatorOptions } from '../../src/simulator/index.ts';
import { candlesIn } from '../../src/store/reader.ts';
import { MemoryDisk } from '../simulation/world/disk.ts';
import { Life } from '../simulation/world/life.ts';
import { VirtualNetwork } from '../simulation/world/network.ts';
import { EPOCH } from '../simulation/world/rigs.ts';
import { WorldClock } from '../simulation/world/world-clock.ts';
import { Memo } from '../support/collector.ts';
import { seeded } from '../support/seeded.ts';

const STORE = 'simulated.db';
const URLS = { wsUrl: 'ws://127.0.0.1:7001', restUrl: 'http://127.0.0.1:7001' };
export const MINUTE = 60_000;

export interface Begun {
  readonly life: Life;
  readonly collector: BinanceDataCollector;
  /** As it was told them. */
  readonly candles: Candle[];
  readonly log: Memo;
}

/** `symbols`: those of the exchange, each of which is collected in bars of a minute. */
export function simulated({ symbols, ...rest }: SimulatorOptions & { readonly symbols: readonly string[] }) {
  const world = new WorldClock(EPOCH);
  const exchange = createExchange({
    seed: 5,
    timeScale: 1,
    startTime: EPOCH,
    symbols,
    clock: world.quiet,
    ...rest,
  });
  const network = new VirtualNetwork({ exchange, world, random: seeded(1) });
  const disk = new MemoryDisk(world, () => 0.5);
  const lives: Life[] = [];
  onTestFinished(() => {
    for (const life of lives) life.kill();
    exchange.close();
    disk.close();
  });

  function begin(options: Partial<CollectorOptions> = {}): Begun {
    const life = new Life(world);
    lives.push(life);
    const log = new Memo();
    const collector = new BinanceDataCollector(
      {
        symbols,
        intervals: ['1m'],
        network: URLS,
        origin: 'simulator',
        timeScale: 1,
        store: STORE,
        connectTimeoutMs: 'never',
        clock: life,
        random: seeded(2),
        logger: log,
        ...options,
      },
      { ...network.portsFor(life), disk: disk.portsFor(life) },
    );
    const candles: Candle[] = [];
    collector.on('candle', (candle) => candles.push(candle));
    collector.startStreaming().catch(() => {});
    return { life, collector, candles, log };
  }

  /** Lets time pass until it is so. */
  async function until(what: string, isSo: () => boolean, withinMs = 10 * MINUTE): Promise<void> {
    await world.run(world.now() + withinMs, () => !isSo());
    if (!isSo()) throw new Error(`${what}: not within ${withinMs / MINUTE} min`);
  }

  async function within<Result>(what: string, promise: Promise<Result>, withinMs?: number): Promise<Result> {
    let end: PromiseSettledResult<Result> | undefined;
    void Promise.allSettled([promise]).then(([settled]) => {
      end = settled;
    });
    await until(what, () => end !== undefined, withinMs);
    if (end?.status === 'fulfilled') return end.value;
    throw (end as PromiseRejectedResult).reason;
  }

  /** What is in the store, by series in the order of time; each call is a look of its own. */
  const stored = (): Candle[] =>
    symbols.flatMap((symbol) =>
      candlesIn(disk.database(STORE), { symbol, interval: '1m' }, 0, Number.MAX_SAFE_INTEGER),
    );

  const gaps = () => disk.database(STORE).prepare('SELECT * FROM gaps').all();
  return { world, exchange, network, disk, begin, until, within, stored, gaps };
}
