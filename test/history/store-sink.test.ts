import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CandleBlock } from '../../machines/model/block.ts';
import type { Gap } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import { StoreError } from '../../src/errors.ts';
import { type HistoryWriter, StoreSink } from '../../src/history/sinks/store-sink.ts';
import { Memo, newStore } from '../support/collector.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { bars, nthsOf, SERIES, span } from './scripted-source.ts';

type Batch = Parameters<HistoryWriter['load']>[0];

/** A writer whose commits end when the test says so. */
class ScriptedWriter implements HistoryWriter {
  readonly batches: Batch[] = [];
  readonly course: string[] = [];
  #waiting: { resolve(done: { inserted: number; filled: number }): void; reject(error: Error): void }[] = [];

  async open(): Promise<void> {
    this.course.push('open');
  }
  load(given: Batch): Promise<{ inserted: number; filled: number }> {
    // As a thread does: what it was given is not the giver's any more.
    const transfer = [...new Set(given.blocks.map(({ columns }) => columns.openTime.buffer as ArrayBuffer))];
    const batch = structuredClone(given, { transfer });
    this.batches.push(batch);
    this.course.push(`load ${rowsOf(batch)}`);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
  async gaps(): Promise<readonly Gap[]> {
    return [];
  }
  async missing(_: unknown, range: Span): Promise<readonly Span[]> {
    return [range];
  }
  async close(): Promise<void> {
    this.course.push('close');
  }
  async terminate(): Promise<void> {
    this.course.push('terminate');
    for (const { reject } of this.#waiting.splice(0)) reject(gone());
  }

  /** The commit that is under way is done. */
  async done(): Promise<void> {
    const batch = this.batches.at(-1);
    this.#waiting.shift()?.resolve({ inserted: batch === undefined ? 0 : rowsOf(batch), filled: 1 });
    await settle();
  }
  async fails(error: Error): Promise<void> {
    this.#waiting.shift()?.reject(error);
    await settle();
  }
}

const rowsOf = ({ blocks }: { blocks: readonly CandleBlock[] }): number =>
  blocks.reduce((sum, { rows }) => sum + rows, 0);
const gone = () => new StoreError('gone', { code: 'STORE_WRITER_GONE', retryable: true });
const busy = () => new StoreError('busy', { code: 'STORE_WRITE', retryable: true });
const full = () => new StoreError('not a database', { code: 'STORE_FOREIGN' });

function scene() {
  const [writer, clock, log, path] = [new ScriptedWriter(), new FakeClock(), new Memo(), newStore()];
  const sink = new StoreSink({
    writer,
    path,
    origin: 'simulator',
    series: SERIES,
    clock,
    logger: log,
    exchangeNow: () => 1,
    stampNow: () => 1,
  });
  /** So many bars from the n-th on, all of which are whole by it. */
  const take = (from: number, count: number): Promise<void> =>
    sink.take({ blocks: [bars(from, from + count)], gaps: [], collected: [span(from, from + count)] });
  return { writer, clock, log, path, sink, take };
}

const never = new AbortController().signal;
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false;
  void promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await settle();
  return settled;
};

describe('bars', () => {
  test('of many small parts are one transaction, with what they make whole as one range', async () => {
    const { writer, sink, take } = scene();
    for (let day = 0; day < 5; day++) await take(day * 1_440, 1_440);
    expect(writer.batches).toEqual([]);
    await take(5 * 1_440, 1_440);
    expect(writer.batches.map(rowsOf)).toEqual([6 * 1_440]);
    expect(writer.batches[0]?.collected).toEqual([span(0, 6 * 1_440)]);
    await writer.done();
    expect(sink.counts).toEqual({ stored: 6 * 1_440, filled: 1, unwritten: 0 });
  });

  test('are gathered while others are committed, and no more than that', async () => {
    const { writer, take } = scene();
    await take(0, 9_000);
    await take(9_000, 1_000);
    const third = take(10_000, 9_000);
    expect(await isSettled(third)).toBe(false);
    expect(writer.batches).toHaveLength(1);
    await writer.done();
    expect(await isSettled(third)).toBe(true);
    expect(writer.batches.map(rowsOf)).toEqual([9_000, 10_000]);
  });

  test('beyond ten thousand are several transactions, and whole with the last', async () => {
    const { writer, sink, take } = scene();
    await take(0, 25_000);
    const finished = sink.finish();
    for (let nth = 0; nth < 3; nth++) await writer.done();
    await finished;
    expect(writer.batches.map(rowsOf)).toEqual([10_000, 10_000, 5_000]);
    expect(writer.batches.map(({ collected }) => collected.length)).toEqual([0, 0, 1]);
  });

  test('that are few are committed when it finishes', async () => {
    const { writer, sink, take } = scene();
    await take(0, 10);
    const finished = sink.finish();
    expect(await isSettled(finished)).toBe(false);
    await writer.done();
    await finished;
    expect(writer.batches.map(rowsOf)).toEqual([10]);
  });
});

describe('a commit that fails', () => {
  test('and may succeed is tried again with the same bars', async () => {
    const { writer, clock, sink, take, log } = scene();
    await take(0, 9_000);
    await writer.fails(busy());
    await clock.advance(499);
    expect(writer.batches).toHaveLength(1);
    await clock.advance(1);
    expect(nthsOf(writer.batches[1]?.blocks ?? [])).toEqual(nthsOf(writer.batches[0]?.blocks ?? []));
    await writer.done();
    await sink.finish();
    expect(sink.counts.stored).toBe(9_000);
    expect(log.lines.map(({ message }) => message)).toEqual(['the store cannot write; rows wait']);
  });

  test('because its thread has ended opens it again', async () => {
    const { writer, clock, take } = scene();
    await take(0, 9_000);
    await writer.fails(gone());
    await clock.advance(500);
    expect(writer.course).toEqual(['open', 'load 9000', 'open', 'load 9000']);
  });

  test('seven times is what the next one hears of, and what is lost is counted', async () => {
    const { writer, clock, sink, take } = scene();
    await take(0, 9_000);
    for (let nth = 0; nth < 7; nth++) {
      await writer.fails(busy());
      await clock.advance(60_000);
    }
    expect(writer.batches).toHaveLength(7);
    await expect(take(9_000, 1)).rejects.toThrow('busy');
    await expect(sink.finish()).rejects.toThrow('busy');
    await sink.close(never);
    expect(sink.counts.unwritten).toBe(9_000);
    expect(clock.pending).toBe(0);
  });

  test('for good is not tried again', async () => {
    const { writer, sink, take } = scene();
    await take(0, 9_000);
    await writer.fails(full());
    await expect(sink.finish()).rejects.toThrow('not a database');
    expect(writer.batches).toHaveLength(1);
  });
});

describe('the end', () => {
  test('keeps what was gathered, behind what is under way', async () => {
    const { writer, sink, take } = scene();
    await take(0, 9_000);
    await take(9_000, 5);
    const closed = sink.close(never);
    await writer.done();
    await writer.done();
    await closed;
    expect(writer.course).toEqual(['open', 'load 9000', 'load 5', 'close']);
  });

  test('does not wait for another try', async () => {
    const { writer, clock, sink, take } = scene();
    await take(0, 9_000);
    await writer.fails(busy());
    await take(9_000, 5);
    await sink.close(never);
    expect(writer.course.at(-1)).toBe('close');
    expect(clock.pending).toBe(0);
    expect(sink.counts.unwritten).toBe(9_005);
  });

  test('that is cut short ends the thread', async () => {
    const { writer, sink, take } = scene();
    const late = new AbortController();
    await take(0, 9_000);
    const closed = sink.close(late.signal);
    late.abort();
    await closed.catch(() => {});
    expect(writer.course).toContain('terminate');
  });

  test('of taking that waits for room is heard by who takes', async () => {
    const { writer, sink, take } = scene();
    await take(0, 9_000);
    const told = expect(take(9_000, 9_000)).rejects.toThrow('the load has ended');
    const closed = sink.close(never);
    await writer.done();
    await told;
    await writer.done();
    await closed;
    expect(sink.counts).toMatchObject({ stored: 18_000, unwritten: 0 });
  });
});

test('a store is made for its first bars, and not before', async () => {
  const { writer, path, sink, take } = scene();
  await sink.open(false);
  await sink.take({ blocks: [], gaps: [], collected: [span(0, 10)] });
  expect(await sink.missing(SERIES, span(0, 10))).toEqual([span(0, 10)]);
  await sink.finish();
  await sink.close(never);
  expect(writer.course).toEqual([]);
  expect(existsSync(path)).toBe(false);
  const other = scene();
  await other.take(0, 1);
  expect(other.writer.course).toEqual(['open']);
  await expect(take(0, 1)).rejects.toThrow('the load has ended');
});
