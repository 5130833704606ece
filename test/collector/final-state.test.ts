/** What a stop report says of the rows and the gaps of its run. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { StopReport } from '../../src/index.ts';
import { collectFrom, newStore, startExchange, storedCandles } from '../support/collector.ts';
import { until } from '../support/wait.ts';

/** What must hold whatever happened. */
function expectBalance({ rows, unwritten }: StopReport): void {
  expect(rows.received - rows.written).toBe(unwritten);
}

describe('the report of a stop tells', () => {
  test('that every row received was written', async () => {
    const store = newStore();
    const { collector, candles } = collectFrom(await startExchange(), { store });
    await collector.startStreaming();
    await until('candles', () => candles.length > 5);
    const report = await collector.stop();
    expectBalance(report);
    expect(report.rows).toEqual({ received: candles.length, written: candles.length });
    expect(storedCandles(store)).toHaveLength(candles.length);
    expect(report.gaps).toEqual({ named: 0, open: 0 });
  });

  test('the same in memory alone', async () => {
    const { collector, candles } = collectFrom(await startExchange());
    await collector.startStreaming();
    await until('candles', () => candles.length > 5);
    const report = await collector.stop();
    expect(report).toMatchObject({
      rows: { received: candles.length, written: candles.length },
      unwritten: 0,
    });
  });

  test('none before a start', async () => {
    const { collector } = collectFrom(await startExchange());
    expect(await collector.stop()).toMatchObject({ rows: { received: 0, written: 0 }, unwritten: 0 });
  });

  test('none when the store could not be opened', async () => {
    const store = newStore();
    const other = new DatabaseSync(store);
    other.exec('CREATE TABLE letters (text)');
    other.close();
    const { collector } = collectFrom(await startExchange(), { store });
    await expect(collector.startStreaming()).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    expect(await collector.stop()).toMatchObject({ rows: { received: 0, written: 0 }, unwritten: 0 });
  });

  test('what a forced store left; the next run has that on its own account, and writes it', async () => {
    const store = newStore();
    const { collector, candles } = collectFrom(await startExchange(), { store });
    await collector.startStreaming();
    await until('candles', () => candles.length > 2);
    const other = new DatabaseSync(store);
    other.exec('BEGIN IMMEDIATE');
    await until('rows wait for the store', () => collector.status().rowsWaiting > 3);
    const cut = await collector.stop({ timeoutMs: 200 });
    other.exec('ROLLBACK');
    other.close();
    expectBalance(cut);
    expect(cut.rows.written).toBe(candles.length);
    expect(cut.unwritten).toBe(collector.status().rowsWaiting);
    expect(cut.unwritten).toBeGreaterThan(3);

    const before = candles.length;
    await collector.startStreaming();
    await until('all that was left, and more', () => candles.length > before + cut.unwritten);
    const report = await collector.stop();
    expectBalance(report);
    const written = candles.length - before;
    expect(report.rows).toEqual({ received: written, written });
    expect(storedCandles(store)).toHaveLength(candles.length);
  });

  test('gaps that are open, also those of a run before, and only those named in this one as named', async () => {
    const exchange = await startExchange();
    const store = newStore();
    const first = collectFrom(exchange, { store });
    await first.collector.startStreaming();
    await until('candles', () => first.candles.length > 5);
    await first.collector.stop();
    const [lost] = storedCandles(store);
    const other = new DatabaseSync(store);
    other.exec(`DELETE FROM candles WHERE symbol = '${lost?.symbol}' AND open_time = ${lost?.openTime};
      INSERT INTO gaps (symbol, interval, from_open_time, to_open_time, reason, detected_at)
      VALUES ('${lost?.symbol}', '1m', ${lost?.openTime}, ${lost?.openTime}, 'none', 1)`);
    other.close();
    const { collector } = collectFrom(exchange, { store });
    await collector.startStreaming();
    expect((await collector.stop()).gaps).toEqual({ named: 0, open: 1 });
  });
});
