/** Faults of the REST side, by the rows of the fault matrix: H02 to H06, H08, and what C04 has to do with REST. */
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ActorRefFrom } from 'xstate';
import type { restSessionMachine } from '../../machines/rest-session.machine.ts';
import { Quota } from '../../src/actors/quota.ts';
import { exchangeInfoRequest, klinesRequest, timeRequest } from '../../src/binance/rest.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { collectFrom, newStore, startExchange } from '../support/collector.ts';
import { type Reply, says, scriptedHttp, sessionOn, TOO_MANY, WAF_PAGE } from '../support/scripted-http.ts';
import { until, within } from '../support/wait.ts';
import { FakeClock } from '../transport/fake-clock.ts';

const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const FINE = says(200, { serverTime: 1_700_000_000_000 }, { 'x-mbx-used-weight-1m': '1' });
const gapsOf = (arrivals: readonly { at: number }[]): number[] =>
  arrivals.slice(1).map(({ at }, index) => at - arrivals[index]!.at);
const banFile = (store: string): string => `${store}.ban`;

/** Lets simulated time pass, a step in a few real milliseconds, until it is settled. */
async function passing<T>(clock: FakeClock, promise: Promise<T>, stepMs = 1_000): Promise<T> {
  let isOver = false;
  const over = promise.finally(() => {
    isOver = true;
  });
  for (let n = 0; n < 2_000 && !isOver; n++) {
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  return within('the end', over);
}

describe('429 and 418', () => {
  test('H02 429 then 418: whoever asks, nothing is sent before the time told, and then it goes on', async () => {
    const server = await scriptedHttp(
      says(429, TOO_MANY, { 'retry-after': '1' }),
      says(418, TOO_MANY, { 'retry-after': '2' }),
      FINE,
    );
    const quota = new Quota(systemClock);
    const one = sessionOn(server.url, { quota });
    const other = sessionOn(server.url, { quota });
    const asked = [one.rest.ask(timeRequest)];
    await until('the 429', () => one.state() === 'rateLimited.told');
    // Those who ask meanwhile are no reason to send either: here and at another collector of the process.
    for (let n = 0; n < 10; n++) asked.push(one.rest.ask(timeRequest), other.rest.ask(timeRequest));
    await until('the 418', () => one.state() === 'banned' || other.state() === 'banned');
    expect(quota.dialWaitMs()).toBeGreaterThan(1_500);
    await within('all answers', Promise.all(asked));
    const [afterLimit, afterBan] = gapsOf(server.arrivals);
    expect(afterLimit).toBeGreaterThanOrEqual(1_000);
    expect(afterLimit).toBeLessThan(2_500);
    expect(afterBan).toBeGreaterThanOrEqual(2_000);
    expect(afterBan).toBeLessThan(3_500);
    expect(server.arrivals).toHaveLength(21 + 2);
    const told = [...one.heard, ...other.heard].map((event) => event['type']);
    expect(new Set(told)).toEqual(new Set(['REST.LIMITED', 'REST.BANNED', 'REST.FREE']));
  });

  test('H02 the end of a ban is written beside the store, before there is one, and honoured by the next run', async () => {
    const server = await scriptedHttp(says(418, TOO_MANY, { 'retry-after': '2' }), says(404));
    const urls = { wsUrl: 'ws://127.0.0.1:1', restUrl: server.url, timeScale: 1 };
    const store = newStore();
    const first = collectFrom(urls, { store, connectTimeoutMs: 300, clock: { ...systemClock } });
    const began = performance.now();
    await expect(first.collector.startStreaming()).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(existsSync(store)).toBe(false);
    expect(JSON.parse(readFileSync(banFile(store), 'utf8'))).toMatchObject({
      origin: server.url,
      kind: 'banned',
      toldMs: expect.any(Number),
    });
    // A clock of its own, as a process of its own has: it knows nothing but what is written.
    const second = collectFrom(urls, { store, clock: { ...systemClock } });
    const starting = second.collector.startStreaming().catch(() => {});
    await until('the first request of the second run', () => server.arrivals.length > 1);
    expect(gapsOf(server.arrivals)[0]).toBeGreaterThanOrEqual(2_000);
    expect(gapsOf(server.arrivals)[0]).toBeLessThan(3_500);
    await until('the ban is forgotten', () => !existsSync(banFile(store)));
    await second.collector.stop();
    await starting;
  });

  test('H02 a long ban is told to who asks, with its length, at once; and stopping does not wait for it', async () => {
    const server = await scriptedHttp(says(418, TOO_MANY, { 'retry-after': '7200' }), FINE);
    const { rest, state } = sessionOn(server.url);
    const told = { code: 'REST_PAUSED', retryable: true, retryAfterMs: expect.any(Number) };
    await expect(rest.ask(timeRequest)).rejects.toMatchObject(told);
    expect(state()).toBe('banned');
    const error = await rest.ask(timeRequest).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(told);
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(7_190_000);
    expect(server.arrivals).toHaveLength(1);
  });

  test('H02 a server that always says 429 is asked as rarely as it wants, and who asks is told in the end', async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const server = await scriptedHttp((...given) => {
      asked.push(clock.now());
      says(429, TOO_MANY, { 'retry-after': '10' })(...given);
    });
    const { rest } = sessionOn(server.url, { clock });
    const asking = rest.ask(timeRequest).catch((error: unknown) => error);
    expect(await passing(clock, asking)).toMatchObject({ status: 429, retryAfterMs: expect.any(Number) });
    expect(asked).toHaveLength(4);
    for (const [index, at] of asked.entries()) expect(at - index * 10_000).toBeGreaterThanOrEqual(0);
  });
});

