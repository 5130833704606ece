/** A collector and its store as parts of an application: they end as told, and tell what they leave. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../machines/model/cleanup.ts';
import { ConnectionError, type StoreError } from '../../src/errors.ts';
import type { CollectorOptions } from '../../src/index.ts';
import {
  type CollectorEnd,
  collectorComponent,
  type Stoppable,
} from '../../src/supervisor/collector-component.ts';
import { storeComponent } from '../../src/supervisor/store-component.ts';
import { collectFrom, newStore, query, startExchange, storedCandles } from '../support/collector.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';
import { drive } from './driven.ts';

/** A collector and its store, running, with some candles stored. */
async function running(options: Partial<CollectorOptions> = {}) {
  const exchange = await startExchange();
  const path = newStore();
  const watched = collectFrom(exchange, { store: path, ...options });
  const store = drive(storeComponent({ path }));
  const prices = drive(collectorComponent(watched.collector, { name: 'prices', dependsOn: ['store'] }));
  await store.start();
  await prices.start();
  await until('candles', () => watched.candles.length > 3);
  return { exchange, path, store, prices, ...watched };
}

describe('a collector as a component', () => {
  test('is what was asked for, and runs when it streams', async () => {
    const { prices, collector } = await running();
    expect(prices.component).toMatchObject({ name: 'prices', dependsOn: ['store'] });
    expect(prices.component).not.toHaveProperty('deadlineMs');
    expect(collector.state).toBe('streaming');
  });

  test('ends as told, tells its parts and what it holds, and leaves a final state in which all is well', async () => {
    const { prices, store, path, candles, ends } = await running().then((it) => ({
      ...it,
      ends: it.prices.ends,
    }));
    const end = await prices.stop(2_000);
    const stored = storedCandles(path).length;
    expect(stored).toBe(candles.length);
    expect(end.parts?.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'feed0 closed',
      'rest closed',
      'store closed',
    ]);
    expect(end.lost).toBe(0);
    expect(end.notes).toEqual({
      buffers: expect.stringMatching(
        new RegExp(`^${stored} candles of 2 series, BTCUSDT@1m \\d+, ETHUSDT@1m \\d+$`),
      ),
      gaps: 'none',
      rows: `${stored} received, ${stored} written`,
    });
    expect(ends).toEqual([]);
    expect(await prices.verify()).toEqual([
      { name: 'rows', outcome: 'ok', detail: `${stored} received and written` },
      { name: 'parts', outcome: 'ok' },
      { name: 'actors', outcome: 'ok' },
    ]);
    expect(await store.verify()).toEqual([
      { name: 'files', outcome: 'ok' },
      { name: 'series', outcome: 'ok', detail: `${stored} bars of this run in 2 series` },
      { name: 'integrity', outcome: 'ok' },
    ]);
  });

  test('may run again, and each run is looked at for itself', async () => {
    const { prices, store, candles } = await running();
    await prices.stop(2_000);
    const first = candles.length;
    await store.start();
    await prices.start();
    await until('more candles', () => candles.length > first + 3);
    const end = await prices.stop(2_000);
    const written = candles.length - first;
    expect(end.notes?.['rows']).toBe(`${written} received, ${written} written`);
    expect([await prices.odd(), await store.odd()]).toEqual([[], []]);
    expect((await store.verify())[1]?.detail).toBe(`${written} bars of this run in 2 series`);
  });

  test('whose socket had to be forced has lost nothing: every check is ok', async () => {
    const { exchange, prices, store, path, candles } = await running({ timing: {} });
    exchange.inject({ kind: 'noCloseAnswer' });
    const { value: end, took } = await timed(prices.stop(300));
    expect(took).toBeLessThan(300 + TOLERANCE_MS);
    expect(end.parts).toContainEqual(expect.objectContaining({ name: 'feed0.a', outcome: 'forced' }));
    expect(end.lost).toBe(0);
    expect(await prices.odd()).toEqual([]);
    expect(await store.odd()).toEqual([]);
    expect(storedCandles(path)).toHaveLength(candles.length);
  });

  test('whose rows could not be written tells how many, and the checks fail', async () => {
    const { prices, store, path, collector } = await running();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await until('rows wait for the store', () => collector.status().rowsWaiting > 3);
    const { value: end, took } = await timed(prices.stop(300));
    expect(took).toBeLessThan(300 + TOLERANCE_MS);
    expect(end.lost).toBe(collector.status().rowsWaiting);
    expect(end.lost).toBeGreaterThan(3);
    const checks = await prices.verify();
    expect(checks[0]).toMatchObject({ name: 'rows', outcome: 'failed' });
    expect(checks[0]?.detail).toMatch(new RegExp(`^${end.lost} of \\d+ rows were received and not written`));
    other.exec('ROLLBACK');
    other.close();
    // What is in the file is sound: it only ends earlier.
    expect(await store.odd()).toEqual([]);
  });

  test('S14 whose store was removed under it fails, and so do the checks of both', async () => {
    const { prices, store, path } = await running();
    rmSync(path);
    const end = await prices.stop(1_000);
    expect(end.parts).toContainEqual(expect.objectContaining({ name: 'store', outcome: 'failed' }));
    expect(await prices.odd()).toContain('parts failed');
    expect(await store.odd()).toEqual(['series failed', 'integrity failed']);
  });

  test('without a store has all its rows written, in memory', async () => {
    const { collector, candles } = collectFrom(await startExchange());
    const prices = drive(collectorComponent(collector));
    await prices.start();
    await until('candles', () => candles.length > 3);
    const end = await prices.stop(1_000);
    expect(end).toMatchObject({
      lost: 0,
      notes: { rows: `${candles.length} received, ${candles.length} written` },
    });
    expect(await prices.odd()).toEqual([]);
  });

  test('that somebody else stops tells so, once', async () => {
    const { prices, collector } = await running();
    await collector.stop({ reason: 'seen enough' });
    expect(prices.ends).toEqual([undefined]);
    await prices.stop(1_000);
    expect(prices.ends).toHaveLength(1);
    expect(await prices.odd()).toEqual([]);
  });

  test('aborted while nobody answers ends its start at once, and its stop has the time that it is given', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'hangHandshake' });
    const { collector } = collectFrom(exchange, { connectTimeoutMs: 'never', stopTimeoutMs: 5_000 });
    const prices = drive(collectorComponent(collector));
    const starting = prices.start();
    await until('it dials', () => exchange.log().some(({ kind }) => kind === 'handshake'));
    prices.starting.abort(new Error('stopped meanwhile'));
    await expect(within('the start', starting, 100)).rejects.toThrow('stopped meanwhile');
    const { took } = await timed(prices.stop(200));
    expect(took).toBeLessThan(200 + TOLERANCE_MS);
    expect(collector.state).toBe('stopped');
    expect(prices.ends).toEqual([]);
    expect(await prices.odd()).toEqual([]);
  });

  test('that cannot start says why, and is not said to have ended besides', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'refuse', status: 503 });
    const { collector } = collectFrom(exchange, { connectTimeoutMs: 200 });
    const prices = drive(collectorComponent(collector));
    await expect(prices.start()).rejects.toBeInstanceOf(ConnectionError);
    expect(prices.ends).toEqual([]);
    await prices.stop(500);
    expect(await prices.odd()).toEqual([]);
  });
});

