/** What befalls the way between a simulated process and the exchange. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ExchangeError } from '../../../src/errors.ts';
import { Ear, EPOCH, type VirtualRig, virtualRig } from './rigs.ts';

const SUBSCRIBE = JSON.stringify({ method: 'SUBSCRIBE', params: ['btcusdt@kline_1m'], id: 7 });

let rig: VirtualRig;
let ear: Ear;
beforeEach(async () => {
  rig = await virtualRig();
  ear = new Ear();
});
afterEach(() => rig.close());

const openSocket = async (hearer = ear) => {
  const socket = rig.open(hearer);
  await rig.until('open', () => hearer.told.includes('opened'));
  return socket;
};
const streaming = async () => {
  const socket = await openSocket();
  socket.send(SUBSCRIBE);
  await rig.until('frames', () => ear.texts.length >= 3);
  return socket;
};
const say = (text: string): void => rig.exchange.inject({ kind: 'malformed', text, times: 1 });
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'answered',
    (error: ExchangeError) => error.code,
  );

describe('a way without faults', () => {
  test('brings what is sent at one moment together, in order, after its latency', async () => {
    await openSocket();
    rig.network.setLatency(50, 30);
    const arrivals: number[] = [];
    ear.onWord = () => arrivals.push(rig.world.now());
    const at = rig.world.now();
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`);
    for (const text of texts) say(text);
    await rig.pass(49);
    expect(ear.texts).toEqual([]);
    await rig.pass(31);
    expect(ear.texts).toEqual(texts);
    expect(new Set(arrivals).size).toBe(1);
    expect(arrivals[0]).toBeLessThanOrEqual(at + 80);
  });

  test('keeps the order although one message would be faster than the one before', async () => {
    await openSocket();
    rig.network.setLatency(5, 500);
    const texts = Array.from({ length: 50 }, (_, i) => `${i}`);
    for (const text of texts) {
      say(text);
      await rig.pass(7);
    }
    await rig.pass(600);
    expect(ear.texts).toEqual(texts);
  });

  test('is the same for the same dice, event by event, and another for others', async () => {
    const tell = async (dice: number): Promise<string[]> => {
      const one = await virtualRig({ dice, symbols: ['BTCUSDT'] });
      const events: string[] = [];
      const hearer = new Ear();
      hearer.onWord = () => events.push(`${one.world.now()} ${hearer.told.length} ${hearer.texts.at(-1)}`);
      const socket = one.open(hearer);
      await one.until('open', () => hearer.told.length > 0);
      socket.send(SUBSCRIBE);
      one.exchange.inject({ kind: 'rest', delayMs: 700, times: 1 });
      for (let i = 0; i < 5; i++) {
        const asked = one.get({ path: '/fapi/v1/klines?symbol=BTCUSDT&interval=1m' });
        void codeOf(asked).then((code) => events.push(`${one.world.now()} ${code}`));
      }
      await one.pass(300_000);
      await one.close();
      return events;
    };
    const events = await tell(1);
    expect(events.length).toBeGreaterThan(40);
    expect(await tell(1)).toEqual(events);
    expect(await tell(2)).not.toEqual(events);
  });

  test('is counted: dials with their times, open sockets, requests', async () => {
    const socket = await openSocket();
    await rig.pass(1_000);
    rig.open(new Ear());
    await Promise.all([rig.get(), rig.get(), rig.pass(100)]);
    expect(rig.network.dials.map(({ at }) => at)).toEqual([0, rig.world.now() - 100]);
    expect([rig.network.openSockets(rig.life), rig.network.requests]).toEqual([2, 2]);
    socket.terminate();
    expect(rig.network.openSockets(rig.life)).toBe(1);
  });
});

describe('a way with faults', () => {
  test('a name that cannot be looked up, and an address at which nobody listens, fail dials and requests', async () => {
    rig.network.dnsFails(1_000);
    rig.open(ear);
    const nameless = codeOf(rig.get());
    await rig.pass(1_000);
    expect(ear.end).toEqual({ code: 1006, reason: 'getaddrinfo ENOTFOUND exchange' });
    rig.network.refuseConnections(1_000);
    ear = new Ear();
    rig.open(ear);
    const refused = codeOf(rig.get());
    await rig.pass(1_000);
    expect(ear.end).toEqual({ code: 1006, reason: 'connect ECONNREFUSED exchange' });
    expect(await Promise.all([nameless, refused])).toEqual(['HTTP_UNREACHABLE', 'HTTP_UNREACHABLE']);
    await openSocket(new Ear());
  });

  test('that is clogged loses nothing: it comes afterwards, both ways', async () => {
    const socket = await streaming();
    const before = ear.texts.length;
    rig.network.clog([1], 60_000);
    socket.ping();
    await rig.pass(59_000);
    expect([ear.texts.length, rig.exchange.log().filter(({ kind }) => kind === 'ping').length]).toEqual([
      before,
      0,
    ]);
    await rig.pass(2_000);
    const stamps = ear.texts.slice(before).map((text) => JSON.parse(text).data.E as number);
    expect(stamps.length).toBeGreaterThan(7);
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
    expect(rig.exchange.log().filter(({ kind }) => kind === 'ping')).toHaveLength(1);
    await rig.pass(100);
    expect(ear.told).toContain('heard');
  });

  test('that has forgotten a connection tells neither end; the exchange gives it up when no pong comes', async () => {
    await rig.close();
    rig = await virtualRig({ serverPingMs: 30_000, pongTimeoutMs: 60_000 });
    const socket = await streaming();
    const told = ear.told.length;
    rig.network.blackhole('all');
    socket.ping();
    await rig.pass(80_000);
    expect([ear.told.length, rig.exchange.sockets()]).toEqual([told, 1]);
    await rig.pass(70_000);
    expect([ear.told.length, rig.exchange.sockets()]).toEqual([told, 0]);
    socket.terminate();
    expect(rig.network.openSockets(rig.life)).toBe(0);
  });

  test('that is cut lets dials and requests wait, until they give up or it is whole again', async () => {
    rig.network.cutOff(9_000);
    rig.open(ear);
    const [patient, hasty] = [codeOf(rig.get({ timeoutMs: 20_000 })), codeOf(rig.get({ timeoutMs: 3_000 }))];
    await rig.pass(8_000);
    expect([ear.told, rig.exchange.log()]).toEqual([[], []]);
    await rig.pass(2_000);
    expect([ear.told, await patient, await hasty]).toEqual([['opened'], 'answered', 'HTTP_TIMEOUT']);
    rig.network.cutOff(60_000);
    const late = new Ear();
    rig.open(late);
    const lost = codeOf(rig.get({ timeoutMs: 60_000 }));
    await rig.pass(60_000);
    expect(late.end).toEqual({ code: 1006, reason: 'Opening handshake has timed out' });
    expect(await lost).toBe('HTTP_UNREACHABLE');
  });

  test('to an exchange that is half open takes what is sent, and nothing comes; new sockets work', async () => {
    const socket = await streaming();
    rig.exchange.inject({ kind: 'halfOpen', forMs: 60_000 });
    const told = ear.told.length;
    await rig.pass(100);
    socket.ping();
    await rig.pass(30_000);
    expect(ear.told.length).toBeLessThanOrEqual(told + 1);
    await openSocket(new Ear());
    await rig.pass(60_000);
    expect(ear.told).toContain('heard');
  });

  test('a socket that dribbles lets its bytes out slowly, and all at once when that is over', async () => {
    await openSocket();
    rig.exchange.inject({ kind: 'dribble', bytesPerSecond: 10, forMs: 10_000 });
    for (let i = 0; i < 20; i++) say('0123456789'.repeat(5));
    await rig.pass(9_000);
    expect(ear.texts).toHaveLength(1);
    await rig.pass(1_100);
    expect(ear.texts).toHaveLength(20);
  });

  test('a process that reads too slowly is cut off when too much waits for it', async () => {
    const socket = await streaming();
    const shout = (times: number): void =>
      rig.exchange.inject({ kind: 'malformed', text: 'x'.repeat(1_000_000), times });
    for (let i = 0; i < 4; i++) {
      shout(20);
      await rig.pass(20_000);
    }
    expect(rig.exchange.sockets()).toBe(1);
    rig.network.clog('all', 30_000);
    shout(70);
    await rig.pass(20_000);
    expect([rig.exchange.sockets(), ear.end]).toEqual([0, undefined]);
    await rig.pass(11_000);
    expect(ear.end).toEqual({ code: 1006, reason: '' });
    socket.terminate();
  });
});

describe('an exchange that does not answer', () => {
  test('a handshake ends it after half a minute', async () => {
    rig.exchange.inject({ kind: 'hangHandshake' });
    rig.open(ear);
    await rig.pass(29_000);
    expect(ear.told).toEqual([]);
    await rig.pass(2_000);
    expect(ear.end).toEqual({ code: 1006, reason: 'Opening handshake has timed out' });
  });

  test('a close frame is left for ten seconds; frames come meanwhile, and then it breaks', async () => {
    const socket = await streaming();
    rig.exchange.inject({ kind: 'noCloseAnswer' });
    const before = ear.texts.length;
    socket.close();
    await rig.pass(9_900);
    expect(ear.texts.length).toBeGreaterThan(before);
    expect(ear.end).toBeUndefined();
    await rig.pass(200);
    expect(ear.end).toEqual({ code: 1006, reason: '' });
    expect(rig.exchange.log().at(-1)).toMatchObject({ kind: 'close', code: 1000 });
  });

  test('a ping is not heard of', async () => {
    rig.exchange.inject({ kind: 'noPong' });
    const socket = await openSocket();
    socket.ping();
    await rig.pass(5_000);
    expect([ear.told, rig.exchange.log().at(-1)?.kind]).toEqual([['opened'], 'ping']);
  });

  test('a request breaks off after half a minute of nothing', async () => {
    for (const hang of ['headers', 'body'] as const) rig.exchange.inject({ kind: 'rest', hang, times: 1 });
    const asked = [codeOf(rig.get({ timeoutMs: 60_000 })), codeOf(rig.get({ timeoutMs: 60_000 }))];
    await rig.pass(31_000);
    expect((await Promise.all(asked)).sort()).toEqual(['HTTP_BROKEN', 'HTTP_UNREACHABLE']);
  });
});

describe('a process', () => {
  test('that stands still comes to its messages afterwards, in order, and is cut off by nobody', async () => {
    await streaming();
    const before = ear.texts.length;
    rig.life.freeze(60_000);
    await rig.pass(59_000);
    expect(ear.texts.length).toBe(before);
    await rig.pass(2_000);
    const stamps = ear.texts.slice(before).map((text) => JSON.parse(text).data.E as number);
    expect(stamps.length).toBeGreaterThan(7);
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
    expect(stamps[0]).toBeLessThan(EPOCH + rig.world.now() - 50_000);
  });

  test('that dies hears nothing more, and the exchange sees its sockets break', async () => {
    await streaming();
    rig.open(new Ear());
    const told = ear.told.length;
    let settled = false;
    void codeOf(rig.get()).then(() => {
      settled = true;
    });
    rig.life.kill();
    await rig.pass(60_000);
    expect([ear.told.length, settled, rig.exchange.sockets()]).toEqual([told, false, 0]);
    expect(rig.exchange.log().at(-1)).toMatchObject({ kind: 'close', code: 1006 });
    expect(rig.network.openSockets(rig.life)).toBe(0);
  });
});