describe('Retry-After', () => {
  /** Simulated time on a real server: how long nothing came after the first refusal, ms. */
  async function quietFor(headers: Record<string, string>, status = 429, body: unknown = TOO_MANY) {
    const server = await scriptedHttp(says(status, body, headers), FINE);
    const clock = new FakeClock();
    const { rest, quota } = sessionOn(server.url, { clock });
    const first = rest.ask(timeRequest).catch(() => {});
    await until('the refusal', () => quota.held() !== undefined);
    const { forMs } = quota.held()!;
    const ask = (): void => void rest.ask(timeRequest).catch(() => {});
    for (const part of [0, 0.5, 0.99]) {
      await clock.advance(forMs * part - clock.now());
      ask();
      await clock.advance(0);
      expect([part, server.arrivals.length]).toEqual([part, 1]);
    }
    await clock.advance(forMs + 2 - clock.now());
    ask();
    await until('a request after the end', () => server.arrivals.length > 1);
    await first;
    return forMs;
  }
  const date = 'Thu, 08 Oct 2026 10:00:20 GMT';

  test.each([
    ['1', 1_000],
    ['120', 120_000],
    // Three years: more than a timer takes at once.
    ['100000000', 1e11],
    ['Thu, 08 Oct 2026 10:05:20 GMT', 300_000],
  ])('H03 Retry-After %s is obeyed, not a moment less', async (text, ms) => {
    const quiet = await quietFor({ 'retry-after': text, date });
    expect(quiet).toBeGreaterThanOrEqual(ms);
    expect(quiet).toBeLessThan(ms + 1_000);
  });

  test.each(['0', '-1', 'NaN', ''])(
    'H03 Retry-After "%s" tells nothing: the next minute is waited for',
    async (text) => {
      const quiet = await quietFor({ 'retry-after': text, date });
      expect(quiet).toBeGreaterThanOrEqual(40_000);
      expect(quiet).toBeLessThan(41_000);
    },
  );

  test('H03 the end that only the text names is obeyed', async () => {
    const until = Date.parse(date) + 90_000;
    const body = {
      code: -1003,
      msg: `Way too many requests; IP banned until ${until}. Please use the websocket`,
    };
    const quiet = await quietFor({ date }, 418, body);
    expect(quiet).toBeGreaterThanOrEqual(90_000);
    expect(quiet).toBeLessThan(92_000);
  });
});

