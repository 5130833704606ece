/** What the application is made of. The order of starting and stopping follows from `dependsOn`. */
import { type Logger, Supervisor } from 'candlestate';
import type { Settings } from './flags.ts';
import { OrderManager } from './order-manager.ts';
import { PriceManager } from './price-manager.ts';
import { StateManager } from './state-manager.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];

/** More than the components have together, so that the last one gets all of its time. */
const STOP_TIMEOUT_MS = 6_000;

export function createApplication({ db, network, timeScale }: Settings, logger: Logger): Supervisor {
  const state = new StateManager({ path: db, logger });
  const prices = new PriceManager({ symbols: SYMBOLS, network, timeScale, store: `${db}.candles`, logger });
  const orders = new OrderManager({ prices, state, logger });
  return new Supervisor({ timeoutMs: STOP_TIMEOUT_MS, logger, components: [state, prices, orders] });
}
