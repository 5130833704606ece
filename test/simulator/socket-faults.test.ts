import { describe, expect, test } from 'vitest';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, getJson, HandClock } from './client.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 1, 3, 12);
const btc = 'btcusdt@kline_1m';
const eth = 'ethusdt@kline_1m';

/** An exchange at 12:00:20 whose time moves by hand. */
async function still(options = {}): Promise<{ sim: SimulatedExchange; clock: HandClock }> {
  const clock = new HandClock(noon + 20_000);
  return { sim: await startSimulator({ clock, startTime: noon + 20_000, timeScale: 1, ...options }), clock };
}
const open = (sim: SimulatedExchange, ...names: string[]): Promise<Client> =>
  Client.open(`${sim.wsUrl}/market/stream?streams=${names.join('/')}`);

describe('connections', () => {
  test('are closed with 1001 when their time is over', async () => {
    const { sim, clock } = await still({ lifetimeMs: 90_000 });
    await using _ = sim;
    const old = await open(sim, btc);
    clock.move(60_000);
    const young = await open(sim, btc);
    clock.move(29_000);
    expect(old.closed).toBeUndefined();
    clock.move(1000);
    expect((await old.end()).code).toBe(1001);
    expect(young.closed).toBeUndefined();
    clock.move(60_000);
    expect((await young.end()).code).toBe(1001);
  });

  test('live 24 hours unless told otherwise, and not longer than a timer can wait', async () => {
    const { sim, clock } = await still({ serverPingMs: 25 * 3_600_000 });
    await using _ = sim;
    const client = await open(sim);
    clock.move(24 * 3_600_000 - 1);
    await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 1 });
    clock.move(1);
    expect((await client.end()).code).toBe(1001);
    await expect(startSimulator({ lifetimeMs: 2 ** 31 })).rejects.toThrow(/lifetimeMs/);
  });

  test('are closed with 1008 when no ping is answered in time', async () => {
    const { sim, clock } = await still({ serverPingMs: 60_000, pongTimeoutMs: 90_000 });
    await using _ = sim;
    const client = await open(sim);
    for (let i = 1; i <= 3; i++) {
      clock.move(60_000);
      await eventually(() => sim.log().filter(({ kind }) => kind === 'pong').length === i, 'a pong');
    }
    client.socket.pause();
    clock.move(149_999);
    expect(sim.sockets()).toBe(1);
    clock.move(1);
    client.socket.resume();
    expect(await client.end()).toEqual({ code: 1008, reason: '' });
  });

  test('are told by number, with their streams and age', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    await open(sim, btc, eth, 'nonsense');
    clock.move(1500);
    const second = await open(sim);
    const connections = [
      { socket: 1, streams: 3, ageMs: 1500 },
      { socket: 2, streams: 0, ageMs: 0 },
    ];
    expect(sim.connections()).toEqual(connections);
    expect(await getJson(`${sim.controlUrl}/state`)).toMatchObject({ sockets: 2, connections });
    second.socket.close();
    await eventually(() => sim.connections().length === 1, 'its end');
  });

  test('get a notice, and are closed after it if that is asked for', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const [one, two] = [await open(sim, btc), await open(sim)];
    sim.inject({ kind: 'notice' });
    sim.inject({ kind: 'notice', event: 'somethingNew', closeAfterMs: 5000 });
    const later = await open(sim);
    const texts = ['serverShutdown', 'somethingNew'].map((e) => JSON.stringify({ e, E: sim.now() }));
    for (const client of [one, two]) {
      await eventually(() => client.texts.length === 2, 'two notices');
      expect(client.texts).toEqual(texts);
    }
    clock.move(4999);
    await one.ask({ method: 'LIST_SUBSCRIPTIONS', id: 1 });
    clock.move(1);
    expect([(await one.end()).code, (await two.end()).code]).toEqual([1001, 1001]);
    await later.ask({ method: 'LIST_SUBSCRIPTIONS', id: 1 });
  });

  test.each(['fin', 'reset'] as const)('are torn in the middle of a frame: %s', async (end) => {
    const { sim } = await still();
    await using _ = sim;
    const [one, two] = [await open(sim, btc), await open(sim, btc)];
    sim.inject({ kind: 'tear', end, sockets: 1 });
    expect((await one.end()).code).toBe(1006);
    expect(one.texts).toEqual([]);
    await eventually(() => sim.sockets() === 1, 'the end of one');
    expect(two.closed).toBeUndefined();
    sim.inject({ kind: 'tear' });
    expect((await two.end()).code).toBe(1006);
  });

  test('dribble: bytes come one after the other, and all at once when it is over', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const [slow, quick] = [await open(sim), await open(sim)];
    sim.inject({ kind: 'dribble', bytesPerSecond: 4, sockets: [1], forMs: 60_000 });
    const list = { method: 'LIST_SUBSCRIPTIONS', id: 1 };
    slow.send(list);
    await quick.ask(list);
    await eventually(() => sim.log().filter(({ kind }) => kind === 'message').length === 2, 'both messages');
    // A reply of 20 bytes has a frame of 22: five and a half seconds.
    clock.move(5250);
    await quick.ask(list);
    expect(slow.texts).toEqual([]);
    clock.move(250);
    await eventually(() => slow.texts.length === 1, 'the whole frame');
    const fresh = await open(sim);
    await fresh.ask(list);
    slow.send(list);
    await eventually(() => sim.log().filter(({ kind }) => kind === 'message').length === 5, 'its message');
    clock.move(1000);
    sim.clearFaults();
    await eventually(() => slow.texts.length === 2, 'the rest of it');
    await slow.ask(list);
    slow.send(list);
    expect(slow.closed).toBeUndefined();
  });

  test('are half open one by one', async () => {
    const { sim } = await still();
    await using _ = sim;
    const [one, two] = [await open(sim), await open(sim)];
    sim.inject({ kind: 'halfOpen', sockets: [2] });
    one.socket.ping();
    two.socket.ping();
    await eventually(() => one.pongs === 1, 'a pong');
    expect(two.pongs).toBe(0);
    sim.clearFaults();
    await eventually(() => two.pongs === 1, 'a pong');
  });
});