describe('answers that are none', () => {
  test('H04 headers come and the body stalls: given up in time, tried again, and nothing else waits for it', async () => {
    const server = await scriptedHttp(
      (response) => void response.writeHead(200, { 'content-length': '100' }).write('{"server'),
      FINE,
    );
    const { rest } = sessionOn(server.url, { timeoutMs: 600 });
    // The first one alone: before any answer nothing else is sent.
    const stalled = rest.ask(timeRequest);
    await expect(within('the retry', stalled)).resolves.toMatchObject({ serverTime: expect.any(Number) });
    const [gap] = gapsOf(server.arrivals);
    expect(gap).toBeGreaterThanOrEqual(590);
    expect(gap).toBeLessThan(1_500);
  });

  test('H04 three bodies that stall leave a slot to others', async () => {
    const stall: Reply = (response) => void response.writeHead(200).write('{"server');
    const server = await scriptedHttp(FINE, stall, stall, stall, FINE);
    const { rest } = sessionOn(server.url, { timeoutMs: 3_000 });
    await rest.ask(timeRequest);
    const gone = new AbortController();
    const stalled = [1, 2, 3].map(() => rest.ask(timeRequest, gone.signal).catch((error: Error) => error));
    await until('they stall', () => server.arrivals.length === 4);
    const began = performance.now();
    for (let n = 0; n < 5; n++) await rest.ask(timeRequest);
    expect(performance.now() - began).toBeLessThan(1_500);
    gone.abort(new Error('no longer'));
    expect(await Promise.all(stalled)).toEqual(Array(3).fill(new Error('no longer')));
  });

  const good = JSON.stringify({ serverTime: 1_700_000_000_000 });
  const bad: [string, Reply][] = [
    ['a page of HTML', says(200, WAF_PAGE, { 'content-type': 'text/html' })],
    ['nothing', says(200, '')],
    ['cut JSON', says(200, good.slice(0, 10))],
    [
      'a body shorter than its length',
      (response) =>
        void response.writeHead(200, { 'content-length': '99' }).write(good, () => response.destroy()),
    ],
    [
      'a body longer than its length',
      (response) =>
        void response.socket?.end(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n${good}`),
    ],
    ['bad gzip', (response) => void response.setHeader('content-encoding', 'gzip').end(good)],
    [
      'half a gzip',
      (response) =>
        void response.setHeader('content-encoding', 'gzip').end(gzipSync(`[${good},1]`).subarray(0, 24)),
    ],
    ['no HTTP', (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n')],
  ];
  test.each(bad)('H05 200 with %s is tried again', async (_, reply) => {
    const server = await scriptedHttp(reply, FINE);
    const { rest } = sessionOn(server.url);
    await expect(within('the retry', rest.ask(timeRequest))).resolves.toEqual(JSON.parse(good));
    expect(server.arrivals).toHaveLength(2);
    expect(gapsOf(server.arrivals)[0]).toBeGreaterThanOrEqual(150);
  });

  test('H05 what is never an answer is malformed after three retries, ever more apart', async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const server = await scriptedHttp((response) => {
      asked.push(clock.now());
      response.end();
    });
    const { rest } = sessionOn(server.url, { clock });
    const asking = rest.ask(timeRequest).catch((error: unknown) => error);
    expect(await passing(clock, asking, 50)).toMatchObject({ code: 'HTTP_MALFORMED', retryable: true });
    expect(asked).toHaveLength(4);
    for (const [index, ms] of [200, 400, 800].entries())
      expect(asked[index + 1]! - asked[index]!).toBeGreaterThanOrEqual(ms - 50);
  });

  test('H05 an empty array is an answer, an empty body is none', async () => {
    const server = await scriptedHttp(says(200, '[]'));
    const { rest } = sessionOn(server.url);
    expect(await rest.ask(klinesRequest(SERIES, 0, 10))).toEqual([]);
    expect(server.arrivals).toHaveLength(1);
  });

  const RESET: Reply = (response) => void response.socket?.resetAndDestroy();
  test.each<[string, Reply]>([
    ['a reset', RESET],
    ['an end without an answer', (response) => void response.socket?.destroy()],
    ['500', says(500, WAF_PAGE)],
    ['502', says(502, '')],
    ['503', says(503, { code: -1001, msg: 'Internal error; unable to process your request.' })],
    ['504', says(504, WAF_PAGE)],
    ['408', says(408, { code: -1007, msg: 'Timeout waiting for response from backend server.' })],
  ])('H06 %s on a kept connection is tried again', async (_, reply) => {
    const server = await scriptedHttp(FINE, reply, FINE);
    const { rest } = sessionOn(server.url);
    await rest.ask(timeRequest);
    await expect(rest.ask(timeRequest)).resolves.toMatchObject({ serverTime: expect.any(Number) });
    expect(server.arrivals).toHaveLength(3);
  });

  test('H06 a server that resets every connection is asked four times, and no more', async () => {
    const clock = new FakeClock();
    const server = await scriptedHttp(RESET);
    const { rest } = sessionOn(server.url, { clock });
    const asking = rest.ask(timeRequest).catch((error: unknown) => error);
    expect(await passing(clock, asking, 50)).toMatchObject({ code: 'HTTP_BROKEN', retryable: true });
    expect(server.arrivals).toHaveLength(4);
  });

  test('H06 a 400 is told at once and never sent again', async () => {
    const server = await scriptedHttp(says(400, { code: -1121, msg: 'Invalid symbol.' }));
    const { rest } = sessionOn(server.url);
    await expect(rest.ask(timeRequest)).rejects.toMatchObject({ code: '-1121', retryable: false });
    expect(server.arrivals).toHaveLength(1);
  });
});

describe('the weight of a minute', () => {
  const info = (limit: number): object => ({
    rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit }],
    symbols: [],
  });

  /** Counts by a calendar of its own, whose next minute begins `edgeMs` after the first request. */
  async function countingExchange(limit: number, edgeMs: number) {
    const used = new Map<number, number>();
    let shift = 0;
    const server = await scriptedHttp((response, request, number) => {
      if (number === 0) shift = 60_000 - edgeMs - (Date.now() % 60_000);
      const now = Date.now() + shift;
      const minute = Math.floor(now / 60_000);
      const count = (used.get(minute) ?? 0) + 1;
      used.set(minute, count);
      const headers = { date: new Date(now).toUTCString(), 'x-mbx-used-weight-1m': String(count) };
      if (count > limit) says(429, TOO_MANY, { ...headers, 'retry-after': '60' })(response, request, number);
      else says(200, info(limit), headers)(response, request, number);
    });
    return { ...server, used };
  }

  test('H08 with 100 a minute the count never passes 100, over the edge of a minute and with many who ask', async () => {
    const { url, used } = await countingExchange(100, 3_500);
    const quota = new Quota(systemClock);
    const sessions = [1, 2, 3].map(() => sessionOn(url, { quota }));
    await sessions[0]!.rest.ask(exchangeInfoRequest);
    expect(quota.limit).toBe(100);
    let done = 0;
    for (let n = 0; n < 400; n++)
      void sessions[n % 3]!.rest.ask(timeRequest).then(
        () => (done += 1),
        () => {},
      );
    const allWait = (): boolean => sessions.every(({ state }) => state() === 'rateLimited.spent');
    await until('the budget of the first minute is spent', () => done >= 80 && allWait());
    await until('the budget of the second minute is spent', () => done >= 140 && allWait());
    expect([...used.values()]).toHaveLength(2);
    for (const count of used.values()) expect(count).toBeLessThanOrEqual(90);
    // An own limit is kept quietly.
    expect(sessions.flatMap(({ heard }) => heard)).toEqual([]);
  });

  test('H08 on the simulated exchange with 100 a minute nothing is refused, and nearly all of it is used', async () => {
    const exchange = await startExchange({ weightLimit: 100 });
    const quota = new Quota(systemClock);
    const sessions = [1, 2].map(() => sessionOn(exchange.restUrl, { quota }));
    await sessions[0]!.rest.ask(exchangeInfoRequest);
    const gone = new AbortController();
    for (let n = 0; n < 200; n++) {
      const request = n % 2 === 0 ? timeRequest : klinesRequest(SERIES, 0, 1_500, 'background');
      void sessions[n % 2]!.rest.ask(request, gone.signal).catch(() => {});
    }
    await until('the budget is spent', () => sessions.every(({ state }) => state() === 'rateLimited.spent'));
    gone.abort();
    const perMinute = new Map<number, number>();
    for (const { kind, weight = 0, wallMs } of exchange.log()) {
      if (kind !== 'http') continue;
      const minute = Math.floor((performance.timeOrigin + wallMs) / 60_000);
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + weight);
    }
    expect(exchange.log().filter((entry) => entry.kind === 'http' && entry.status !== 200)).toEqual([]);
    const counts = [...perMinute.values()];
    expect(Math.max(...counts)).toBeLessThanOrEqual(100);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(75);
  });

  test('H08 two collectors that want more than a minute grants share it, and stream all the while', async () => {
    const exchange = await startExchange({ weightLimit: 100 });
    const two = [1, 2].map(() => collectFrom(exchange, { backfillMs: 10 * 86_400_000, store: newStore() }));
    await Promise.all(two.map(({ collector }) => collector.startStreaming()));
    const weights = (): number[] => {
      const minutes = new Map<number, number>();
      for (const entry of exchange.log()) {
        const minute = Math.floor((performance.timeOrigin + entry.wallMs) / 60_000);
        minutes.set(minute, (minutes.get(minute) ?? 0) + (entry.weight ?? 0));
      }
      return [...minutes.values()];
    };
    const isSpent = ({ collector }: (typeof two)[number]): boolean => {
      const rest = collector.actor.getSnapshot().children['rest'] as
        | ActorRefFrom<typeof restSessionMachine>
        | undefined;
      return rest?.getSnapshot().matches({ open: { rateLimited: 'spent' } }) ?? false;
    };
    await until('both have spent the minute', () => two.every(isSpent));
    expect(Math.max(...weights())).toBeLessThanOrEqual(100);
    expect(weights().reduce((sum, weight) => sum + weight, 0)).toBeGreaterThanOrEqual(40);
    expect(exchange.log().filter((entry) => entry.kind === 'http' && entry.status !== 200)).toEqual([]);
    expect(two.map(({ collector }) => collector.state)).toEqual(['streaming', 'streaming']);
  });

  test('H08 the count jumps, for another process asks too: the rest of the minute is left to it', async () => {
    const date = 'Thu, 08 Oct 2026 10:00:20 GMT';
    const used = (count: number): Reply =>
      says(200, info(100), { date, 'x-mbx-used-weight-1m': String(count) });
    const server = await scriptedHttp(used(1), used(2), used(93), used(94));
    const clock = new FakeClock();
    const { rest, state } = sessionOn(server.url, { clock });
    await rest.ask(exchangeInfoRequest);
    await rest.ask(timeRequest);
    await rest.ask(timeRequest);
    const waiting = rest.ask(timeRequest);
    expect(state()).toBe('rateLimited.spent');
    await clock.advance(39_000);
    expect(server.arrivals).toHaveLength(3);
    await clock.advance(3_000);
    await within('the next minute', waiting);
    expect(server.arrivals).toHaveLength(4);
  });
});

describe('refused by a firewall, or as a whole address', () => {
  test('C04 a firewall (403, HTML) is not hammered, ever more rarely asked, and no reason not to dial', async () => {
    const server = await scriptedHttp(says(403, WAF_PAGE, { 'content-type': 'text/html' }));
    const clock = new FakeClock();
    const { rest, quota, state, heard } = sessionOn(server.url, { clock });
    const pauses: number[] = [];
    for (let n = 1; n <= 6; n++) {
      await expect(rest.ask(timeRequest)).rejects.toMatchObject({ code: 'REST_PAUSED', retryable: true });
      expect([n, server.arrivals.length, state()]).toEqual([n, n, 'banned']);
      const { forMs, kind } = quota.held()!;
      expect([kind, quota.dialWaitMs()]).toEqual(['forbidden', 0]);
      pauses.push(forMs);
      await clock.advance(forMs - 10);
      expect(server.arrivals).toHaveLength(n);
      await clock.advance(20);
    }
    expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
    expect(heard[0]).toMatchObject({ type: 'REST.BANNED', reason: expect.stringContaining('403') });
  });

  test('C04 451 bans REST in the same way, with its own reason', async () => {
    const server = await scriptedHttp(
      says(451, { code: 0, msg: 'Service unavailable from a restricted location' }),
    );
    const { rest, quota, state } = sessionOn(server.url);
    await expect(rest.ask(timeRequest)).rejects.toMatchObject({
      code: 'REST_PAUSED',
      message: expect.stringContaining('451'),
    });
    expect([state(), quota.held()?.kind, quota.dialWaitMs()]).toEqual(['banned', 'restricted', 0]);
  });

  test('C04 a handshake answered 418 bans REST until the time told', async () => {
    const server = await scriptedHttp(FINE);
    const { rest, quota, state } = sessionOn(server.url);
    quota.ban(1_000, 'the handshake was answered HTTP 418');
    const began = performance.now();
    const asking = rest.ask(timeRequest);
    expect(state()).toBe('banned');
    await within('the end of the ban', asking);
    expect(server.arrivals[0]!.at - began).toBeGreaterThanOrEqual(999);
  });
});
