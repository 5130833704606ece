/** A collector at work on an exchange of its own, and its inspector. */
import { BinanceDataCollector, type CollectorOptions } from '../../src/index.ts';
import type { Inspector } from '../../src/inspector/options.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { type SimulatedExchange, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';

export interface Scene extends AsyncDisposable {
  readonly exchange: SimulatedExchange;
  readonly collector: BinanceDataCollector;
  readonly inspector: Inspector;
}

/** Everything of it is gone when it is disposed of. */
export async function openScene(
  options: Partial<CollectorOptions>,
  simulator: SimulatorOptions,
): Promise<Scene> {
  const exchange = await startSimulator(simulator);
  const collector = new BinanceDataCollector({
    symbols: ['BTCUSDT', 'ETHUSDT'],
    intervals: ['1m'],
    network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl, visionUrl: exchange.visionUrl },
    timeScale: exchange.timeScale,
    ...options,
  });
  await collector.startStreaming();
  const inspector = await startInspector(collector, { port: 0 });
  return {
    exchange,
    collector,
    inspector,
    async [Symbol.asyncDispose]() {
      await inspector.close();
      await collector.stop({ timeoutMs: 1_000 });
      await exchange.close();
    },
  };
}
