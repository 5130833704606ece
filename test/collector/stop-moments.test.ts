/** The stop in the middle of things: in time, one report, nothing left. */
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { AnyActorRef } from 'xstate';
import type { StopReport } from '../../src/index.ts';
import type { Fault } from '../../src/simulator/index.ts';
import { collectFrom, expectContiguous, newStore, ofSeries, storedCandles } from '../support/collector.ts';
import { scene, streaming } from '../support/stopping.ts';
import { until } from '../support/wait.ts';

describe('a stop', () => {
  test('L01 in the backoff after a connection was lost', async () => {
    const { exchange, collector, stops } = await streaming({ store: newStore() });
    exchange.inject({ kind: 'refuse', status: 503 });
    exchange.inject({ kind: 'drop' });
    await until('it has dialled in vain', () => collector.state === 'connecting');
    expect(await stops({ timeoutMs: 2_000 })).toMatchObject({ clean: true, unwritten: 0 });
  });

  test.each(['headers', 'body'] as const)(
    'L01 in a REST call for missing bars that hangs at its %s',
    async (hang) => {
      const { exchange, collector, stops } = await streaming({ store: newStore() });
      exchange.inject({ kind: 'rest', path: '/fapi/v1/klines', hang });
      exchange.inject({ kind: 'closes', mode: 'omit' });
      const asked = exchange.log().length;
      await until('it asks for them', () =>
        exchange
          .log()
          .slice(asked)
          .some((entry) => entry.kind === 'http' && entry.text?.includes('klines') !== false),
      );
      await until('both repair', () => collector.status().series.every(({ state }) => state === 'repairing'));
      expect(await stops({ timeoutMs: 2_000 })).toMatchObject({ clean: true, unwritten: 0 });
    },
  );

  test('L01 in the middle of a commit that waits for another writer, who then lets go: every row is written', async () => {
    const store = newStore();
    const { collector, candles, stops } = await streaming({ store });
    // In a thread of its own: a lock that is waited for holds up nobody here.
    const other = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const { DatabaseSync } = require('node:sqlite');
       const database = new DatabaseSync(workerData);
       database.exec('BEGIN IMMEDIATE');
       parentPort.on('message', () => { database.exec('ROLLBACK'); database.close(); parentPort.close(); });
       parentPort.postMessage('locked');`,
      { eval: true, workerData: store },
    );
    await once(other, 'message');
    await until('rows wait for the store', () => collector.status().rowsWaiting > 3);
    const ended = once(other, 'exit');
    const letGo = setTimeout(() => other.postMessage('let go'), 200);
    const report = await stops({ timeoutMs: 5_000 });
    clearTimeout(letGo);
    await ended;
    expect(report).toMatchObject({ clean: true, unwritten: 0 });
    expect(storedCandles(store)).toHaveLength(candles.length);
  });

  test('L01 in the middle of a commit that waits for another writer, who never lets go: in time, and it says what was lost', async () => {
    const store = newStore();
    const { collector, candles, stops } = await streaming({ store });
    const other = new DatabaseSync(store);
    other.exec('BEGIN IMMEDIATE');
    await until('rows wait for the store', () => collector.status().rowsWaiting > 3);
    const report = await stops({ timeoutMs: 500 });
    other.exec('ROLLBACK');
    other.close();
    expect(report.clean).toBe(false);
    expect(report.unwritten).toBeGreaterThan(3);
    expect(storedCandles(store)).toHaveLength(candles.length);
  });

  test('L01 in the middle of a backfill of thousands of rows: what was delivered is what is stored', async () => {
    const store = newStore();
    const { collector, candles, stops } = await scene({ store, backfillMs: 10 * 86_400_000 });
    await collector.startStreaming();
    await until('the first batches', () => candles.length > 500);
    const report = await stops({ timeoutMs: 2_000 });
    expect(report).toMatchObject({ clean: true, unwritten: 0 });
    expect(candles.length).toBeLessThan(2 * 14_400);
    expect(storedCandles(store)).toHaveLength(candles.length);
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) expectContiguous(ofSeries(storedCandles(store), symbol));
  });

  test('while it stops already, with another time-out, changes nothing', async () => {
    const { exchange, collector, stops } = await streaming();
    exchange.inject({ kind: 'noCloseAnswer' });
    const report = await stops({
      timeoutMs: 400,
      ask: async () => {
        const first = collector.stop({ timeoutMs: 400, reason: 'first' });
        await until('it is stopping', () => collector.state === 'stopping');
        const others = [0, 10, 60_000, undefined].map((timeoutMs) =>
          collector.stop(timeoutMs === undefined ? {} : { timeoutMs, reason: 'later' }),
        );
        const reports = await Promise.all([first, ...others]);
        expect(new Set(reports).size).toBe(1);
        return first;
      },
    });
    expect(report).toMatchObject({ reason: 'first', clean: false });
    // Not earlier than the share of the feeds: the later caller with 0 ms forced nothing.
    expect(report.durationMs).toBeGreaterThan(100);
  });

  test('A05 resolves when all is closed, not when it was told to: at that moment the exchange has seen the close and the store is sealed', async () => {
    const store = newStore();
    const { exchange, collector, leavesNothing } = await streaming({ store });
    await collector.stop();
    expect(exchange.log().filter((entry) => entry.kind === 'close')).toHaveLength(1);
    const database = new DatabaseSync(store);
    // Nobody else has it open: it can be had for oneself alone.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK');
    database.close();
    await leavesNothing();
  });

  test('is followed by nothing: rows, frames and commands that come late find nobody, and change nothing', async () => {
    const { collector, candles, stops } = await streaming({ store: newStore() });
    const report = await stops({ timeoutMs: 1_000 });
    const before = candles.length;
    for (const type of ['FEED.UP', 'FEED.DOWN', 'STORE.READY', 'REST.BANNED', 'TIME.JUMPED', 'STOP'])
      (collector.actor as unknown as AnyActorRef).send({ type, id: 'feed0', reason: 'late' });
    expect([collector.state, candles.length]).toEqual(['stopped', before]);
    expect(await collector.stop()).toBe(report);
  });

  test('L12 of one of two collectors leaves its socket closed, whatever becomes of the other one', async () => {
    const { exchange, collector, candles, leavesNothing } = await streaming({ symbols: ['BTCUSDT'] });
    const other = collectFrom(exchange, { symbols: ['ETHUSDT'] });
    await other.collector.startStreaming();
    await collector.stop();
    exchange.inject({ kind: 'drop' });
    const [seen, before] = [other.candles.length, candles.length];
    await until('the other goes on', () => other.candles.length > seen + 3 && other.collector.isConnected);
    expect([exchange.sockets(), candles.length, collector.state]).toEqual([1, before, 'stopped']);
    await other.collector.stop();
    await leavesNothing();
  });

  test('finds the timers of its actors without looking through those of all', async () => {
    const { collector, stops } = await streaming();
    const inner = collector.actor.system as unknown as { _snapshot: { _scheduledEvents: object } };
    let walks = 0;
    inner._snapshot._scheduledEvents = new Proxy(inner._snapshot._scheduledEvents, {
      ownKeys: (timers) => {
        walks += 1;
        return Reflect.ownKeys(timers);
      },
    });
    await stops({ timeoutMs: 1_000 });
    expect(walks).toBe(0);
  });
});

describe('a signal', () => {
  test('L06 aborted before the start: nothing was ever opened', async () => {
    const begun = await scene({ store: newStore(), signal: AbortSignal.abort(new Error('not today')) });
    const error: unknown = await begun.collector.startStreaming().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'ABORTED' });
    expect((error as Error).cause).toMatchObject({ message: 'not today' });
    expect(begun.exchange.log()).toEqual([]);
    expect((await begun.collector.stop()).clean).toBe(true);
    await begun.leavesNothing();
  });

  test.each([
    ['the exchange is asked', { kind: 'rest', hang: 'headers' }, 'http'],
    ['it dials', { kind: 'hangHandshake' }, 'handshake'],
    ['it subscribes', { kind: 'mute' }, 'message'],
  ] satisfies [string, Fault, string][])(
    'L06 aborted during the start, while %s: all is closed',
    async (_, fault, kind) => {
      const controller = new AbortController();
      const begun = await scene({ store: newStore(), signal: controller.signal, stopTimeoutMs: 1_000 });
      begun.exchange.inject(fault);
      const starting = begun.collector.startStreaming().catch((error: unknown) => error);
      await until('it has come that far', () => begun.exchange.log().some((entry) => entry.kind === kind));
      const ask = (): Promise<StopReport> => {
        controller.abort(new Error('enough'));
        return begun.collector.stop();
      };
      expect(await begun.stops({ timeoutMs: 1_000, ask })).toMatchObject({ reason: 'aborted', unwritten: 0 });
      const error = await starting;
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'ABORTED' });
      expect((error as Error).cause).toMatchObject({ message: 'enough' });
      expect(begun.course()).toBe('connecting stopping stopped');
    },
  );
});
