/** The managers of the paper trader, each by itself. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readFlags } from '../../docs/examples/paper-trader/flags.ts';
import { inspectFile } from '../../docs/examples/paper-trader/ledger.ts';
import { OrderManager } from '../../docs/examples/paper-trader/order-manager.ts';
import { StateManager } from '../../docs/examples/paper-trader/state-manager.ts';
import type { Candle } from '../../machines/model/kline.ts';
import { emptyFolder, rowsIn, unevenOrders } from './trader.ts';

const MINUTE = 60_000;
const logged: string[] = [];
const take = (message: string): void => void logged.push(message);
const logger = { debug: take, info: take, warn: take, error: take };
const never = new AbortController().signal;
const raise = (error?: unknown): void => {
  throw error;
};
const stopContext = { timeoutMs: 2_000, reason: 'asked' };

/** Books in a file of their own, open. */
function books(path = join(emptyFolder(onTestFinished), 'paper.db'), ended = raise) {
  const state = new StateManager({ path, logger });
  state.start(never, { ended });
  return { state, path };
}

/** A market that moves when it is told to. */
function market() {
  const listeners = new Set<(bar: Candle) => void>();
  let now = 0;
  return {
    isStale: false,
    now: () => now,
    quote() {
      return { price: 100, source: 'stream' as const, ageMs: 0, isStale: this.isStale };
    },
    onBar(listener: (bar: Candle) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** Closes a bar that rose, or fell. */
    bar(change = 1) {
      const openTime = now;
      now += MINUTE;
      const bar = {
        symbol: 'BTCUSDT',
        open: 100,
        close: 100 + change,
        openTime,
        closeTime: now - 1,
      } as Candle;
      for (const listener of listeners) listener(bar);
    },
  };
}

function trader() {
  const { state, path } = books();
  const prices = market();
  const orders = new OrderManager({ prices, state, logger });
  orders.start();
  return { state, path, prices, orders };
}

const order = { symbol: 'BTCUSDT', lots: 10, reason: 'a test', placedAt: 1 };
const countIn = (path: string): number =>
  Number(rowsIn(path, 'SELECT count(*) AS count FROM orders')[0]?.['count']);

beforeEach(() => {
  logged.length = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => void vi.useRealTimers());

describe('StateManager', () => {
  test('writes in one transaction what has come in a second, or the hundredth entry at once', () => {
    const { state, path } = books();
    for (let n = 0; n < 99; n++) state.place(order);
    expect(countIn(path)).toBe(0);
    state.place(order);
    expect(countIn(path)).toBe(100);
    for (let n = 0; n < 50; n++) state.place(order);
    vi.advanceTimersByTime(999);
    expect(countIn(path)).toBe(100);
    vi.advanceTimersByTime(1);
    expect(countIn(path)).toBe(150);
  });

  test('writes an order and its fill together, also while another program held the database', () => {
    const { state, path } = books();
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    const placed = state.place(order);
    state.record(
      { ...placed, filled: 4, status: 'partly filled' },
      { orderId: placed.id, lots: 4, price: 1, filledAt: 2 },
    );
    other.exec('BEGIN IMMEDIATE');
    vi.advanceTimersByTime(3_000);
    expect(countIn(path)).toBe(0);
    expect(logged.filter((line) => line.includes('another program holds the database'))).toHaveLength(1);
    other.exec('ROLLBACK');
    vi.advanceTimersByTime(50);
    expect(countIn(path)).toBe(1);
    expect(unevenOrders(path)).toEqual([]);
    expect(rowsIn(path, 'SELECT symbol, lots FROM positions')).toEqual([{ symbol: 'BTCUSDT', lots: 4 }]);
  });

  test.each([
    ['the statement alone', 'ABORT'],
    ['the whole transaction, as with a full disk', 'ROLLBACK'],
  ])(
    'writes no order whose fill it cannot write, and ends the application with the reason, when SQLite takes back %s',
    (_, how) => {
      const path = join(emptyFolder(onTestFinished), 'paper.db');
      const failed = vi.fn();
      const { state } = books(path, failed);
      const other = new DatabaseSync(path);
      onTestFinished(() => other.close());
      other.exec(`CREATE TRIGGER refuse BEFORE INSERT ON fills BEGIN SELECT raise(${how}, 'no room'); END`);
      state.place(order);
      const placed = state.place(order);
      state.record(
        { ...placed, filled: 4, status: 'partly filled' },
        { orderId: placed.id, lots: 4, price: 1, filledAt: 2 },
      );
      vi.advanceTimersByTime(1_000);
      expect(countIn(path)).toBe(0);
      expect(failed).toHaveBeenCalledWith(expect.objectContaining({ message: 'no room' }));
    },
  );

  test('finds a position that differs from its fills while it runs, says so and mends it', async () => {
    const { state, path } = books();
    const placed = state.place(order);
    state.record(
      { ...placed, filled: 10, status: 'filled' },
      { orderId: 1, lots: 10, price: 1, filledAt: 2 },
    );
    vi.advanceTimersByTime(1_000);
    const other = new DatabaseSync(path);
    other.exec('UPDATE positions SET lots = 70');
    other.close();
    vi.advanceTimersByTime(5_000);
    expect(logged).toContain('a position differed from its fills; it is mended');
    expect(rowsIn(path, 'SELECT symbol, lots, opened_at FROM positions')).toEqual([
      { symbol: 'BTCUSDT', lots: 10, opened_at: 2 },
    ]);
    expect(state.positions()).toMatchObject([{ lots: 10 }]);
  });

  test('saves what waits and the final state when it stops, and a fresh connection finds both', async () => {
    const { state, path } = books();
    const placed = state.place(order);
    state.record(
      { ...placed, filled: 10, status: 'filled' },
      { orderId: 1, lots: 10, price: 1, filledAt: 2 },
    );
    expect(await state.stop(never, stopContext)).toEqual({ lost: 0, notes: { orders: 1, fills: 1 } });
    expect(logged).toContain('final state saved and verified');
    expect(state.verify().map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(rowsIn(path, 'SELECT orders, fills, positions FROM final_state')).toEqual([
      { orders: 1, fills: 1, positions: '{"BTCUSDT":10}' },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ['orders agree with their fills', 'UPDATE fills SET lots = 9'],
    ['positions agree with the fills', 'UPDATE positions SET lots = 9'],
    ['final state', 'DELETE FROM fills WHERE id = 2'],
    ['no order is open', "UPDATE orders SET status = 'open'"],
  ])('tells afterwards when this is wrong: %s', async (name, damage) => {
    const { state, path } = books();
    for (const id of [1, 2]) {
      const placed = state.place(order);
      state.record(
        { ...placed, filled: 10, status: 'filled' },
        { orderId: id, lots: 10, price: 1, filledAt: 2 },
      );
    }
    await state.stop(never, stopContext);
    const other = new DatabaseSync(path);
    other.exec(damage);
    other.close();
    expect(inspectFile(path)).toContainEqual(expect.objectContaining({ name, outcome: 'failed' }));
  });

  test('cancels when it starts what a run that was cut off has left open, and keeps its fills', async () => {
    const { state, path } = books();
    const placed = state.place(order);
    state.record(
      { ...placed, filled: 4, status: 'partly filled' },
      { orderId: placed.id, lots: 4, price: 1, filledAt: 2 },
    );
    vi.advanceTimersByTime(1_000);
    // As it was cut off: with what stood in the files at that moment.
    const copy = join(emptyFolder(onTestFinished), 'paper.db');
    for (const end of ['', '-wal']) copyFileSync(`${path}${end}`, `${copy}${end}`);
    const next = books(copy).state;
    expect(rowsIn(copy, 'SELECT filled, status FROM orders')).toEqual([{ filled: 4, status: 'cancelled' }]);
    expect(next.positions()).toMatchObject([{ symbol: 'BTCUSDT', lots: 4 }]);
    await next.stop(never, stopContext);
  });

  test('keeps a second trader away from a database in use, whose orders stay as they are', async () => {
    const { state, path } = books();
    const placed = state.place(order);
    vi.advanceTimersByTime(1_000);
    expect(() => books(path)).toThrow(`${path} is being used by another trader`);
    expect(rowsIn(path, 'SELECT status, reason FROM orders')).toEqual([{ status: 'open', reason: 'a test' }]);
    state.record({ ...placed, status: 'cancelled' });
    await state.stop(never, stopContext);
    await books(path).state.stop(never, stopContext);
  });

  test('tries again while it stops, and saves all when the database is free before its deadline', async () => {
    vi.useRealTimers();
    const { state, path } = books();
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    state.record({ ...state.place(order), status: 'cancelled' });
    setTimeout(() => other.exec('ROLLBACK'), 120);
    expect(await state.stop(never, stopContext)).toMatchObject({ lost: 0 });
    expect(countIn(path)).toBe(1);
    expect(state.verify().map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  });

  test('says what is lost when the database stays held until its deadline', async () => {
    vi.useRealTimers();
    const { state, path } = books();
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    state.place(order);
    const began = performance.now();
    expect(await state.stop(never, { ...stopContext, timeoutMs: 500 })).toMatchObject({ lost: 1 });
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('OrderManager', () => {
  test('fills an order over several bars, each fill in the books', async () => {
    const { prices, state, orders, path } = trader();
    prices.bar();
    for (const lots of [10, 20, 30]) {
      prices.bar();
      expect(state.positions()).toEqual([{ symbol: 'BTCUSDT', lots, openedAt: 2 * MINUTE - 1 }]);
    }
    orders.stop(never, stopContext);
    await state.stop(never, stopContext);
    expect(rowsIn(path, 'SELECT lots, filled, status FROM orders')).toEqual([
      { lots: 30, filled: 30, status: 'filled' },
    ]);
  });

  test('closes a position that is held for more than three minutes of exchange time', () => {
    const { prices, state } = trader();
    for (let bars = 0; bars < 5; bars++) prices.bar();
    vi.advanceTimersByTime(100);
    expect(state.positions()).toHaveLength(1);
    prices.bar(-1);
    vi.advanceTimersByTime(100);
    for (let bars = 0; bars < 3; bars++) prices.bar(-1);
    expect(state.positions()).toEqual([]);
  });

  test('places nothing while the price is stale', () => {
    const { prices } = trader();
    prices.isStale = true;
    prices.bar();
    expect(logged).not.toContain('order placed');
    prices.isStale = false;
    prices.bar();
    expect(logged).toContain('order placed');
  });

  test('cancels what is open when it stops, keeps what was filled, and takes no new order', async () => {
    const { prices, state, orders, path } = trader();
    prices.bar();
    prices.bar();
    expect(orders.stop(never, stopContext)).toEqual({ notes: { cancelled: 1 } });
    prices.bar();
    vi.advanceTimersByTime(10_000);
    await state.stop(never, stopContext);
    expect(rowsIn(path, 'SELECT filled, status FROM orders')).toEqual([{ filled: 10, status: 'cancelled' }]);
    expect(rowsIn(path, 'SELECT lots FROM fills')).toEqual([{ lots: 10 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('takes no new order after its stop, also of a symbol that it does not hold', () => {
    const { prices, orders } = trader();
    orders.stop(never, stopContext);
    prices.bar();
    expect(logged).not.toContain('order placed');
  });
});

describe('the flags', () => {
  test('a whole command line is understood', () => {
    const text =
      '--paper --duration 1.5m --db x.db --log-file x.log --ws-url ws://a --rest-url http://a --time-scale 9';
    expect(readFlags(text.split(' '))).toEqual({
      durationMs: 90_000,
      db: 'x.db',
      logFile: 'x.log',
      network: { wsUrl: 'ws://a', restUrl: 'http://a' },
      timeScale: 9,
    });
  });

  test.each([
    ['', '--paper is required: there is no live trading here'],
    ['--live', "Unknown option '--live'"],
    ['--paper --duration soon', "--duration: 'soon' is no duration"],
    ['--paper --ws-url ws://a', '--ws-url and --rest-url are given together'],
    ['--paper --time-scale 0', "--time-scale: '0' is not a number above 0"],
    ['--paper --db :memory:', "--db: ':memory:' is no file"],
    ['--paper --db=', "--db: '' is no file"],
  ])('%j is refused, and the flag is named', (text, message) => {
    expect(() => readFlags(text.split(' ').filter(Boolean))).toThrow(message);
  });
});