/** A collector that does and says what a test wants. */
class Puppet implements Stoppable {
  state = 'initialized';
  rowsWaiting = 0;
  readonly asked: unknown[] = [];
  readonly listeners = new Map<string, (payload: never) => unknown>();
  readonly children: Record<string, { getSnapshot(): { status: string } }> = {};
  readonly actor = { getSnapshot: () => ({ children: this.children }) };
  end: CollectorEnd = {
    components: [],
    buffers: {},
    unwritten: 0,
    rows: { received: 0, written: 0 },
    gaps: { named: 0, open: 0 },
  };
  async startStreaming(): Promise<void> {
    this.state = 'streaming';
  }
  async stop(options: object): Promise<CollectorEnd> {
    this.asked.push(options);
    return this.end;
  }
  status = () => ({ rowsWaiting: this.rowsWaiting });
  on(event: string, listener: (payload: never) => unknown): () => void {
    this.listeners.set(event, listener);
    return () => this.listeners.delete(event);
  }
  say(event: string, payload: object): void {
    this.listeners.get(event)?.(payload as never);
  }
}

describe('what a collector says of itself', () => {
  test('the time is passed on as whole ms, never below none', async () => {
    const puppet = new Puppet();
    const prices = drive(collectorComponent(puppet));
    await prices.stop(999.6);
    await prices.stop(-3);
    expect(puppet.asked).toEqual([
      { timeoutMs: 1_000, reason: 'told to' },
      { timeoutMs: 0, reason: 'told to' },
    ]);
  });

  test('it is not started at all when it is stopped before', async () => {
    const puppet = new Puppet();
    const prices = drive(collectorComponent(puppet));
    prices.starting.abort(new Error('stopped before'));
    await expect(prices.start()).rejects.toThrow('stopped before');
    expect(puppet.state).toBe('initialized');
  });

  test('a failure that ends it is passed on with its cause', async () => {
    const puppet = new Puppet();
    const prices = drive(collectorComponent(puppet));
    await prices.start();
    puppet.say('error', { code: 'FEED_DOWN', message: 'only a warning' });
    puppet.say('error', { code: 'COLLECTOR_FAILED', message: 'store ended by itself', cause: 'disk full' });
    puppet.say('state', { from: 'streaming', to: 'stopping', reason: '' });
    expect(prices.ends).toEqual([]);
    puppet.say('state', { from: 'stopping', to: 'stopped', reason: '' });
    expect(prices.ends).toMatchObject([{ message: 'store ended by itself', cause: 'disk full' }]);
  });

  test('rows that wait and parts that failed and live actors are each a check that failed', async () => {
    const puppet = new Puppet();
    const prices = drive(collectorComponent(puppet));
    expect(await prices.odd()).toEqual(['rows skipped', 'parts skipped']);
    puppet.rowsWaiting = 2;
    expect(await prices.odd()).toContain('rows failed');
    puppet.end = {
      ...puppet.end,
      components: Array.from({ length: 9 }, (_, index) => cleanup(`feed${index}`, 'failed', 0, 1, 'broken')),
    };
    puppet.children['feed0'] = { getSnapshot: () => ({ status: 'active' }) };
    puppet.children['feed1'] = { getSnapshot: () => ({ status: 'stopped' }) };
    await prices.stop(100);
    expect(await prices.verify()).toMatchObject([
      { name: 'rows', outcome: 'failed', detail: expect.stringMatching(/^2 of 0 rows/) },
      { name: 'parts', outcome: 'failed', detail: expect.stringMatching(/^feed0: broken; .*; and 5 more$/) },
      { name: 'actors', outcome: 'failed', detail: 'still alive: feed0' },
    ]);
  });

  test('actors that live are not held against one that was given up, but said', async () => {
    const puppet = new Puppet();
    const prices = drive(collectorComponent(puppet));
    puppet.children['feed0'] = { getSnapshot: () => ({ status: 'active' }) };
    expect((await prices.verify())[2]).toEqual({
      name: 'actors',
      outcome: 'skipped',
      detail: 'still alive: feed0',
    });
  });

  test('ten thousand series are summed up', async () => {
    const puppet = new Puppet();
    puppet.end = {
      ...puppet.end,
      buffers: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`S${index}USDT@1m`, 7])),
      gaps: { named: 3, open: 2 },
    };
    const end = await drive(collectorComponent(puppet)).stop(100);
    expect(end.notes).toMatchObject({ buffers: '70000 candles of 10000 series', gaps: '3 named, 2 open' });
  });
});

