/** Subscribing, and what comes back: rows P03, P05, P06 and C09 of the fault matrix. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INTERVALS } from '../../machines/model/interval.ts';
import { BinanceDataCollector } from '../../src/index.ts';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { at } from '../pipeline/candles.ts';
import { optionsFor, QUICK } from '../support/collector.ts';
import { acknowledge, type Control, connectTo, type Script, serveSockets } from '../support/scripted.ts';
import { until } from '../support/wait.ts';

const frameOf = (openTime: number): string =>
  JSON.stringify({
    e: 'kline',
    E: openTime + 500,
    s: 'BTCUSDT',
    k: { t: openTime, s: 'BTCUSDT', i: '1m', x: false },
  });
const sendFrame = (client: { send(text: string): void }): void => client.send(frameOf(at(0)));
const refuse: Script = (client, { id }) =>
  client.send(JSON.stringify({ error: { code: 2, msg: 'Invalid request' }, id }));
const isLater = ({ params }: Control): boolean => params.includes('ethusdt@kline_1m');

describe('an answer to a subscription', () => {
  test.each<[string, number, Script]>([
    ['is lost, and data comes', 2, (client) => sendFrame(client)],
    [
      'has the wrong id, and data comes',
      2,
      (client, { id }) => {
        client.send(JSON.stringify({ result: null, id: id + 1_000 }));
        sendFrame(client);
      },
    ],
    [
      'comes after the data',
      1,
      (client, control, socket) => {
        sendFrame(client);
        acknowledge(client, control, socket);
      },
    ],
  ])('P03 that %s: the socket is up and is kept, and asked %i times', async (_, times, script) => {
    const server = await serveSockets(script);
    const one = connectTo(server.wsUrl, { timing: { ackTimeoutMs: 100, silenceMs: 10_000 } });
    await until('it is up', () => one.types().includes('CONNECTION.UP'));
    await until('all is said', () => server.asked.length === times);
    expect(one.types()).toEqual(['CONNECTION.UP']);
    expect(server.opened()).toBe(1);
  });

  test('P03 that is lost at first, without data: the socket is given up and dialled again', async () => {
    const server = await serveSockets((client, control, socket) => {
      if (socket > 1) acknowledge(client, control, socket);
    });
    const one = connectTo(server.wsUrl, { timing: { ackTimeoutMs: 100 } });
    await until('it is up', () => one.types().includes('CONNECTION.UP'));
    expect(one.heard[0]).toMatchObject({ type: 'CONNECTION.DOWN', reason: 'subscription not acknowledged' });
    expect(server.opened()).toBe(2);
  });

  test.each([
    ['lost', 'not acknowledged', (): void => {}],
    ['an error', 'refused', refuse],
  ] as const)(
    'P03 that is %s for streams that came later: asked once more, and the socket is kept',
    async (_, said, fail) => {
      let failed = 0;
      const server = await serveSockets((client, control, socket) => {
        if (!isLater(control) || failed++ > 0) acknowledge(client, control, socket);
        else fail(client, control, socket);
      });
      const one = connectTo(server.wsUrl, { timing: { ackTimeoutMs: 100 } });
      await until('it is up', () => one.types().includes('CONNECTION.UP'));
      one.send({ type: 'SUBSCRIBE', streams: ['ethusdt@kline_1m'] });
      await until('it is asked for again', () => server.asked.filter(isLater).length === 2);
      if (said === 'refused') expect(one.oddities).toEqual(['the exchange refused a control message']);
      expect(one.types()).toEqual(['CONNECTION.UP']);
      expect(server.opened()).toBe(1);
    },
  );

  test('P03 that is an error time and again: bounded, and the streams that there are keep their socket', async () => {
    const server = await serveSockets((client, control, socket) =>
      isLater(control) ? refuse(client, control, socket) : acknowledge(client, control, socket),
    );
    const one = connectTo(server.wsUrl, { timing: { ackTimeoutMs: 100 } });
    await until('it is up', () => one.types().includes('CONNECTION.UP'));
    one.send({ type: 'SUBSCRIBE', streams: ['ethusdt@kline_1m'] });
    await until('it is left to its proof', () =>
      one.oddities.includes('control messages are not acknowledged'),
    );
    expect(server.asked.filter(isLater)).toHaveLength(2);
    expect(one.types()).toEqual(['CONNECTION.UP']);
    expect(server.opened()).toBe(1);
  });
});

/** More streams than one socket may carry, on as many sockets as that takes; then all of them are dropped. */
describe('many streams', () => {
  const symbols = Array.from({ length: 72 }, (_, n) => `S${n}USDT`);
  const shards = Math.ceil((symbols.length * INTERVALS.length) / 200);
  let exchange: SimulatedExchange;
  let collector: BinanceDataCollector;
  const opens = () => exchange.log().filter((entry) => entry.kind === 'open');
  const messages = () => exchange.log().filter((entry) => entry.kind === 'message');
  const namesOf = (socket: number): string[] =>
    messages()
      .filter((entry) => entry.socket === socket)
      .flatMap((entry) => (JSON.parse(entry.text ?? '') as Control).params);
  /** Most of these that fell within any second, by the exchange's clock. */
  const mostInASecond = (times: readonly number[]): number =>
    Math.max(...times.map((time) => times.filter((other) => other >= time && other < time + 1_000).length));

  beforeAll(async () => {
    exchange = await startSimulator({ timeScale: 1, symbols });
    collector = new BinanceDataCollector(
      optionsFor(exchange, {
        symbols,
        intervals: INTERVALS,
        connectTimeoutMs: 'never',
        timing: { ...QUICK, silenceMs: 30_000 },
      }),
    );
    await collector.startStreaming();
    await until('all sockets', () => opens().length === shards, 15_000);
    // A socket may be open a moment before it has asked for anything.
    const first = Array.from({ length: shards }, (_, n) => n + 1);
    await until('all of them are subscribed', () => first.every((socket) => namesOf(socket).length > 0));
    exchange.inject({ kind: 'drop', code: 1001 });
    await until('all sockets again', () => opens().length === 2 * shards, 15_000);
    await until('everything is subscribed', () => namesOf(2 * shards).length > 0);
  });
  afterAll(async () => {
    await collector.stop();
    await exchange.close();
  });

  test('P05 are shared out among sockets, far below what one may carry, and each is asked for once', () => {
    expect(shards).toBe(6);
    const names = Array.from({ length: shards }, (_, n) => namesOf(n + 1));
    for (const own of names) expect(own.length).toBeLessThanOrEqual(200);
    const all = names.flat().filter((name) => name.includes('@kline_'));
    expect([all.length, new Set(all).size]).toEqual(Array(2).fill(symbols.length * INTERVALS.length));
    expect(exchange.log().some((entry) => entry.code === 1008)).toBe(false);
  });

  test('P06 are asked for in few messages, five a second and socket at most, each below 4,000 bytes', () => {
    for (let socket = 1; socket <= 2 * shards; socket++) {
      const own = messages().filter((entry) => entry.socket === socket);
      expect(own.length).toBeLessThanOrEqual(3);
      expect(mostInASecond(own.map((entry) => entry.wallMs))).toBeLessThanOrEqual(5);
      for (const entry of own) expect(entry.bytes).toBeLessThanOrEqual(4_000);
    }
  });

  test('C09 whose sockets drop together come back one after the other', () => {
    const again = opens()
      .slice(shards)
      .map((entry) => entry.wallMs);
    expect(again).toHaveLength(shards);
    // What is left of the burst, and then one a second.
    expect(mostInASecond(again)).toBeLessThanOrEqual(5);
    expect(mostInASecond(opens().map((entry) => entry.wallMs))).toBeLessThanOrEqual(5);
    expect(again.at(-1)! - again[0]!).toBeGreaterThan(1_000);
  });
});
