import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { INTERVALS, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, type Frame, getJson, type Kline } from './client.ts';

const shared = new URL('../../../shared/', import.meta.url);
const startTime = Date.UTC(2026, 1, 3, 12, 0, 20);
const combined = (sim: SimulatedExchange, ...names: string[]): string =>
  `${sim.wsUrl}/market/stream?streams=${names.map(encodeURIComponent).join('/')}`;

describe('kline streams', () => {
  test('send frames with the fields, types and order of the exchange', async () => {
    await using sim = await startSimulator({ startTime });
    const client = await Client.open(combined(sim, 'btcusdt@kline_1m'));
    const frame = await eventually(() => client.frames()[0], 'a frame');
    expect(Object.keys(frame)).toEqual(['stream', 'data']);
    expect(Object.keys(frame.data)).toEqual(['e', 'E', 's', 'k']);
    expect(Object.keys(frame.data.k).join()).toBe('t,T,s,i,f,L,o,c,h,l,v,n,x,q,V,Q,B');
    expect(frame).toMatchObject({ stream: 'btcusdt@kline_1m', data: { e: 'kline', s: 'BTCUSDT' } });
    expect(frame.data.k).toMatchObject({ s: 'BTCUSDT', i: '1m', x: false, B: '0' });
    expect(frame.data.k.T).toBe(frame.data.k.t + 59_999);
  });

  test.skipIf(!existsSync(shared))('have the very form of the recorded frames', async () => {
    await using sim = await startSimulator({ startTime });
    const sample = readFileSync(
      new URL('fixtures/samples/ws-kline-combined-btcusdt-1m.json', shared),
      'utf8',
    );
    const lines = readFileSync(new URL('fixtures/ws/usdm-2021-07-22-cryptofeed.jsonl', shared), 'utf8').split(
      '\n',
    );
    const recorded = lines
      .filter((line) => line.includes('@kline_1m'))
      .flatMap((line) => {
        const data = (JSON.parse(line) as { t: string; data?: unknown }).data;
        return typeof data === 'string' && data.startsWith('{"stream"') ? [data] : [];
      });
    expect(recorded.length).toBeGreaterThan(50);
    const client = await Client.open(combined(sim, 'btcusdt@kline_1m'));
    const text = await eventually(() => client.texts[0], 'a frame');
    const form = (frame: string): string => JSON.stringify(shapeOf(JSON.parse(frame)));
    expect(form(text)).toBe(form(sample));
    expect(form(text)).toBe(form(recorded[0] as string));
    // Letter by letter apart from the values: no blanks, no other order.
    const bare = (frame: string): string => frame.replaceAll(/:(?:"[^"]*"|-?\d+|true|false)/g, ':_');
    expect(bare(text)).toBe(bare(recorded[0] as string));
  });

  test('close each bar exactly once, in order, with the values of the truth, at an hour a second', async () => {
    await using sim = await startSimulator({ startTime, timeScale: 3600, symbols: ['BTCUSDT', 'DOGEUSDT'] });
    const names = ['btcusdt@kline_1m', 'dogeusdt@kline_1m', 'btcusdt@kline_5m', 'dogeusdt@kline_1h'];
    const client = await Client.open(combined(sim, ...names));
    await eventually(() => client.closes('dogeusdt@kline_1h').length >= 2, 'two hours', 10_000);
    for (const name of names) {
      const frames = client.frames(name);
      checkOrder(frames, sim);
      expect(frames.some((frame) => frame.data.k.x)).toBe(true);
    }
    expect(client.closes('btcusdt@kline_1m').length).toBeGreaterThan(60);
  });

  test('skip no bar when many end between two ticks', async () => {
    await using sim = await startSimulator({ startTime, timeScale: 36_000 });
    const client = await Client.open(combined(sim, 'btcusdt@kline_1m'));
    await eventually(() => client.closes().length > 600, 'six hundred closes');
    checkOrder(client.frames(), sim);
  });

  test('deliver all intervals, each from its current bar on', async () => {
    const now = Date.UTC(2026, 2, 1) - 1000;
    await using sim = await startSimulator({ startTime: now, timeScale: 10, symbols: ['BTCUSDT'] });
    const client = await Client.open(
      combined(sim, ...INTERVALS.map((interval) => `btcusdt@kline_${interval}`)),
    );
    for (const interval of INTERVALS) {
      const frame = await eventually(() => client.frames(`btcusdt@kline_${interval}`)[0], interval);
      expect(frame.data.k.i).toBe(interval);
      expect(frame.data.k.t).toBeGreaterThanOrEqual(openTimeAt(interval, now));
    }
    const month = await eventually(() => client.closes('btcusdt@kline_1M')[0], 'the close of February');
    expect(month.data.k.t).toBe(Date.UTC(2026, 1, 1));
  });

  test('send the close that is not due yet to who subscribes between bar end and close', async () => {
    const end = Date.UTC(2026, 1, 3, 12);
    await using sim = await startSimulator({
      startTime: end + 10,
      timeScale: 1,
      closeLatenessMs: 1000,
      symbols: ['STILLUSDT'],
      quietSymbols: ['STILLUSDT'],
    });
    const client = await Client.open(combined(sim, 'stillusdt@kline_1m'));
    const close = await eventually(() => client.closes()[0], 'the close');
    expect(close.data.k.T).toBe(end - 1);
    expect(close.data.E).toBeGreaterThanOrEqual(end + 1000);
  });

  test('close with the first trade of the next bar, or two seconds after the end', async () => {
    const end = Date.UTC(2026, 1, 3, 12);
    const symbols = Array.from({ length: 20 }, (_, i) => `S${i}USDT`);
    await using sim = await startSimulator({ startTime: end - 300, timeScale: 3, symbols });
    const client = await Client.open(
      combined(sim, ...symbols.map((name) => `${name.toLowerCase()}@kline_1m`)),
    );
    await eventually(() => client.closes().length === 20, 'twenty closes');
    let early = 0;
    for (const { data } of client.closes()) {
      let traded = end;
      while (traded < end + 2000 && sim.truth.forming(data.s, '1m', traded)?.count === 0) traded++;
      if (data.E < end + 1900) early++;
      expect(data.E).toBeGreaterThanOrEqual(traded);
      expect(data.E).toBeLessThan(traded + 3000);
    }
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(20);
  });

  test('are silent for a quiet symbol until its flat bar closes', async () => {
    await using sim = await startSimulator({
      startTime,
      timeScale: 240,
      symbols: ['STILLUSDT'],
      quietSymbols: ['STILLUSDT'],
    });
    const client = await Client.open(combined(sim, 'stillusdt@kline_1m'));
    await eventually(() => client.frames().length >= 3, 'three closes');
    for (const frame of client.frames()) {
      expect(frame.data.k).toMatchObject({ x: true, n: 0, f: -1, L: -1, v: '0', q: '0' });
      expect(frame.data.E).toBeGreaterThanOrEqual(frame.data.k.T + 1 + 2000);
    }
  });

  test('send a forming bar only when it changed, and not more often than asked for', async () => {
    await using sim = await startSimulator({ startTime, timeScale: 60, updateMs: 10_000 });
    const client = await Client.open(combined(sim, 'btcusdt@kline_5m'));
    const frames = await eventually(() => client.frames().length >= 6 && client.frames(), 'frames');
    frames.slice(1).forEach((frame, i) => {
      const before = frames[i] as Frame;
      if (frame.data.k.t !== before.data.k.t || frame.data.k.x) return;
      expect(frame.data.k.n).toBeGreaterThan(before.data.k.n);
      expect(frame.data.E - before.data.E).toBeGreaterThanOrEqual(10_000);
    });
  });

  test('carry symbols in other scripts, whose names are lower case in ASCII letters alone', async () => {
    await using sim = await startSimulator({ startTime, symbols: ['币安人生USDT'] });
    const client = await Client.open(combined(sim, '币安人生usdt@kline_1m'));
    expect((await eventually(() => client.frames()[0], 'a frame')).data.s).toBe('币安人生USDT');
    const raw = await Client.open(`${sim.wsUrl}/market/ws`);
    await raw.ask({ method: 'SUBSCRIBE', params: ['币安人生usdt@kline_3m'], id: 1 });
    const text = await eventually(() => raw.texts[1], 'a raw frame');
    expect(JSON.parse(text)).toMatchObject({ e: 'kline', k: { i: '3m', s: '币安人生USDT' } });
  });

  test('tell the same numbers as REST and the archive', async () => {
    const at = Date.UTC(2026, 1, 3, 23, 50);
    await using sim = await startSimulator({
      startTime: at,
      timeScale: 2400,
      symbols: ['SOLUSDT', 'DOGEUSDT'],
    });
    const client = await Client.open(combined(sim, 'solusdt@kline_1m', 'dogeusdt@kline_15m'));
    await eventually(() => client.closes('dogeusdt@kline_15m').length >= 2, 'two closes');
    for (const { data } of client.closes()) {
      const { s, i, t } = data.k;
      const url = `${sim.restUrl}/fapi/v1/klines?symbol=${s}&interval=${i}&startTime=${t}&endTime=${t}&limit=1`;
      const rows = await getJson<unknown[][]>(url);
      expect(rows).toEqual([rowOf(data.k)]);
    }
  });
});

/** Types of all values, in order of the keys. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]);
}

const rowOf = (k: Kline): unknown[] => [k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q, '0'];

/** Frames of one stream: bar after bar without a hole, nothing of the next before the close, truth at the close. */
function checkOrder(frames: readonly Frame[], sim: SimulatedExchange): void {
  let open = frames[0]?.data.k.t;
  let seen: Kline | undefined;
  for (const { data } of frames) {
    const { k } = data;
    expect(k.t).toBe(open);
    if (seen && seen.t === k.t) {
      expect(k.n).toBeGreaterThanOrEqual(seen.n);
      expect(Number(k.v)).toBeGreaterThanOrEqual(Number(seen.v));
    }
    seen = k;
    if (!k.x) continue;
    expect(data.E).toBeGreaterThan(k.T);
    const interval = k.i as '1m';
    const truth = sim.truth.bar(k.s, interval, k.t);
    expect(rowOf(k)).toEqual(
      truth && [
        truth.openTime,
        truth.open,
        truth.high,
        truth.low,
        truth.close,
        truth.volume,
        truth.closeTime,
        truth.quoteVolume,
        truth.count,
        truth.takerBuyVolume,
        truth.takerBuyQuoteVolume,
        '0',
      ],
    );
    expect([k.f, k.L]).toEqual([truth?.firstTradeId, truth?.lastTradeId]);
    open = nextOpenTime(interval, k.t);
  }
}
