/** The database: orders, their fills, the positions that follow from them, and the final state of the last run. */
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Check } from 'candlestate';
import type { Entry, Order, Position } from './book.ts';

/** What a run left behind, as it knew it. */
export interface FinalState {
  readonly orders: number;
  readonly fills: number;
  /** Lots by symbol. */
  readonly positions: Readonly<Record<string, number>>;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, lots INTEGER NOT NULL, filled INTEGER NOT NULL,
    status TEXT NOT NULL, reason TEXT NOT NULL, placed_at INTEGER NOT NULL, CHECK (abs(filled) <= abs(lots)));
  CREATE TABLE IF NOT EXISTS fills (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id),
    lots INTEGER NOT NULL, price REAL NOT NULL, filled_at INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS fills_of_order ON fills (order_id);
  CREATE TABLE IF NOT EXISTS positions (symbol TEXT PRIMARY KEY, lots INTEGER NOT NULL, opened_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS final_state (
    id INTEGER PRIMARY KEY CHECK (id = 1), orders INTEGER NOT NULL, fills INTEGER NOT NULL,
    positions TEXT NOT NULL, checksum TEXT NOT NULL);
`;
const PUT_ORDER = `INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET filled = excluded.filled, status = excluded.status, reason = excluded.reason`;
const PUT_FILL = 'INSERT INTO fills (order_id, lots, price, filled_at) VALUES (?, ?, ?, ?)';
const PUT_POSITION = 'INSERT OR REPLACE INTO positions VALUES (?, ?, ?)';
const PUT_FINAL_STATE = 'INSERT OR REPLACE INTO final_state VALUES (1, ?, ?, ?, ?)';
const HELD = 'SELECT symbol, lots, opened_at AS openedAt FROM positions WHERE lots <> 0 ORDER BY symbol';
const FILLED = `SELECT symbol, sum(fills.lots) AS lots, max(filled_at) AS openedAt FROM fills
  JOIN orders ON orders.id = order_id GROUP BY symbol HAVING sum(fills.lots) <> 0 ORDER BY symbol`;
const COUNTS = 'SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM fills) AS fills';
const UNEVEN = `SELECT id FROM orders WHERE filled <>
  (SELECT coalesce(sum(lots), 0) FROM fills WHERE order_id = orders.id)`;
const OPEN = `SELECT id, symbol, lots, filled, status, reason, placed_at AS placedAt FROM orders
  WHERE status IN ('open', 'partly filled')`;

const SQLITE_BUSY = 5;
/** Whether another program holds it. Extended codes have the plain one in their lowest byte. */
const isBusy = (error: unknown): boolean =>
  (Number((error as { errcode?: number }).errcode) & 0xff) === SQLITE_BUSY;

export class Ledger {
  readonly #lock: DatabaseSync;
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#lock = takeLock(path);
    try {
      // Nobody waits for a lock in here: that would hold up the event loop, and signals with it.
      this.#db = new DatabaseSync(path, { timeout: 0 });
      this.#db.exec(SCHEMA);
    } catch (error) {
      this.#lock.close();
      throw error;
    }
  }

  /** Writes all of them in one transaction. False when another program holds the database: nothing was written then. */
  write(entries: readonly Entry[]): boolean {
    return this.#transaction(() => {
      const [putOrder, putFill] = [this.#db.prepare(PUT_ORDER), this.#db.prepare(PUT_FILL)];
      for (const { order, fill, position } of entries) {
        const { id, symbol, lots, filled, status, reason, placedAt } = order;
        putOrder.run(id, symbol, lots, filled, status, reason, placedAt);
        if (fill !== undefined) putFill.run(fill.orderId, fill.lots, fill.price, fill.filledAt);
        if (position !== undefined) this.#put(position);
      }
    });
  }

  /** Sets positions right. False as above. */
  mend(positions: readonly Position[]): boolean {
    return this.#transaction(() => {
      for (const position of positions) this.#put(position);
    });
  }

  /** False as above. */
  saveFinalState(state: FinalState): boolean {
    const positions = JSON.stringify(state.positions);
    return this.#transaction(() => {
      this.#db.prepare(PUT_FINAL_STATE).run(state.orders, state.fills, positions, checksumOf(state));
    });
  }

  /** Positions as they are written. */
  positions(): Position[] {
    return this.#db.prepare(HELD).all() as unknown as Position[];
  }

  /** Positions as the fills make them. When they were opened is a guess: at the last fill. */
  filledPositions(): Position[] {
    return this.#db.prepare(FILLED).all() as unknown as Position[];
  }

  /** Orders that were neither filled nor cancelled. */
  openOrders(): Order[] {
    return this.#db.prepare(OPEN).all() as unknown as Order[];
  }

  counts(): { orders: number; fills: number } {
    return this.#db.prepare(COUNTS).get() as { orders: number; fills: number };
  }

  /** Of the newest order; 0 when there is none. */
  lastId(): number {
    return Number(this.#db.prepare('SELECT coalesce(max(id), 0) AS id FROM orders').get()?.['id']);
  }

  inspect(): Check[] {
    return inspect(this.#db);
  }

  close(): void {
    this.#db.close();
    this.#lock.close();
  }

  #put({ symbol, lots, openedAt }: Position): void {
    this.#db.prepare(PUT_POSITION).run(symbol, lots, openedAt);
  }

  #transaction(work: () => void): boolean {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
    try {
      work();
      this.#db.exec('COMMIT');
      return true;
    } catch (error) {
      // A full disk makes SQLite roll back by itself, and a second time would hide why.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

/**
 * One trader to a database: another one would take the orders of the first for left ones. Held by a file beside it, with
 * a lock that the operating system takes back when the process ends, however that is.
 */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw isBusy(error) ? new Error(`${path} is being used by another trader`, { cause: error }) : error;
  }
}

const checksumOf = ({ orders, fills, positions }: FinalState): string =>
  createHash('sha256').update(JSON.stringify({ orders, fills, positions })).digest('hex');

/**
 * The same look with a connection of its own, which makes no file and writes no row. Opened as `readOnly` it could
 * not put away SQLite's side files when it closes.
 */
export function inspectFile(path: string): Check[] {
  const db = new DatabaseSync(`${pathToFileURL(path)}?mode=rw`);
  try {
    db.exec('PRAGMA query_only = ON');
    return inspect(db);
  } finally {
    db.close();
  }
}

/** Whether what is written is whole and agrees with itself. */
function inspect(db: DatabaseSync): Check[] {
  const check = (name: string, isOk: boolean, detail: string): Check => ({
    name,
    outcome: isOk ? 'ok' : 'failed',
    detail,
  });
  const integrity = String(Object.values(db.prepare('PRAGMA integrity_check').get() ?? {})[0]);
  const uneven = db.prepare(UNEVEN).all().length;
  const open = db.prepare(OPEN).all().length;
  const lotsOf = (sql: string): Record<string, number> =>
    Object.fromEntries((db.prepare(sql).all() as unknown as Position[]).map((it) => [it.symbol, it.lots]));
  const positions = lotsOf(FILLED);
  const held = lotsOf(HELD);
  const found = { ...(db.prepare(COUNTS).get() as { orders: number; fills: number }), positions };
  const saved = db.prepare('SELECT checksum FROM final_state').get()?.['checksum'];
  return [
    check('integrity', integrity === 'ok', integrity),
    check('orders agree with their fills', uneven === 0, `${uneven} of ${found.orders} do not`),
    check('no order is open', open === 0, `${open} are`),
    check(
      'positions agree with the fills',
      JSON.stringify(held) === JSON.stringify(positions),
      JSON.stringify(held),
    ),
    check('final state', saved === checksumOf(found), `${found.orders} orders, ${found.fills} fills`),
  ];
}
