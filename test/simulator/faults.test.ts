import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FAULT_KINDS, type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, get } from './client.ts';

const startTime = Date.UTC(2026, 1, 3, 12, 0, 20);
const fast = { startTime, timeScale: 1200 };
const stream = 'btcusdt@kline_1m';
const open = (sim: SimulatedExchange): Promise<Client> =>
  Client.open(`${sim.wsUrl}/market/stream?streams=${stream}`);
const next = async (client: Client, count = 3): Promise<void> => {
  const seen = client.frames().length;
  await eventually(() => client.frames().length >= seen + count, 'more frames');
};

describe('faults', () => {
  test('are these kinds', () => {
    const kinds =
      'absent ban closes dribble drop errorAck halfOpen hangHandshake lag malformed mute noAck noCloseAnswer ' +
      'noPong notice outage refuse replay rest revise slam symbol tear weight';
    expect([...FAULT_KINDS].sort()).toEqual(kinds.split(' '));
    const docs = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
    expect(FAULT_KINDS.filter((kind) => !docs.includes(`\n| \`${kind}\` `))).toEqual([]);
  });

  test('drop ends sockets with a code, or without any', async () => {
    await using sim = await startSimulator(fast);
    const [one, two, three] = [await open(sim), await open(sim), await open(sim)];
    sim.inject({ kind: 'drop', sockets: 2, code: 1001, reason: 'going away' });
    expect(await two.end()).toEqual({ code: 1001, reason: 'going away' });
    expect([one.closed, three.closed]).toEqual([undefined, undefined]);
    sim.inject({ kind: 'drop' });
    expect((await one.end()).code).toBe(1006);
    expect((await three.end()).code).toBe(1006);
    await eventually(() => sim.sockets() === 0, 'no socket');
    await next(await open(sim));
  });

  test('halfOpen leaves sockets open but dead, and new ones alive', async () => {
    await using sim = await startSimulator(fast);
    const client = await open(sim);
    await next(client);
    sim.inject({ kind: 'halfOpen' });
    const seen = client.texts.length;
    client.socket.ping();
    client.send({ method: 'LIST_SUBSCRIPTIONS', id: 1 });
    const fresh = await open(sim);
    await next(fresh, 8);
    expect(client.texts.length - seen).toBeLessThanOrEqual(1);
    expect([client.pongs, client.closed, client.replies()]).toEqual([0, undefined, []]);
    expect(sim.sockets()).toBe(2);
    sim.clearFaults();
    await eventually(() => client.pongs === 1 && client.replies().length === 1, 'its revival');
    await next(client);
    sim.inject({ kind: 'halfOpen', forMs: 50 });
    client.socket.ping();
    await eventually(() => client.pongs === 2, 'its revival by itself');
    await next(client);
  });

  test('mute stops the data of a stream, and nothing else', async () => {
    await using sim = await startSimulator(fast);
    const client = await open(sim);
    await client.ask({ method: 'SUBSCRIBE', params: ['ethusdt@kline_1m'], id: 1 });
    sim.inject({ kind: 'mute', streams: [stream] });
    const seen = client.frames(stream).length;
    const others = client.frames('ethusdt@kline_1m').length;
    await eventually(() => client.frames('ethusdt@kline_1m').length > others + 10, 'the other stream');
    expect(client.frames(stream).length - seen).toBeLessThanOrEqual(1);
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 2 })).toMatchObject({ id: 2 });
    client.socket.ping();
    await eventually(() => client.pongs === 1, 'a pong');
    sim.clearFaults();
    await eventually(() => client.frames(stream).length > seen + 2, 'the stream again');
  });

  test('refuse answers handshakes with a status, a Retry-After, or not at all', async () => {
    await using sim = await startSimulator(fast);
    sim.inject({ kind: 'refuse', status: 429, retryAfter: '7', times: 1 });
    sim.inject({ kind: 'refuse', status: 0, times: 1 });
    sim.inject({ kind: 'refuse', times: 1 });
    const url = `${sim.wsUrl}/market/stream`;
    const limited = new Client(url);
    await eventually(() => limited.status, 'a status');
    expect([limited.status, limited.retryAfter]).toEqual([429, '7']);
    const destroyed = new Client(url);
    expect((await destroyed.end()).code).toBe(1006);
    expect(destroyed.status).toBeUndefined();
    const refused = new Client(url);
    expect(await eventually(() => refused.status, 'a status')).toBe(503);
    await open(sim);
    const statuses = sim.log().filter((entry) => entry.kind === 'handshake');
    expect(statuses.map((entry) => entry.status)).toEqual([429, 0, 503, 101]);
  });

  test('hangHandshake never answers', async () => {
    await using sim = await startSimulator(fast);
    sim.inject({ kind: 'hangHandshake', times: 1 });
    const client = new Client(`${sim.wsUrl}/market/stream`);
    await eventually(() => sim.log().length === 1, 'the request');
    await next(await open(sim));
    expect([client.status, client.closed]).toEqual([undefined, undefined]);
    sim.clearFaults();
    expect((await client.end()).code).toBe(1006);
  });

  test('malformed sends garbage once, or before each n-th frame', async () => {
    await using sim = await startSimulator(fast);
    const client = await open(sim);
    sim.inject({ kind: 'malformed', text: 'garbage' });
    await eventually(() => client.texts.includes('garbage'), 'garbage');
    sim.inject({ kind: 'malformed', every: 2 });
    const before = client.frames.length;
    await eventually(() => client.binary.length > 0 && client.texts.includes('null'), 'several kinds');
    expect(client.closed).toBeUndefined();
    expect(client.texts.length).toBeGreaterThan(before);
    const raw = await Client.open(`${sim.wsUrl}/market/stream`);
    sim.clearFaults();
    sim.inject({ kind: 'malformed', text: '[', times: 3 });
    await eventually(() => raw.texts.length === 3, 'three at once');
  });

  test('closes are left out, doubled or late', async () => {
    await using sim = await startSimulator(fast);
    const client = await open(sim);
    const opens = (): number[] => client.closes(stream).map((frame) => frame.data.k.t);
    await eventually(() => opens().length > 1, 'closes');
    sim.inject({ kind: 'closes', mode: 'omit', times: 2 });
    await eventually(
      () => opens().some((t, i) => i > 0 && t - (opens()[i - 1] as number) === 180_000),
      'a hole of two',
    );
    sim.inject({ kind: 'closes', mode: 'duplicate', streams: [stream], times: 1 });
    await eventually(() => opens().some((t, i) => i > 0 && t === opens()[i - 1]), 'a double');
    sim.inject({ kind: 'closes', mode: 'delay', delayMs: 150_000, times: 1 });
    await eventually(() => opens().some((t, i) => i > 0 && t < (opens()[i - 1] as number)), 'a late one');
    const late = client
      .closes(stream)
      .find((frame, i, all) => i > 0 && frame.data.k.t < (all[i - 1]?.data.k.t ?? 0));
    expect((late?.data.E ?? 0) - (late?.data.k.T ?? 0)).toBeGreaterThanOrEqual(150_000);
    const seen = opens().length;
    sim.inject({ kind: 'closes', mode: 'omit', streams: ['other@kline_1m'] });
    await eventually(() => opens().length > seen + 2, 'closes that are not meant');
  });

  test('noCloseAnswer leaves the closing handshake without an answer', async () => {
    await using sim = await startSimulator(fast);
    const client = await open(sim);
    sim.inject({ kind: 'noCloseAnswer' });
    client.socket.close(1000);
    const fresh = await open(sim);
    await next(fresh, 10);
    expect(client.closed).toBeUndefined();
    sim.clearFaults();
    fresh.socket.close(1000);
    expect((await fresh.end()).code).toBe(1000);
    client.socket.terminate();
  });

  test('noPong, noAck and errorAck spoil the answers of the control frames', async () => {
    await using sim = await startSimulator(fast);
    const client = await Client.open(`${sim.wsUrl}/market/stream`);
    sim.inject({ kind: 'noPong', times: 1 });
    sim.inject({ kind: 'noAck', times: 1 });
    client.socket.ping();
    client.send({ method: 'SUBSCRIBE', params: [stream], id: 1 });
    await next(client);
    expect([client.pongs, client.replies()]).toEqual([0, []]);
    client.socket.ping();
    await eventually(() => client.pongs === 1, 'a pong');
    sim.inject({ kind: 'errorAck', code: 2, msg: 'Invalid request: no', times: 1 });
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 2 })).toEqual({
      error: { code: 2, msg: 'Invalid request: no' },
      id: 2,
    });
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 3 })).toEqual({ result: [stream], id: 3 });
  });

  test('rest spoils HTTP answers of a path', async () => {
    await using sim = await startSimulator(fast);
    const time = `${sim.restUrl}/fapi/v1/time`;
    sim.inject({ kind: 'rest', path: '/fapi/v1/time', status: 503, times: 1 });
    expect((await get(`${sim.restUrl}/fapi/v1/ping`)).status).toBe(200);
    expect((await get(time)).status).toBe(503);
    sim.inject({
      kind: 'rest',
      status: 403,
      body: '<html>',
      contentType: 'text/html',
      headers: { 'Retry-After': '3' },
      times: 1,
    });
    const html = await get(time);
    expect([
      html.status,
      html.text,
      html.headers.get('content-type'),
      html.headers.get('retry-after'),
    ]).toEqual([403, '<html>', 'text/html', '3']);
    sim.inject({ kind: 'rest', body: { serverTime: 'late' }, times: 1 });
    expect(JSON.parse((await get(time)).text)).toEqual({ serverTime: 'late' });
    sim.inject({ kind: 'rest', delayMs: 120, times: 1 });
    const before = performance.now();
    expect((await get(time)).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(100);
    for (const hang of ['headers', 'body'] as const) {
      sim.inject({ kind: 'rest', hang, times: 1 });
      const response = fetch(time, { signal: AbortSignal.timeout(150) }).then((answer) => answer.text());
      await expect(response).rejects.toThrow(/timeout/);
    }
    expect((await get(time)).status).toBe(200);
  });

  test('end by themselves after their time', async () => {
    await using sim = await startSimulator(fast);
    sim.inject({ kind: 'rest', status: 500, forMs: 400 });
    expect((await get(`${sim.restUrl}/fapi/v1/ping`)).status).toBe(500);
    const end = performance.now() + 400;
    await eventually(() => performance.now() > end, 'the end of the fault');
    expect((await get(`${sim.restUrl}/fapi/v1/ping`)).status).toBe(200);
  });

  test('that make no sense are refused', async () => {
    await using sim = await startSimulator(fast);
    expect(() => sim.inject({ kind: 'drop', code: 1006 })).toThrow(/close frame/);
    expect(() => sim.inject({ kind: 'nonsense' } as never)).toThrow();
  });
});
