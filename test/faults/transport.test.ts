/** Faults of the wire, below the exchange: whatever becomes of the bytes, the promise is kept. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { expectKept } from '../oracle/kept.ts';
import { tap, watch } from '../oracle/watch.ts';
import { collectFrom, newStore, QUICK, startExchange } from '../support/collector.ts';
import { handshake, startRawServer, textFrame } from '../support/raw-server.ts';
import { seeded, shuffled } from '../support/seeded.ts';
import { until } from '../support/wait.ts';
import { scene, streaming } from './scene.ts';

/** In which a socket that is silent must have been noticed with QUICK: a ping, its answer, a proof, and a busy machine. */
const NOTICED_MS =
  QUICK.pingIntervalMs + Math.max(QUICK.pongTimeoutMs, QUICK.silenceMs + QUICK.proofSpacingMs) + 1_500;

const reasons = (lines: readonly { fields: Record<string, unknown> }[]): string =>
  lines.map((line) => String(line.fields['reason'] ?? '')).join('\n');

describe('C13', () => {
  test.each([
    ['both ways', 'both'],
    ['towards us alone', 'toClient'],
  ] as const)('C13 half-open %s: it is noticed in time, given up, and repaired', async (_, which) => {
    const set = await streaming();
    const [link] = set.proxy.links();
    if (which === 'both') link?.blackhole();
    else link?.toClient.blackhole();
    await until('the state says so', () => set.collector.state === 'connecting', NOTICED_MS);
    expect(set.collector.isConnected).toBe(false);
    await until('the socket is given up', () => link?.isOpen === false);
    await until('it streams again', () => set.collector.isConnected);
    expect(set.proxy.dialled()).toBe(2);
    expect(reasons(set.log.lines)).toMatch(/half-open|mute|silent/u);
    await set.expectKept(3);
  });
});

describe('C14', () => {
  test('C14 pings flow and data does not: what counts as life is data', async () => {
    const set = await streaming();
    const pings = (): number => set.exchange.log().filter((entry) => entry.kind === 'ping').length;
    const before = pings();
    set.exchange.inject({ kind: 'mute' });
    await until('the state says so', () => set.collector.state === 'connecting', NOTICED_MS);
    expect(pings()).toBeGreaterThan(before);
    const count = set.candles.length;
    await until('bars close by REST meanwhile', () => set.candles.length >= count + 4);
    expect(set.collector.isConnected).toBe(false);
    set.exchange.clearFaults();
    await until('it streams again', () => set.collector.isConnected);
    await set.expectKept(3);
  });
});

describe('C15', () => {
  test('C15 silence from the first second, of the exchange: never live, and REST keeps the series', async () => {
    const set = await scene({ collector: { connectTimeoutMs: 'never' } });
    set.exchange.inject({ kind: 'mute' });
    const started = set.collector.startStreaming();
    await until('it has given up two sockets', () => set.proxy.dialled() >= 3);
    expect(set.collector.state).toBe('connecting');
    expect(set.collector.status().series.map((one) => one.state)).not.toContain('live');
    set.exchange.clearFaults();
    await started;
    await set.expectKept();
  });

  test.each([
    ['after the handshake', 0],
    ['within the first frame', 5],
  ])('C15 silence from the first second, of the wire, %s: never live, dialled again', async (_, more) => {
    const timing = { ...QUICK, ackTimeoutMs: 500, openTimeoutMs: 500 };
    const set = await scene({ collector: { timing } });
    const { proxy } = set;
    const heard = proxy.onLink;
    proxy.onLink = (link) => {
      heard?.(link);
      if (link.number > 1) return;
      // The answer to the handshake has no fixed length: the first bytes behind its end are what counts.
      const listening = link.toClient.onBytes;
      link.toClient.onBytes = (bytes) => {
        listening?.(bytes);
        if (more === 0) link.toClient.blackhole();
        else link.toClient.after(more, () => link.toClient.blackhole());
      };
    };
    await set.collector.startStreaming();
    expect(proxy.dialled()).toBe(2);
    await set.expectKept();
  });
});

