/** What the application is made of. The order of starting and stopping follows from `dependsOn`. */
import { type Logger, Supervisor } from 'candlestate';
import type { Settings } from './flags.ts';
import { OrderManager } from './order-manager.ts';
import { PriceManager } from './price-manager.ts';
import { StateManager } from './state-manager.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];

/** What the components have together, 5 s, and half a second for the look at the final state. */
const STOP_TIMEOUT_MS = 5_500;

export function createApplication({ db, network, timeScale }: Settings, logger: Logger): Supervisor {
  const state = new StateManager({ path: db, logger });
  const prices = new PriceManager({ symbols: SYMBOLS, network, timeScale, store: `${db}.candles`, logger });
  const orders = new OrderManager({ prices, state, logger });
  return new Supervisor({ timeoutMs: STOP_TIMEOUT_MS, logger, components: [state, prices, orders] });
}