describe('a store as a component', () => {
  test('that can be none is refused at the start, untouched, and not looked at afterwards', async () => {
    const path = newStore();
    writeFileSync(path, 'a letter to a friend '.repeat(100));
    const store = drive(storeComponent({ path }));
    await expect(store.start()).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    expect(await store.verify()).toEqual([]);
    expect(readdirSync(dirname(path))).toHaveLength(1);
  });

  test('of another network, and one that another collector writes, are refused', async () => {
    const { path } = await running();
    const refusal = (options: { origin?: string }) =>
      drive(storeComponent({ path, ...options }))
        .start()
        .catch((error: StoreError) => error.code);
    expect(await refusal({ origin: 'mainnet' })).toBe('STORE_ORIGIN');
    expect(await refusal({})).toBe('STORE_LOCKED');
  });

  test('that nobody made is skipped, and none is made by looking', async () => {
    const path = newStore();
    const store = drive(storeComponent({ path, name: 'candles', deadlineMs: 100 }));
    expect(store.component).toMatchObject({ name: 'candles', deadlineMs: 100 });
    await store.start();
    expect(await store.odd()).toEqual(['series skipped', 'integrity skipped']);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test('from which a row has vanished is found', async () => {
    const { prices, store, path } = await running();
    await prices.stop(2_000);
    const [row] = query(path, 'SELECT open_time FROM candles ORDER BY open_time DESC LIMIT 1');
    const other = new DatabaseSync(path);
    other.exec(`DELETE FROM candles WHERE open_time = ${row?.['open_time']}`);
    other.close();
    expect(await store.odd()).toEqual(['series failed']);
  });
});
