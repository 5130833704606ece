/** What a process sees of an exchange is the same over the network that there is and without one. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExchangeError } from '../../../src/errors.ts';
import type { HttpAnswer } from '../../../src/ports.ts';
import type { Fault } from '../../../src/simulator/index.ts';
import { Ear, type Rig, realRig, virtualRig } from './rigs.ts';

const SUBSCRIBE = JSON.stringify({ method: 'SUBSCRIBE', params: ['btcusdt@kline_1m'], id: 7 });

describe.each([
  ['a network', realRig],
  ['no network', virtualRig],
])('over %s', (_, rigOf) => {
  let rig: Rig;
  let ear: Ear;
  beforeEach(async () => {
    rig = await rigOf({ serverPingMs: 200 });
    ear = new Ear();
  });
  afterEach(() => rig.close());

  const opened = async () => {
    const socket = rig.open(ear);
    await rig.until('open', () => ear.told.includes('opened'));
    return socket;
  };
  const ended = () => rig.until('the end', () => ear.end !== undefined);
  const kinds = () => rig.exchange.log().map(({ kind, code = '' }) => `${kind} ${code}`.trim());

  test('a socket opens, its messages are answered, and pings are answered both ways', async () => {
    const socket = await opened();
    socket.send(SUBSCRIBE);
    await rig.until('the answer', () => ear.texts.includes('{"result":null,"id":7}'));
    expect(ear.told.slice(0, 2)).toEqual(['opened', 'message']);
    socket.ping();
    await rig.until('both', () => ear.told.filter((word) => word === 'heard').length === 2);
    await rig.until('the pong', () => kinds().includes('pong'));
    expect(
      kinds()
        .filter((kind) => kind === 'ping' || kind === 'pong')
        .sort(),
    ).toEqual(['ping', 'pong']);
  });

  test.each<[string, Fault, object]>([
    [
      '503 and when to come again',
      { kind: 'refuse', status: 503, retryAfter: '7' },
      { status: 503, retryAfter: '7' },
    ],
    ['a limit, with its text', { kind: 'refuse', status: 429 }, { status: 429, text: 'Too Many Requests' }],
    ['another place', { kind: 'refuse', status: 302, location: 'ws://elsewhere/' }, { status: 302 }],
    ['a ban', { kind: 'ban', forMs: 60_000 }, { status: 418, retryAfter: '60', text: "I'm a Teapot" }],
  ])('a handshake is answered with %s', async (_what, fault, end) => {
    rig.exchange.inject(fault);
    rig.open(ear);
    await ended();
    const { status } = end as { status: number };
    expect(ear.told).toEqual(['closed 1006']);
    expect(ear.end).toEqual({ code: 1006, reason: `handshake answered with HTTP ${status}`, ...end });
  });

  test('a handshake that is broken off is the end, and so is one that was left waiting', async () => {
    rig.exchange.inject({ kind: 'refuse', status: 0, times: 1 });
    rig.open(ear);
    await ended();
    expect(ear.end).toEqual({ code: 1006, reason: 'socket hang up' });
    ear = new Ear();
    rig.exchange.inject({ kind: 'hangHandshake' });
    rig.open(ear);
    await rig.until('waiting', () => rig.exchange.log().length === 2);
    rig.exchange.clearFaults();
    await ended();
    expect([ear.told, ear.end]).toEqual([['closed 1006'], { code: 1006, reason: 'socket hang up' }]);
  });

  test.each<[string, Fault, object]>([
    ['a close frame', { kind: 'drop', code: 1001, reason: 'bye' }, { code: 1001, reason: 'bye' }],
    ['a break', { kind: 'drop' }, { code: 1006, reason: '' }],
    ['a reset in the middle of a frame', { kind: 'tear', end: 'reset' }, { code: 1006, reason: '' }],
    ['half a frame and its end', { kind: 'tear', end: 'fin' }, { code: 1006, reason: '' }],
    [
      'a frame that is too large',
      { kind: 'malformed', text: 'x'.repeat(1_100_000) },
      { code: 1006, reason: 'Max payload size exceeded' },
    ],
  ])('an open socket ends by %s', async (_what, fault, end) => {
    await opened();
    rig.exchange.inject(fault);
    await ended();
    expect([ear.told.filter((word) => word !== 'heard'), ear.end]).toEqual([
      ['opened', `closed ${ear.end?.code}`],
      end,
    ]);
    await rig.until('the end there', () => rig.exchange.sockets() === 0);
  });

  test('a socket may be slammed as soon as it is open', async () => {
    rig.exchange.inject({ kind: 'slam', code: 1008, times: 1 });
    rig.open(ear);
    await ended();
    expect(ear.told).toEqual(['opened', 'closed 1008']);
  });

  test('too many messages cost the socket', async () => {
    const socket = await opened();
    for (let i = 0; i < 20; i++) socket.send(SUBSCRIBE);
    await ended();
    expect(ear.end).toEqual({ code: 1008, reason: 'Too many requests' });
    await rig.until('our close frame', () => kinds().includes('close 1008'));
    expect(ear.texts.filter((text) => text.includes('"id":7'))).toHaveLength(15);
  });

  test('a close that is asked for is answered, and told once', async () => {
    const socket = await opened();
    socket.close();
    socket.send(SUBSCRIBE);
    socket.close();
    await ended();
    await rig.until('the end there', () => kinds().includes('close 1000'));
    expect([ear.told, ear.end]).toEqual([['opened', 'closed 1000'], { code: 1000, reason: '' }]);
    expect(kinds()).toEqual(['handshake', 'open', 'close 1000']);
  });

  test('a close before it is open is a failed dial', async () => {
    const socket = rig.open(ear);
    socket.close();
    expect(ear.told).toEqual([]);
    await ended();
    expect(ear.end).toEqual({
      code: 1006,
      reason: 'WebSocket was closed before the connection was established',
    });
  });

  test('a socket that is destroyed hears nothing more, and the exchange sees it break', async () => {
    const socket = await opened();
    ear.onWord = () => socket.terminate();
    rig.exchange.inject({ kind: 'malformed', text: 'x', times: 3 });
    await rig.until('the end there', () => kinds().includes('close 1006'));
    expect(ear.told.filter((word) => word !== 'heard').length).toBeLessThanOrEqual(2);
    expect(ear.end).toBeUndefined();
  });

  const failure = async (asked: Promise<HttpAnswer>): Promise<{ code: string; status: number }> => {
    let thrown: unknown;
    void asked.catch((error: unknown) => {
      thrown = error;
    });
    await rig.until('the failure', () => thrown !== undefined);
    if (!(thrown instanceof ExchangeError)) throw thrown;
    return { code: thrown.code, status: thrown.status };
  };

  test('a request is answered: status, headers and body', async () => {
    let answer: HttpAnswer | undefined;
    void rig.get().then((it) => {
      answer = it;
    });
    await rig.until('the answer', () => answer !== undefined);
    expect(answer?.status).toBe(200);
    expect(answer?.headers.get('X-MBX-USED-WEIGHT-1M')).toBe('1');
    expect(Date.parse(answer?.headers.get('date') ?? '')).not.toBeNaN();
    expect(JSON.parse(answer?.text ?? '')).toEqual({ serverTime: expect.any(Number) });
    expect(Buffer.from(answer?.bytes ?? []).toString()).toBe(answer?.text);
  });

  const REST = { kind: 'rest' } as const;
  test.each<[string, Extract<Fault, { kind: 'rest' }>, string, number]>([
    ['silence', { ...REST, hang: 'headers' }, 'HTTP_TIMEOUT', 0],
    ['an answer that is late', { ...REST, delayMs: 3_000 }, 'HTTP_TIMEOUT', 0],
    ['a body that stops', { ...REST, hang: 'body' }, 'HTTP_TIMEOUT', 0],
    ['a body that breaks off', { ...REST, cut: true }, 'HTTP_BROKEN', 0],
    ['a reset', { ...REST, destroy: true }, 'HTTP_BROKEN', 0],
    ['a body that cannot be unpacked', { ...REST, gzip: 'bad' }, 'HTTP_BROKEN', 0],
    ['another place', { ...REST, status: 302, headers: { location: '/' } }, 'HTTP_UNREACHABLE', 0],
    ['too much', { ...REST, status: 503, body: 'x'.repeat(20_000) }, 'HTTP_TOO_LARGE', 503],
  ])('a request that is answered with %s fails', async (_what, fault, code, status) => {
    rig.exchange.inject(fault);
    const timeoutMs = code === 'HTTP_TIMEOUT' ? 200 : 5_000;
    expect(await failure(rig.get({ timeoutMs }))).toEqual({ code, status });
  });

  test('a request ends when its signal is aborted, by the reason of the signal, and when the client is closed', async () => {
    rig.exchange.inject({ kind: 'rest', hang: 'headers' });
    const controller = new AbortController();
    const asked = rig
      .get({ timeoutMs: 60_000, signals: [controller.signal] })
      .catch((error: unknown) => error);
    const other = failure(rig.get({ timeoutMs: 60_000 }));
    await rig.until('both asked', () => rig.exchange.log().length === 2);
    controller.abort('enough');
    expect(await asked).toBe('enough');
    void rig.http.close();
    expect(await other).toEqual({ code: 'HTTP_UNREACHABLE', status: 0 });
    expect(await failure(rig.get())).toEqual({ code: 'HTTP_UNREACHABLE', status: 0 });
  });

  test('four requests are under way at a time', async () => {
    rig.exchange.inject({ kind: 'rest', hang: 'headers', times: 4 });
    const failures = Array.from({ length: 4 }, () => failure(rig.get({ timeoutMs: 300 })));
    let status: number | undefined;
    const waiting = failures[0]?.then(() => 'freed');
    void rig.get().then((answer) => {
      status = answer.status;
    });
    await rig.until('the others', () => rig.exchange.log().length === 4);
    expect(status).toBeUndefined();
    await rig.until('its turn', () => status === 200);
    expect(await waiting).toBe('freed');
    await Promise.all(failures);
  });
});
