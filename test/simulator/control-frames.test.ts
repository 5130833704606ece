import { describe, expect, test } from 'vitest';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually } from './client.ts';

const open = (sim: SimulatedExchange, path = '/market/stream'): Promise<Client> =>
  Client.open(sim.wsUrl + path);
const names = (count: number, tag = 'x'): string[] =>
  Array.from({ length: count }, (_, i) => `${tag}${i}@kline_1m`);

describe('control frames', () => {
  test('are answered as the documentation shows', async () => {
    await using sim = await startSimulator();
    const client = await open(sim);
    const stream = 'btcusdt@kline_1m';
    expect(await client.ask({ method: 'SUBSCRIBE', params: [stream], id: 1 })).toEqual({
      result: null,
      id: 1,
    });
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 3 })).toEqual({ result: [stream], id: 3 });
    expect(await client.ask({ method: 'GET_PROPERTY', params: ['combined'], id: 2 })).toEqual({
      result: true,
      id: 2,
    });
    await eventually(() => client.frames(stream)[0], 'a frame in its envelope');
    expect(await client.ask({ method: 'SET_PROPERTY', params: ['combined', false], id: 5 })).toEqual({
      result: null,
      id: 5,
    });
    await eventually(() => client.texts.some((text) => text.startsWith('{"e":"kline"')), 'a bare frame');
    expect(await client.ask({ method: 'UNSUBSCRIBE', params: [stream, 'never'], id: 9 })).toEqual({
      result: null,
      id: 9,
    });
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 4 })).toEqual({ result: [], id: 4 });
  });

  test('that are wrong get error codes 0 to 3', async () => {
    await using sim = await startSimulator();
    const client = await open(sim);
    const cases: [unknown, number, string, number | undefined][] = [
      [{ method: 'GET_PROPERTY', params: ['nope'], id: 1 }, 0, 'Unknown property', 1],
      [
        { method: 'SET_PROPERTY', params: ['combined', 'yes'], id: 2 },
        1,
        'Invalid value type: expected Boolean',
        2,
      ],
      [{ method: 'GET_PROPERTY', params: [7], id: 3 }, 2, 'property name must be a string', 3],
      [
        { method: 'SUBSCRIBE', params: ['a'], id: 'x' },
        2,
        'request ID must be an unsigned integer',
        undefined,
      ],
      [
        { method: 'SUBSCRIBE', params: ['a'], id: -1 },
        2,
        'request ID must be an unsigned integer',
        undefined,
      ],
      [{ method: 'DANCE', id: 4 }, 2, 'unknown variant DANCE, expected one of `SUBSCRIBE`', 4],
      [{ method: 'GET_PROPERTY', params: ['combined', 1], id: 5 }, 2, 'too many parameters', 5],
      [{ params: ['a'], id: 6 }, 2, 'missing field `method`', 6],
      ['{"method"', 3, 'Invalid JSON', undefined],
    ];
    for (const [message, code, msg, id] of cases) {
      const reply = await client.ask(message);
      expect(reply.error).toEqual({ code, msg: expect.stringContaining(msg) });
      expect(reply.id).toBe(id);
      expect('id' in reply).toBe(id !== undefined);
    }
    expect(client.closed).toBeUndefined();
  });

  test('take 1024 streams; the 1025th gets code 4 and costs the socket', async () => {
    await using sim = await startSimulator();
    const client = await open(sim);
    for (let i = 0; i < 8; i++) {
      const reply = await client.ask({ method: 'SUBSCRIBE', params: names(128, `s${i}x`), id: i });
      expect(reply).toEqual({ result: null, id: i });
    }
    const reply = await client.ask({ method: 'SUBSCRIBE', params: ['one@kline_1m'], id: 99 });
    expect(reply).toEqual({ error: { code: 4, msg: 'Too many subscriptions' }, id: 99 });
    expect(await client.end()).toEqual({ code: 1008, reason: 'Invalid request' });
  });

  test('in a burst are answered fifteen times, then the socket is closed', async () => {
    await using sim = await startSimulator();
    const client = await open(sim);
    for (let id = 0; id < 40; id++) client.send({ method: 'LIST_SUBSCRIPTIONS', id });
    expect(await client.end()).toEqual({ code: 1008, reason: 'Too many requests' });
    expect(client.replies().length).toBe(15);
  });

  test('above 4096 bytes are cut, which makes them no JSON', async () => {
    await using sim = await startSimulator();
    const client = await open(sim);
    const wide = JSON.stringify({ method: 'SUBSCRIBE', params: names(300), id: 1 });
    expect(Buffer.byteLength(wide)).toBeGreaterThan(4096);
    expect(await client.ask(wide)).toEqual({
      error: { code: 3, msg: 'Invalid JSON: EOF while parsing a value at line 1 column 4096' },
    });
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 2 })).toEqual({ result: [], id: 2 });
  });

  test('name streams that do not exist, which is acknowledged and listed, and stays silent', async () => {
    await using sim = await startSimulator();
    const client = await open(sim);
    const params = [
      'BTCUSDT@kline_1m',
      'nosuch@kline_1m',
      'btcusdt@kline_1s',
      'btcusdt@nothing',
      'btcusdt@kline_1H',
    ];
    expect(await client.ask({ method: 'SUBSCRIBE', params, id: 1 })).toEqual({ result: null, id: 1 });
    expect((await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 2 })).result).toEqual(params);
    await client.ask({ method: 'SUBSCRIBE', params: ['btcusdt@kline_1m'], id: 3 });
    await eventually(() => client.frames().length > 3, 'frames');
    expect(new Set(client.frames().map((frame) => frame.stream))).toEqual(new Set(['btcusdt@kline_1m']));
  });
});

