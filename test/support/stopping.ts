/** A stop as everybody sees it who asks for it, and what is left of the collector afterwards. */
import { expect } from 'vitest';
import type { BinanceDataCollector, CollectorOptions, StopReport } from '../../src/index.ts';
import type { SimulatedExchange, SimulatorOptions } from '../../src/simulator/index.ts';
import { collectFrom, startExchange, type Watched } from './collector.ts';
import { TOLERANCE_MS, timed, until, within } from './wait.ts';

/** What keeps this process alive, by kind. Those that come and go by themselves are left out. */
function resources(): Map<string, number> {
  const passing = ['Immediate', 'FSReqPromise', 'PipeWrap', 'TTYWrap', 'CloseReq'];
  const kinds = process.getActiveResourcesInfo().filter((kind) => !passing.includes(kind));
  return new Map([...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]));
}

export interface Scene extends Watched {
  readonly exchange: SimulatedExchange;
  /** Stops it, and looks at everything that a stop promises. */
  stops(stop: Stopping): Promise<StopReport>;
  /** Waits until nothing of the collector is left, neither here nor at the exchange. */
  leavesNothing(): Promise<void>;
}

export interface Stopping {
  readonly timeoutMs: number;
  /** Asks for it otherwise than by ten calls of `stop` at once, of which the first one has this deadline. */
  readonly ask?: () => Promise<StopReport>;
}

/** Ten callers at once, of whom only the first one decides how long it may take. */
async function askTenTimes(collector: BinanceDataCollector, timeoutMs: number): Promise<StopReport> {
  const rest = Array.from({ length: 9 }, (_, index) => ({
    timeoutMs: index * 1_000,
    reason: `caller ${index + 2}`,
  }));
  const asked = [{ timeoutMs, reason: 'caller 1' }, ...rest].map((options) => collector.stop(options));
  const reports = await Promise.all(asked);
  expect(new Set(reports).size, 'reports that ten callers got').toBe(1);
  expect(reports[0]?.reason).toBe('caller 1');
  return reports[0] as StopReport;
}

/** A collector on an exchange of its own. */
export async function scene(
  options: Partial<CollectorOptions> = {},
  simulated: SimulatorOptions = {},
): Promise<Scene> {
  const exchange = await startExchange(simulated);
  const before = resources();
  const watched = collectFrom(exchange, options);
  const { collector, states } = watched;
  const leavesNothing = async (): Promise<void> => {
    exchange.clearFaults();
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
    const more = (): string[] =>
      [...resources()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
    await until('nothing keeps the process alive', () => more().length === 0).catch((error: unknown) => {
      throw new Error(`left: ${more().join(', ')}`, { cause: error });
    });
  };
  return {
    ...watched,
    exchange,
    leavesNothing,
    stops: async ({ timeoutMs, ask }) => {
      // Not before it is timed: what a stop does, it may do in the turn in which it is called.
      const stopping = Promise.resolve().then(ask ?? (() => askTenTimes(collector, timeoutMs)));
      const { value: report, took } = await timed(within('the stop', stopping, 10_000));
      expect(took, 'ms that the stop took').toBeLessThan(timeoutMs + TOLERANCE_MS);
      expect(collector.state).toBe('stopped');
      expect(await collector.stop({ reason: 'too late' })).toBe(report);
      const names = report.components.map(({ name }) => name);
      expect(names, 'each component once').toEqual([...new Set(names)]);
      expect(states.filter(({ to }) => to === 'stopped').length, 'ends').toBe(1);
      await leavesNothing();
      return report;
    },
  };
}

/** The same; it collects, and has had candles. */
export async function streaming(...given: Parameters<typeof scene>): Promise<Scene> {
  const begun = await scene(...given);
  await begun.collector.startStreaming();
  await until('candles', () => begun.candles.length > 2);
  return begun;
}
