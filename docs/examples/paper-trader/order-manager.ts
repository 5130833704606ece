/** Paper orders: places them by a simple rule, fills them bit by bit, and closes what is held for too long. */
import type { Candle, Component, ComponentEnd, Logger, StopContext } from 'candlestate';
import { type Fill, filledBy, isOpen, type Order } from './book.ts';
import type { Prices } from './price-manager.ts';
import type { StateManager } from './state-manager.ts';

const LOTS = 30;
/** What a bar fills of an order at most. */
const LOTS_PER_BAR = 10;
/** Exchange time. */
const MAX_POSITION_MS = 3 * 60_000;
const MONITOR_MS = 100;

export class OrderManager implements Component {
  readonly name = 'OrderManager';
  readonly dependsOn = ['PriceManager', 'StateManager'];
  readonly deadlineMs = 2_000;
  readonly #prices: Prices;
  readonly #state: StateManager;
  readonly #logger: Logger;
  /** By symbol: one at a time. */
  readonly #open = new Map<string, Order>();
  #monitor: NodeJS.Timeout | undefined;
  #leaveBars: () => void = () => {};

  constructor(options: { prices: Prices; state: StateManager; logger: Logger }) {
    this.#prices = options.prices;
    this.#state = options.state;
    this.#logger = options.logger;
  }

  start(): void {
    this.#leaveBars = this.#prices.onBar((bar) => this.#onBar(bar));
    this.#monitor = setInterval(() => this.#closeOldPositions(), MONITOR_MS);
  }

  /** No new orders, the open ones cancelled (what was filled stays), the monitor closed. */
  stop(_signal: AbortSignal, { timeoutMs }: StopContext): ComponentEnd {
    this.#logger.info('OrderManager stops', { timeoutMs });
    this.#leaveBars();
    clearInterval(this.#monitor);
    const open = [...this.#open.values()];
    for (const order of open) this.#cancel(order);
    return { notes: { cancelled: open.length } };
  }

  #onBar(bar: Candle): void {
    const order = this.#open.get(bar.symbol);
    // A bar that had ended before the order was placed can't fill it.
    if (order !== undefined && bar.closeTime <= order.placedAt) return;
    if (order !== undefined) this.#fill(order, bar);
    else if (bar.close > bar.open && !this.#state.isHeld(bar.symbol))
      this.#place(bar.symbol, LOTS, 'the bar rose', bar.closeTime);
  }

  #closeOldPositions(): void {
    const now = this.#prices.now();
    for (const { symbol, lots, openedAt } of this.#state.positions())
      if (now - openedAt > MAX_POSITION_MS && !this.#open.has(symbol))
        this.#place(symbol, -lots, 'held for long', now);
  }

  #place(symbol: string, lots: number, reason: string, placedAt: number): void {
    const quote = this.#prices.quote(symbol);
    if (quote === undefined || quote.isStale) return;
    const order = this.#state.place({ symbol, lots, reason, placedAt });
    this.#open.set(symbol, order);
    const { price, source } = quote;
    this.#logger.info('order placed', { id: order.id, symbol, lots, reason, price, source });
  }

  #fill(order: Order, bar: Candle): void {
    const left = order.lots - order.filled;
    const lots = Math.sign(left) * Math.min(Math.abs(left), LOTS_PER_BAR);
    const fill: Fill = { orderId: order.id, lots, price: bar.close, filledAt: bar.closeTime };
    const after = filledBy(order, fill);
    if (isOpen(after)) this.#open.set(order.symbol, after);
    else this.#open.delete(order.symbol);
    this.#state.record(after, fill);
    this.#logger.info(`order ${after.status}`, {
      id: order.id,
      symbol: order.symbol,
      filled: after.filled,
      of: order.lots,
    });
  }

  #cancel(order: Order): void {
    const reason = 'the application stops';
    this.#open.delete(order.symbol);
    this.#state.record({ ...order, status: 'cancelled', reason });
    this.#logger.info('order cancelled', {
      id: order.id,
      symbol: order.symbol,
      filled: order.filled,
      reason,
    });
  }
}
