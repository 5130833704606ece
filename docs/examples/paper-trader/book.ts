/** What is traded, and the arithmetic of it. Lots are thousandths of a coin: whole numbers, so that sums are exact. */

export type OrderStatus = 'open' | 'partly filled' | 'filled' | 'cancelled';

export interface Order {
  readonly id: number;
  readonly symbol: string;
  /** Bought above zero, sold below. */
  readonly lots: number;
  /** Of these, so many are done; the same sign. */
  readonly filled: number;
  readonly status: OrderStatus;
  /** Why it was placed, or why it was cancelled. */
  readonly reason: string;
  /** Exchange time, ms. */
  readonly placedAt: number;
}

export interface Fill {
  readonly orderId: number;
  readonly lots: number;
  readonly price: number;
  /** Exchange time, ms. */
  readonly filledAt: number;
}

export interface Position {
  readonly symbol: string;
  readonly lots: number;
  /** Of the fill that opened it; exchange time, ms. */
  readonly openedAt: number;
}

/** One step of an order: its row as it is now, with the fill that made it so. They are written together or not at all. */
export interface Entry {
  readonly order: Order;
  readonly fill?: Fill;
  readonly position?: Position;
}

export const isOpen = ({ status }: Order): boolean => status === 'open' || status === 'partly filled';

/** An order after a fill. */
export function filledBy(order: Order, fill: Fill): Order {
  const filled = order.filled + fill.lots;
  return { ...order, filled, status: filled === order.lots ? 'filled' : 'partly filled' };
}

/** A position after a fill; `held` is what there was before. */
export function positionAfter(held: Position | undefined, { symbol }: Order, fill: Fill): Position {
  const isNew = held === undefined || held.lots === 0;
  return {
    symbol,
    lots: (held?.lots ?? 0) + fill.lots,
    openedAt: isNew ? fill.filledAt : held.openedAt,
  };
}
