import { EventEmitter } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import type { Candle } from '../../machines/model/kline.ts';
import { createJsonl, type JsonlTarget } from '../../src/cli/jsonl.ts';
import { until } from '../support/wait.ts';

const candle = (openTime: number): Candle => ({
  symbol: 'BTCUSDT',
  interval: '1m',
  openTime,
  open: 1,
  high: 2,
  low: 0.5,
  close: 1.5,
  volume: 3,
  closeTime: openTime + 59_999,
  quoteVolume: 4,
  count: 5,
  takerBuyVolume: 1,
  takerBuyQuoteVolume: 2,
  source: 'stream',
});

/** Standard output whose reader takes lines only when told. */
class Pipe extends EventEmitter implements JsonlTarget {
  readonly lines: string[] = [];
  writableNeedDrain = false;
  limit = Number.POSITIVE_INFINITY;
  #callbacks: ((error?: Error | null) => void)[] = [];

  write(text: string, callback: (error?: Error | null) => void = () => undefined): boolean {
    this.lines.push(text);
    this.#callbacks.push(callback);
    this.writableNeedDrain = this.#callbacks.length >= this.limit;
    return !this.writableNeedDrain;
  }
  take(): void {
    for (const callback of this.#callbacks.splice(0)) callback();
    this.writableNeedDrain = false;
    this.emit('drain');
  }
  break(code: string): void {
    this.emit('error', Object.assign(new Error(code), { code }));
  }
}

function setUp() {
  const target = new Pipe();
  const onClosed = vi.fn();
  const onFailed = vi.fn();
  return { target, onClosed, onFailed, jsonl: createJsonl({ target, onClosed, onFailed }) };
}

async function* candles(count: number, given: { count: number }) {
  for (let index = 0; index < count; index++) {
    given.count++;
    yield candle(index * 60_000);
  }
}

describe('JSON lines', () => {
  test('have a type and the fields of the candle, one a line', async () => {
    const { target, jsonl } = setUp();
    await jsonl.follow(candles(2, { count: 0 }));
    expect(target.lines.map((line) => JSON.parse(line))).toEqual([
      { type: 'candle', ...candle(0) },
      { type: 'candle', ...candle(60_000) },
    ]);
    expect(target.lines.every((line) => line.endsWith('}\n'))).toBe(true);
  });

  test('wait for a slow reader: no candle is asked for that could not be written', async () => {
    const { target, jsonl } = setUp();
    target.limit = 10;
    const given = { count: 0 };
    const done = jsonl.follow(candles(1_000, given));
    await until('ten lines', () => target.lines.length === 10);
    await new Promise(setImmediate);
    expect(given.count).toBe(10);
    const reading = setInterval(() => target.take(), 0);
    await done;
    clearInterval(reading);
    expect(target.lines).toHaveLength(1_000);
  });

  test('B06 end quietly when the reader goes away, also while waiting', async () => {
    const { target, jsonl, onClosed, onFailed } = setUp();
    target.limit = 1;
    const done = jsonl.follow(candles(5, { count: 0 }));
    await until('a line', () => target.lines.length === 1);
    target.break('EPIPE');
    target.break('EPIPE');
    await done;
    await jsonl.flushed();
    expect(onClosed).toHaveBeenCalledOnce();
    expect(onFailed).not.toHaveBeenCalled();
    expect(jsonl.put({ type: 'gap' })).toBe(false);
  });

  test('S06 a full disk is a failure, not a reader that left', () => {
    const { target, onClosed, onFailed } = setUp();
    target.break('ENOSPC');
    expect(onFailed).toHaveBeenCalledOnce();
    expect(onClosed).not.toHaveBeenCalled();
  });

  test('of gaps and revisions are bounded when nobody reads', () => {
    const { target, jsonl } = setUp();
    let taken = 0;
    for (let index = 0; index < 12_000; index++) if (jsonl.put({ type: 'gap', index })) taken++;
    expect(taken).toBe(10_000);
    expect(JSON.parse(target.lines[0] ?? '')).toEqual({ type: 'gap', index: 0 });
  });
});