describe('C16', () => {
  test('C16 a reset in the middle of a message: the rest is dropped, nothing of it is stored', async () => {
    const set = await streaming();
    const [link] = set.proxy.links();
    link?.toClient.after(1_001, () => link.reset());
    await until('it is noticed', () => set.collector.state === 'connecting');
    await until('it streams again', () => set.collector.isConnected);
    expect(reasons(set.log.lines)).toMatch(/closed with 1006/u);
    await set.expectKept(3);
  });

  test('C16 the end of the connection in the middle of a frame: the same', async () => {
    const set = await streaming();
    const [link] = set.proxy.links();
    link?.toClient.after(1_001, () => link.fin());
    await until('it is noticed', () => set.collector.state === 'connecting');
    await until('it streams again', () => set.collector.isConnected);
    expect(reasons(set.log.lines)).toMatch(/closed with 1006/u);
    await set.expectKept(3);
  });

  test.each(['fin', 'rst'] as const)(
    'C16 a torn first frame, then %s: no bar of it, no word of live, dialled again',
    async (end) => {
      const exchange = await startExchange({ timeScale: 240 });
      const whole = textFrame('{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1,"s":"BTCUSDT"}}');
      const torn = await startRawServer(handshake(whole.subarray(0, 30), end));
      onTestFinished(() => torn.close());
      const { restUrl, timeScale } = exchange;
      const wsUrl = `ws://127.0.0.1:${torn.port}`;
      const store = newStore();
      const set = collectFrom({ wsUrl, restUrl, timeScale }, { store, connectTimeoutMs: 'never' });
      const observed = watch(set.collector, exchange, { store });
      const started = set.collector.startStreaming();
      started.catch(() => {});
      await until('it was dialled again and again', () => torn.accepted() >= 4);
      expect(set.collector.state).toBe('connecting');
      expect(set.collector.status().counters.klines).toBe(0);
      expectKept(await observed.finish(), 0);
      expect(torn.sockets()).toBe(0);
    },
  );

  test('C16 one byte at a time: a slow frame is no frame, and the socket is given up', async () => {
    const set = await streaming();
    const [link] = set.proxy.links();
    link?.toClient.dribble(1, 100);
    await until('the state says so', () => set.collector.state === 'connecting', NOTICED_MS);
    await until('it streams again', () => set.collector.isConnected);
    expect(set.proxy.dialled()).toBe(2);
    await set.expectKept(3);
  });

  test('C16 frames that are cut in two at every place: all of them are read', async () => {
    const set = await scene();
    const heard = set.proxy.onLink;
    set.proxy.onLink = (link) => {
      heard?.(link);
      link.toClient.split();
      link.toServer.split();
    };
    await set.collector.startStreaming();
    await until('many frames', () => set.collector.status().counters.klines > 120);
    expect(set.collector.status().counters.malformed).toBe(0);
    expect(set.proxy.dialled()).toBe(1);
    await set.expectKept(3);
  });
});

describe('C20', () => {
  test('C20 sockets are clogged one by one and freed in a random order: all series converge', async () => {
    const random = seeded(20);
    const exchange = await startExchange({ timeScale: 240, symbols: SYMBOLS });
    const wire = await tap(exchange);
    onTestFinished(() => wire.proxy.close());
    // A socket of its own each, which at 200 streams a socket only several collectors have.
    const all = SYMBOLS.map((symbol) => {
      const store = newStore();
      const set = collectFrom(wire, { store, symbols: [symbol] });
      return { ...set, symbol, observed: watch(set.collector, exchange, { store, wire }) };
    });
    await Promise.all(all.map((set) => set.collector.startStreaming()));
    await until('a candle of each', () => all.every((set) => set.candles.length > 0));

    const clogged = [...wire.proxy.links()];
    expect(clogged).toHaveLength(SYMBOLS.length);
    for (const link of clogged) {
      link.clog();
      await until('some more bars', barsOf(all, 1 + Math.floor(random() * 3)));
    }
    for (const link of shuffled(clogged, random)) {
      link.free();
      await until('some more bars', barsOf(all, 1 + Math.floor(random() * 3)));
    }
    for (const { observed } of all) observed.calm();
    const now = exchange.now();
    await until('all stream', () => all.every((set) => set.collector.isConnected));
    await until('bars that opened later', () =>
      all.every((set) => set.candles.some((candle) => candle.openTime > now)),
    );
    const evidence = await Promise.all(all.map((set) => set.observed.finish()));
    for (const one of evidence) expectKept(one, 3);
  });
});

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT'];

/** True once so many more bars were delivered, whoever got them: REST goes on while sockets are clogged. */
function barsOf(all: readonly { candles: readonly unknown[] }[], more: number): () => boolean {
  const count = (): number => all.reduce((sum, set) => sum + set.candles.length, 0);
  const before = count();
  return () => count() >= before + more;
}
