/** An exchange, a proxy on which the oracle listens, and a collector under observation, all gone with the test. */
import { onTestFinished } from 'vitest';
import type { CollectorOptions } from '../../src/index.ts';
import type { SimulatedExchange, SimulatorOptions } from '../../src/simulator/index.ts';
import { expectKept } from '../oracle/kept.ts';
import { type Observed, type Tapped, tap, type WatchOptions, watch } from '../oracle/watch.ts';
import { collectFrom, newStore, startExchange, type Watched } from '../support/collector.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';

export interface Scene extends Watched {
  readonly exchange: SimulatedExchange;
  readonly wire: Tapped;
  readonly proxy: TcpProxy;
  readonly store: string;
  readonly observed: Observed;
  /** Bars delivered that opened after `time`, of every series at least one. */
  hasBarsAfter(time: number): boolean;
  /** Faults are over: new bars of every series come, it stops, and the oracle finds nothing. */
  expectKept(least?: number): Promise<void>;
}

/** A bar each 250 ms: its close is owed two bars later. */
const SCALE = 240;

/** Everything is there and nothing has been started. */
export async function scene(
  options: {
    readonly exchange?: SimulatorOptions;
    readonly collector?: Partial<CollectorOptions>;
    readonly watch?: WatchOptions;
  } = {},
): Promise<Scene> {
  const exchange = await startExchange({ timeScale: SCALE, ...options.exchange });
  const wire = await tap(exchange);
  onTestFinished(() => wire.proxy.close());
  const store = newStore();
  const watched = collectFrom(wire, { store, ...options.collector });
  const { collector, candles } = watched;
  const { backfillMs } = options.collector ?? {};
  const observed = watch(collector, exchange, { store, wire, backfillMs, ...options.watch });
  const keys = collector.status().series;
  const hasBarsAfter = (time: number): boolean =>
    keys.every(({ symbol, interval }) =>
      candles.some((one) => one.symbol === symbol && one.interval === interval && one.openTime > time),
    );
  return {
    ...watched,
    exchange,
    wire,
    proxy: wire.proxy,
    store,
    observed,
    hasBarsAfter,
    async expectKept(least) {
      observed.calm();
      const now = exchange.now();
      await until('bars that opened after the faults', () => hasBarsAfter(now), 15_000);
      expectKept(await observed.finish(), least);
    },
  };
}

/** The same, streaming, and with a candle of each series. */
export async function streaming(options: Parameters<typeof scene>[0] = {}): Promise<Scene> {
  const set = await scene(options);
  await set.collector.startStreaming();
  await until('a candle of each series', () => set.hasBarsAfter(0));
  return set;
}
