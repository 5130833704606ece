import { afterEach, describe, expect, test } from 'vitest';
import { type Stamp, socketActor } from '../../src/actors/socket.ts';
import type { SocketHandlers } from '../../src/ports.ts';
import { at, BTC, ETH, frame, rig } from '../pipeline/candles.ts';
import { FakeClock } from '../transport/fake-clock.ts';
import { host } from './harness.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const ACK_TIMEOUT_MS = 10_000;

/** A socket actor on a socket that is written down; nothing is dialled. */
function connect() {
  const clock = new FakeClock();
  const { pipeline, story } = rig({ exchangeNow: at(1) });
  const sent: { at: number; text: string }[] = [];
  const calls: string[] = [];
  const oddities: { message: string; fields: object }[] = [];
  const events: unknown[][] = [];
  const refusals: unknown[][] = [];
  const stamps = new Map<string, Stamp>();
  let handlers: SocketHandlers | undefined;
  let url = '';
  const actor = host(
    socketActor({
      clock,
      pipeline,
      stamps,
      wsUrl: () => 'ws://127.0.0.1:9',
      nextEpoch: () => 1,
      onOddity: (message, fields) => oddities.push({ message, fields }),
      onEvent: (...event) => events.push(event),
      onRefused: (...refusal) => refusals.push(refusal),
      open: (to, given) => {
        url = to;
        handlers = given;
        return {
          send: (text) => sent.push({ at: clock.now(), text }),
          ping: () => calls.push('ping'),
          close: () => calls.push('close'),
          terminate: () => calls.push('terminate'),
        };
      },
    }),
    { id: 'feed0.a', ackTimeoutMs: ACK_TIMEOUT_MS },
  );
  stops.push(actor.stop);
  const receive = (value: unknown): void =>
    handlers?.message(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
  const kline = (closed = false, series = BTC): void => {
    const { fields, eventTime } = frame(at(0), { closed, series });
    receive({ stream: 'x@kline_1m', data: { e: 'kline', E: eventTime, s: series.symbol, k: fields } });
  };
  return {
    ...actor,
    clock,
    pipeline,
    story,
    sent,
    calls,
    oddities,
    events,
    refusals,
    stamps,
    receive,
    kline,
    url,
    handlers: handlers!,
  };
}

describe('a socket', () => {
  test('C14 that brings pongs and pings, acknowledgements and other events, and no data, has no newer stamp of data', async () => {
    const one = connect();
    one.handlers.opened();
    one.kline();
    const stamp = one.stamps.get('feed0.a')?.at;
    await one.clock.advance(5_000);
    one.send({ type: 'PING' });
    one.handlers.heard();
    one.receive({ result: null, id: 1 });
    one.receive({ stream: '!contractInfo', data: { e: 'contractInfo', E: 1 } });
    one.receive('{"cut');
    expect(one.types()).toContain('SOCKET.ALIVE');
    expect(one.stamps.get('feed0.a')?.at).toBe(stamp);
    one.kline();
    expect(one.stamps.get('feed0.a')?.at).toBe(stamp! + 5_000);
  });

  test('dials the market route, and says when it is open', () => {
    const one = connect();
    expect(one.url).toBe('ws://127.0.0.1:9/market/stream');
    one.handlers.opened();
    expect(one.types()).toEqual(['SOCKET.OPENED']);
  });

  test('tells the first data frame, and the next only when it is asked to watch again', () => {
    const one = connect();
    for (let n = 0; n < 3; n++) one.kline();
    expect(one.types()).toEqual(['SOCKET.FRAME']);
    one.send({ type: 'WATCH' });
    for (let n = 0; n < 3; n++) one.kline();
    expect(one.types()).toEqual(['SOCKET.FRAME', 'SOCKET.FRAME']);
  });

  test('takes a first frame that cannot be true as no proof of data, and the next one that can', () => {
    const one = connect();
    const { fields, eventTime } = frame(at(-500_000), { closed: false });
    one.receive({ stream: 'x', data: { e: 'kline', E: eventTime, s: 'BTCUSDT', k: fields } });
    expect(one.types()).toEqual([]);
    expect(one.stamps.has('feed0.a')).toBe(false);
    one.kline();
    expect(one.types()).toEqual(['SOCKET.FRAME']);
  });

  test('takes frames of other series, other events and replies as no proof of data', async () => {
    const one = connect();
    one.handlers.opened();
    await one.clock.advance(1_000);
    one.kline(true, ETH);
    one.receive({ e: 'aggTrade', E: 1 });
    one.receive({ result: null, id: 5 });
    expect(one.types()).toEqual(['SOCKET.OPENED']);
    expect(one.stamps.get('feed0.a')?.at).toBe(0);
    expect(one.pipeline.counters).toMatchObject({ frames: 3, foreign: 1, ignored: 1 });
    one.kline();
    expect(one.stamps.get('feed0.a')?.at).toBe(1_000);
  });

  test('passes closed bars on', () => {
    const one = connect();
    one.kline(true);
    expect(one.story()).toEqual([0]);
  });

  test.each([
    ['a pong', (one: ReturnType<typeof connect>) => one.handlers.heard()],
    ['a data frame', (one: ReturnType<typeof connect>) => one.kline()],
    ['a reply', (one: ReturnType<typeof connect>) => one.receive({ result: null, id: 1 })],
    ['another event', (one: ReturnType<typeof connect>) => one.receive({ e: 'x' })],
  ])('takes %s as a sign of life after a ping, once', (_, live) => {
    const one = connect();
    live(one);
    expect(one.types()).not.toContain('SOCKET.ALIVE');
    one.send({ type: 'PING' });
    expect(one.calls).toEqual(['ping']);
    live(one);
    live(one);
    expect(one.types().filter((type) => type === 'SOCKET.ALIVE')).toHaveLength(1);
  });

  test('gives up after a hundred frames in a row that nobody understands', () => {
    const one = connect();
    for (let n = 0; n < 99; n++) one.receive('{"cut":');
    one.receive({ e: 'aggTrade', E: 1 });
    for (let n = 0; n < 99; n++) one.receive('{"cut":');
    expect(one.types()).toEqual([]);
    for (let n = 0; n < 50; n++) one.receive('{"cut":');
    expect(one.heard).toMatchObject([{ type: 'SOCKET.CLOSED', end: { code: 0 }, cause: 'garbled' }]);
    expect(one.pipeline.counters.malformed).toBe(248);
  });

  test.each([
    [
      { code: 1008, reason: 'Too many requests' },
      { code: 1008 },
      'unreachable',
      'closed with 1008: Too many requests',
    ],
    [{ code: 1006, reason: '' }, { code: 1006 }, 'unreachable', 'closed with 1006'],
    [
      { code: 1006, reason: 'x', status: 429, retryAfter: '17' },
      { code: 1006, status: 429, retryAfterMs: 17_200 },
      'refused',
      'handshake answered with HTTP 429',
    ],
    [
      {
        code: 1006,
        reason: 'x',
        status: 503,
        retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT',
        date: 'Wed, 21 Oct 2026 07:27:00 GMT',
      },
      { code: 1006, status: 503, retryAfterMs: 60_200 },
      'refused',
      'handshake answered with HTTP 503',
    ],
    [
      { code: 1006, reason: 'x', status: 302 },
      { code: 1006, status: 302 },
      'refused',
      'handshake answered with HTTP 302: redirects are not followed, give the URL it leads to',
    ],
  ])('tells its end: %j', (end, told, cause, reason) => {
    const one = connect();
    one.handlers.closed(end);
    expect(one.heard).toEqual([{ type: 'SOCKET.CLOSED', end: told, cause, reason }]);
  });

  test('closed by the peer or the network is another end than one that never opened', () => {
    const one = connect();
    one.handlers.opened();
    one.handlers.closed({ code: 1006, reason: '' });
    expect(one.heard.at(-1)).toMatchObject({ type: 'SOCKET.CLOSED', cause: 'closed' });
  });

  test.each([418, 429])('answered with HTTP %i tells those who ask by REST, with how long', (status) => {
    const one = connect();
    one.handlers.closed({ code: 1006, reason: 'x', status, retryAfter: '17' });
    one.handlers.closed({ code: 1006, reason: 'x', status: 503, retryAfter: '17' });
    expect(one.refusals).toEqual([[status, 17_200]]);
  });

  test.each([418, 429])(
    'answered with HTTP %i obeys the time in the text, and a date without Date',
    (status) => {
      const one = connect();
      const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
      const text = '{"code":-1003,"msg":"IP banned until 1792567740000."}';
      one.handlers.closed({ code: 1006, reason: 'x', status, text, date });
      // Without `Date` against the local calendar, which may be wrong, as for REST.
      const retryAfter = new Date(Date.now() + 90_000).toUTCString();
      one.handlers.closed({ code: 1006, reason: 'x', status, retryAfter });
      expect(one.refusals[0]).toEqual([status, 1792567740000 - Date.parse(date) + 1_200]);
      expect(one.refusals.length).toBe(2);
    },
  );

  test('a handshake that only says 429 is left alone until the next minute', () => {
    const one = connect();
    const date = 'Wed, 21 Oct 2026 07:28:20 GMT';
    one.handlers.closed({ code: 1006, reason: 'x', status: 429, date });
    one.handlers.closed({ code: 1006, reason: 'x', status: 418, date });
    expect(one.refusals).toEqual([
      [429, 40_200],
      [418, undefined],
    ]);
  });

  test('tells a notice of the server once, and that its end was announced', () => {
    const one = connect();
    for (let n = 0; n < 2; n++) one.receive({ e: 'serverShutdown', E: 1 });
    one.handlers.closed({ code: 1006, reason: '' });
    expect(one.heard).toEqual([
      { type: 'SOCKET.NOTICE', reason: 'serverShutdown' },
      {
        type: 'SOCKET.CLOSED',
        end: { code: 1006, announced: true },
        cause: 'announced',
        reason: 'closed with 1006',
      },
    ]);
  });

  test('passes events that are no klines on, as they came', () => {
    const one = connect();
    one.receive({ stream: '!contractInfo', data: { e: 'contractInfo', s: 'BTCUSDT', cs: 'SETTLING' } });
    expect(one.events).toEqual([['contractInfo', { e: 'contractInfo', s: 'BTCUSDT', cs: 'SETTLING' }]]);
  });

  test('closes when asked, and sends nothing more', async () => {
    const streams = Array.from({ length: 1_000 }, (_, n) => `s${n}usdt@kline_1m`);
    const one = connect();
    one.send({ type: 'SUBSCRIBE', streams });
    one.send({ type: 'CLOSE' });
    await one.clock.advance(60_000);
    expect(one.sent).toHaveLength(1);
    expect(one.calls).toEqual(['close']);
    expect(one.clock.pending).toBe(0);
  });

  test('is destroyed with its owner, and leaves no timer', () => {
    const one = connect();
    one.send({ type: 'SUBSCRIBE', streams: ['a@kline_1m'] });
    one.stop();
    expect(one.calls).toEqual(['terminate']);
    expect(one.clock.pending).toBe(0);
  });
});