describe('paths', () => {
  test('without a route open and acknowledge and stay mute', async () => {
    await using sim = await startSimulator();
    const old = await open(sim, '/stream?streams=btcusdt@kline_1m');
    const raw = await open(sim, '/ws/btcusdt@kline_1m');
    expect(await old.ask({ method: 'SUBSCRIBE', params: ['ethusdt@kline_1m'], id: 1 })).toEqual({
      result: null,
      id: 1,
    });
    const routed = await open(sim, '/market/ws/btcusdt@kline_1m/ethusdt@kline_1m');
    await eventually(() => routed.texts.length > 4, 'frames on the market route');
    expect(routed.texts.every((text) => text.startsWith('{"e":"kline"'))).toBe(true);
    expect((await old.ask({ method: 'LIST_SUBSCRIPTIONS', id: 2 })).result).toHaveLength(2);
    expect(old.frames()).toEqual([]);
    expect(raw.texts).toEqual([]);
  });

  test('that do not exist are answered 404', async () => {
    await using sim = await startSimulator();
    for (const path of [
      '/stream/btcusdt@kline_1m',
      '/market/stream/x',
      '/market',
      '/',
      '/public/ws',
      '/wsx',
    ]) {
      const client = new Client(sim.wsUrl + path);
      expect(await eventually(() => client.status, path)).toBe(404);
    }
    expect(sim.sockets()).toBe(0);
  });

  test('with a foreign Host or Origin are refused', async () => {
    await using sim = await startSimulator();
    const url = `${sim.wsUrl}/market/stream`;
    const page = new Client(url, { origin: 'https://evil.example' });
    expect(await eventually(() => page.status, 'a refusal')).toBe(403);
    const rebound = new Client(url, { headers: { host: 'evil.example' } });
    expect(await eventually(() => rebound.status, 'a refusal')).toBe(403);
    const local = new Client(url, { origin: 'http://localhost:8787' });
    await eventually(() => local.socket.readyState === local.socket.OPEN, 'the handshake');
  });
});

describe('keep-alive', () => {
  test('pings with a time and answers the pings of the client', async () => {
    await using sim = await startSimulator({ serverPingMs: 30 });
    const client = await open(sim);
    const ping = await eventually(() => client.pings[0], 'a ping');
    expect(Math.abs(Number(ping) - sim.now())).toBeLessThan(600_000);
    client.socket.ping('hello');
    await eventually(() => client.pongs === 1, 'a pong');
    const kinds = await eventually(() => {
      const seen = new Set(sim.log().map((entry) => entry.kind));
      return seen.has('pong') && seen.has('ping') && seen;
    }, 'both in the log');
    expect(kinds).toEqual(new Set(['handshake', 'open', 'ping', 'pong']));
  });
});