describe('handshakes', () => {
  test('are answered with a redirect', async () => {
    const { sim } = await still();
    await using _ = sim;
    sim.inject({ kind: 'refuse', status: 302, location: 'ws://127.0.0.1:9/market/stream', times: 1 });
    const client = new Client(`${sim.wsUrl}/market/stream`);
    await eventually(() => client.status, 'a status');
    expect([client.status, client.location]).toEqual([302, 'ws://127.0.0.1:9/market/stream']);
  });

  test('succeed and the socket is closed at once', async () => {
    const { sim } = await still();
    await using _ = sim;
    sim.inject({ kind: 'slam', code: 1008, times: 1 });
    sim.inject({ kind: 'slam', times: 1 });
    const one = new Client(`${sim.wsUrl}/market/stream`);
    expect((await one.end()).code).toBe(1008);
    const two = new Client(`${sim.wsUrl}/market/stream`);
    expect((await two.end()).code).toBe(1006);
    await open(sim);
    const statuses = sim.log().filter(({ kind }) => kind === 'handshake');
    expect(statuses.map(({ status }) => status)).toEqual([101, 101, 101]);
  });
});

describe('mute', () => {
  const seen = (client: Client, name: string): number => client.frames(name).length;
  /** Moves a minute, so that every stream has something to say, and waits until `reader` heard it. */
  const pass = async (clock: HandClock, reader: Client, name: string): Promise<void> => {
    const before = seen(reader, name);
    clock.move(MINUTE);
    await eventually(() => seen(reader, name) > before + 2, 'frames');
    await reader.ask({ method: 'LIST_SUBSCRIPTIONS', id: 9 });
  };

  test('strikes the sockets that are meant', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const [one, two] = [await open(sim, btc), await open(sim, btc)];
    sim.inject({ kind: 'mute', sockets: 1 });
    await pass(clock, two, btc);
    expect(seen(one, btc)).toBe(0);
    sim.clearFaults();
    sim.inject({ kind: 'mute', sockets: 'open', streams: [btc] });
    const three = await open(sim, btc);
    const before = [seen(one, btc), seen(two, btc)];
    await pass(clock, three, btc);
    expect([seen(one, btc), seen(two, btc)]).toEqual(before);
    sim.clearFaults();
    sim.inject({ kind: 'mute', sockets: [4] });
    const four = await open(sim, btc);
    await pass(clock, three, btc);
    expect(seen(four, btc)).toBe(0);
  });

  test('ends for a stream when it is unsubscribed and subscribed again', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const client = await open(sim, btc, eth);
    sim.inject({ kind: 'mute', until: 'resubscribe', streams: [btc, eth] });
    const fresh = await open(sim, btc, 'solusdt@kline_1m');
    await client.ask({ method: 'SUBSCRIBE', params: [btc], id: 1 });
    await pass(clock, fresh, 'solusdt@kline_1m');
    expect([seen(client, btc), seen(client, eth), seen(fresh, btc)]).toEqual([0, 0, 0]);
    await client.ask({ method: 'UNSUBSCRIBE', params: [btc], id: 2 });
    await client.ask({ method: 'SUBSCRIBE', params: [btc], id: 3 });
    await pass(clock, client, btc);
    expect([seen(client, eth), seen(fresh, btc)]).toEqual([0, 0]);
    sim.inject({ kind: 'mute', until: 'resubscribe', streams: [btc] });
    const before = seen(client, btc);
    await pass(clock, fresh, 'solusdt@kline_1m');
    expect(seen(client, btc)).toBe(before);
  });

  test('ends with the socket', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const client = await open(sim, btc);
    sim.inject({ kind: 'mute', until: 'reconnect' });
    const fresh = await open(sim, btc);
    await client.ask({ method: 'UNSUBSCRIBE', params: [btc], id: 2 });
    await client.ask({ method: 'SUBSCRIBE', params: [btc], id: 3 });
    await pass(clock, fresh, btc);
    expect(seen(client, btc)).toBe(0);
  });
});
