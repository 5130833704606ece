/** Connections that can't be had or are lost: rows C of the fault matrix, over loopback and simulated time. */
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ActorRefFrom, createActor, createMachine, fromCallback, fromPromise } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.ts';
import {
  DEFAULT_TIMING,
  type Proof,
  type ProofInput,
  type SocketCommand,
} from '../../machines/connection.types.ts';
import { DEFAULT_BACKOFF } from '../../machines/model/backoff.ts';
import { dialGate } from '../../src/actors/dial-gate.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import {
  collectFrom,
  expectWhole,
  optionsFor,
  QUICK,
  startExchange,
  type Watched,
  watch,
} from '../support/collector.ts';
import { acknowledge, connectTo, serveSockets } from '../support/scripted.ts';
import { TOLERANCE_MS, timed, until } from '../support/wait.ts';
import { FakeClock } from '../transport/fake-clock.ts';

const lostReasons = (watched: Watched): string[] =>
  watched.log.lines
    .filter((line) => line.message === 'feed is down')
    .map((line) => String(line.fields['reason']));

const handshakes = (exchange: SimulatedExchange): number =>
  exchange.log().filter((entry) => entry.kind === 'handshake').length;

/** A port on which nobody listens, until `open` passes everything on to the exchange. */
async function closedPort(): Promise<{ wsUrl: string; open(exchange: SimulatedExchange): Promise<void> }> {
  const wires = new Set<Socket>();
  const gate = createServer();
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => gate.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = gate.address() as AddressInfo;
  await new Promise((resolve) => gate.close(resolve));
  onTestFinished(() => {
    gate.close();
    for (const wire of wires) wire.destroy();
  });
  return {
    wsUrl: `ws://127.0.0.1:${port}`,
    open: async (exchange) => {
      gate.on('connection', (near) => {
        const far = connectTcp(Number(new URL(exchange.wsUrl).port), '127.0.0.1');
        for (const wire of [near, far]) wires.add(wire.on('error', () => {}));
        near.pipe(far).pipe(near);
      });
      await listen(port);
    },
  };
}

describe('an exchange that cannot be reached', () => {
  test('C01 a name that does not resolve: it goes on trying, with jitter, and stops at once', async () => {
    const exchange = await startExchange();
    const network = { restUrl: exchange.restUrl, wsUrl: 'wss://exchange.invalid' };
    const watched = watch({ ...optionsFor(exchange), network, connectTimeoutMs: 'never' });
    watched.collector.startStreaming().catch(() => {});
    await until('three failures', () => lostReasons(watched).length >= 3);
    for (const reason of lostReasons(watched)) expect(reason).toMatch(/ENOTFOUND|EAI_AGAIN/u);
    expect(watched.course()).toBe('connecting');
    const { took } = await timed(watched.collector.stop());
    expect(took).toBeLessThan(200);
  });

  test('C02 refused: it backs off, and streams when somebody listens at last', async () => {
    const exchange = await startExchange();
    const port = await closedPort();
    const network = { restUrl: exchange.restUrl, wsUrl: port.wsUrl };
    const watched = watch({ ...optionsFor(exchange), network });
    const started = watched.collector.startStreaming();
    await until('two failures', () => lostReasons(watched).length >= 2);
    expect(lostReasons(watched)[0]).toMatch(/ECONNREFUSED/u);
    await port.open(exchange);
    await started;
    await until('candles', () => watched.candles.length > 4);
    await watched.collector.stop();
    expectWhole(watched.candles, exchange);
  });

  test('C03 a handshake that is never answered: it is given up in time, and the next one streams', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'hangHandshake', times: 2 });
    const watched = collectFrom(exchange, { timing: { ...QUICK, openTimeoutMs: 150 } });
    await watched.collector.startStreaming();
    expect(lostReasons(watched)).toEqual(Array(2).fill('handshake not answered in time'));
    expect(exchange.sockets()).toBe(1);
  });

  test('C04 a handshake answered 403, 404, 418, 429, 451 is tried again slowly, and 5xx soon; what an operator must look at alarms', async () => {
    const alarms = {
      403: true,
      404: true,
      418: true,
      429: false,
      451: true,
      500: false,
      503: false,
      504: false,
    };
    const tried = Object.entries(alarms).map(async ([status, alarming]) => {
      const exchange = await startExchange();
      exchange.inject({ kind: 'refuse', status: Number(status) });
      const one = connectTo(exchange.wsUrl);
      await until('a failure', () => one.heard.length === 1);
      const [down] = one.heard;
      const reason = `handshake answered with HTTP ${status}`;
      expect(down).toMatchObject({ type: 'CONNECTION.DOWN', alarming, reason });
      if (Number(status) < 500) expect(down?.retryMs, status).toBeGreaterThanOrEqual(QUICK.backoff.slowMs);
      else expect(down?.retryMs, status).toBeLessThanOrEqual(QUICK.backoff.baseMs);
    });
    await Promise.all(tried);
  });

  test.each([
    [418, 'banned'],
    [429, 'asked too often'],
  ])(
    'C04 a handshake answered %i with Retry-After: %s, and until then neither a socket nor REST is asked for',
    async (status) => {
      const exchange = await startExchange();
      const watched = collectFrom(exchange);
      await watched.collector.startStreaming();
      exchange.inject({ kind: 'refuse', status, retryAfter: '1', times: 1 });
      exchange.inject({ kind: 'drop' });
      const refused = () => exchange.log().find((entry) => entry.status === status);
      await until('it is refused', () => refused() !== undefined);
      await until('it streams again', () => watched.collector.isConnected);
      const since = refused()!.wallMs;
      const next = exchange
        .log()
        .find(({ kind, wallMs }) => (kind === 'handshake' || kind === 'http') && wallMs > since + 50);
      // What was under way by REST when the answer came is not recalled.
      expect(next!.wallMs - since).toBeGreaterThanOrEqual(1_000);
      expect(
        watched.log.lines.some(({ message }) => /refuses this address|wait for the limit/u.test(message)),
      ).toBe(true);
      await until('bars of both', () => new Set(watched.candles.map(({ symbol }) => symbol)).size === 2);
      await watched.collector.stop();
      expectWhole(watched.candles, exchange);
    },
  );

  test('C04 a handshake answered 418 that does not say for how long: two minutes, the shortest ban that there is', async () => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange);
    await watched.collector.startStreaming();
    exchange.inject({ kind: 'refuse', status: 418, times: 1 });
    exchange.inject({ kind: 'drop' });
    const told = () => watched.log.lines.find(({ message }) => /refuses this address/u.test(message));
    await until('it is said', () => told() !== undefined);
    expect(Number(told()?.fields['forMs'])).toBeGreaterThan(110_000);
    expect(Number(told()?.fields['forMs'])).toBeLessThanOrEqual(120_000);
  });

  test('C04 REST answered 418: no socket is dialled either before the time told', async () => {
    const exchange = await startExchange();
    const watched = collectFrom(exchange);
    await watched.collector.startStreaming();
    exchange.inject({ kind: 'rest', status: 418, headers: { 'Retry-After': '1' }, times: 1 });
    exchange.inject({ kind: 'closes', mode: 'omit', times: 2 });
    const banned = () => exchange.log().find((entry) => entry.status === 418);
    await until('REST is banned', () => banned() !== undefined);
    await until('it knows', () =>
      watched.log.lines.some(({ message }) => /refuses this address/u.test(message)),
    );
    exchange.inject({ kind: 'drop' });
    await until('it streams again', () => handshakes(exchange) === 2 && watched.collector.isConnected);
    const dialled = exchange.log().filter((entry) => entry.kind === 'handshake')[1]!;
    expect(dialled.wallMs - banned()!.wallMs).toBeGreaterThanOrEqual(1_000);
  });

  test('C05 a redirect: it is not followed, is named, and asked again slowly, with an alarm', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'refuse', status: 302 });
    const one = connectTo(exchange.wsUrl);
    await until('a failure', () => one.heard.length === 1);
    expect(one.heard).toEqual([
      expect.objectContaining({
        type: 'CONNECTION.DOWN',
        alarming: true,
        reason: expect.stringMatching(/HTTP 302: redirects are not followed/u),
      }),
    ]);
    expect(one.heard[0]?.retryMs).toBeGreaterThanOrEqual(QUICK.backoff.slowMs);
    expect(handshakes(exchange)).toBe(1);
  });

  test('C07 a stop while it dials settles at once, and leaves nothing behind', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'hangHandshake' });
    const { collector } = collectFrom(exchange);
    const starting = collector.startStreaming().catch((error: unknown) => error);
    await until('the handshake', () => handshakes(exchange) === 1);
    const { value: report, took } = await timed(collector.stop());
    expect(took).toBeLessThan(200);
    expect(report.clean).toBe(true);
    expect(await starting).toMatchObject({ code: 'STOPPED' });
  });

  test('C08 a stop during the backoff settles at once, and nobody dials afterwards', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'refuse', status: 503 });
    const watched = collectFrom(exchange);
    watched.collector.startStreaming().catch(() => {});
    await until('it waits', () => lostReasons(watched).length >= 2);
    const { took } = await timed(watched.collector.stop());
    expect(took).toBeLessThan(200);
    const before = handshakes(exchange);
    const since = exchange.now();
    // Longer than the longest backoff.
    await until('time passes', () => exchange.now() > since + 2 * QUICK.backoff.maxMs * exchange.timeScale);
    expect(handshakes(exchange)).toBe(before);
  });
});

/** Connections of one process in simulated time, on a server that treats every socket alike. */
function fleet(size: number, serve: (tell: (event: object) => void, clock: FakeClock) => void) {
  const clock = new FakeClock();
  const dials: number[] = [];
  const delays: number[] = [];
  const gate = dialGate(clock, 'ws://exchange.test');
  const machine = connectionMachine.provide({
    actors: {
      permit: fromPromise<void, { id: string }>(({ signal }) => gate.pass(() => 0, signal)),
      prove: fromPromise<Proof, ProofInput>(async () => 'quiet'),
      socket: fromCallback<SocketCommand, { id: string; ackTimeoutMs: number }>(({ sendBack }) => {
        dials.push(clock.now());
        let isThere = true;
        serve((event) => isThere && sendBack(event as never), clock);
        return () => {
          isThere = false;
        };
      }),
    },
  });
  const root: ActorRefFrom<typeof machine>[] = [];
  for (let n = 0; n < size; n++) {
    const input = {
      id: `feed${n}.a`,
      streams: ['btcusdt@kline_1m'],
      timing: DEFAULT_TIMING,
      route: '/route',
      random: Math.random,
      now: () => clock.now(),
      activity: { silentMs: () => 0 },
    };
    const feed = createActor(
      createMachine({
        invoke: { src: machine, input },
        on: { 'CONNECTION.DOWN': { actions: ({ event }) => delays.push(event['retryMs'] as number) } },
      }),
      { clock: clock as never },
    ).start();
    root.push(feed as never);
  }
  onTestFinished(() => {
    for (const feed of root) feed.stop();
  });
  const mostIn = (windowMs: number): number =>
    Math.max(...dials.map((at) => dials.filter((other) => other >= at && other < at + windowMs).length));
  return { clock, dials, delays, mostIn };
}

describe('a server that does not let connections live', () => {
  test('C06 it accepts and closes at once, a thousand times: dials stay below the budget of the IP', async () => {
    const one = fleet(30, (tell) => {
      tell({ type: 'SOCKET.OPENED' });
      tell({ type: 'SOCKET.CLOSED', end: { code: 1001 }, cause: 'closed', reason: 'going away' });
    });
    await one.clock.advance(2 * 3_600_000);
    expect(one.dials.length).toBeGreaterThan(1_000);
    expect(one.mostIn(300_000)).toBeLessThanOrEqual(300);
    expect(Math.max(...one.delays)).toBeLessThanOrEqual(DEFAULT_BACKOFF.maxMs);
    // Jitter: the delays at the cap lie anywhere below it.
    expect(new Set(one.delays).size).toBeGreaterThan(one.delays.length / 10);
  });

  test('C19 up for a second, down for a second, for an hour: an open and a frame do not reset the backoff', async () => {
    const one = fleet(1, (tell, clock) => {
      for (const type of ['SOCKET.OPENED', 'SOCKET.ACKED', 'SOCKET.FRAME']) tell({ type });
      clock.setTimeout(
        () => tell({ type: 'SOCKET.CLOSED', end: { code: 1006 }, cause: 'closed', reason: 'lost' }),
        1_000,
      );
    });
    await one.clock.advance(3_600_000);
    // Half a minute each on average, once it has grown.
    expect(one.dials.length).toBeLessThan(200);
    expect(Math.max(...one.delays.slice(10))).toBeGreaterThan(10_000);
  });

  const cap = DEFAULT_BACKOFF.baseMs;
  const slow = DEFAULT_BACKOFF.slowMs;
  test.each([
    [1000, 0, cap, false],
    [1001, 0, 0, false],
    [1002, 0, cap, false],
    [1006, 0, cap, false],
    [1008, slow, slow * 1.25, true],
    [1009, 0, cap, false],
    [1011, 0, cap, false],
    [1012, slow / 6, slow, false],
    [1013, slow, slow * 1.25, false],
  ])(
    'C18 it closes with %i: dialled again after %i to %i ms, alarming: %s',
    async (code, least, most, alarming) => {
      const server = await serveSockets((client) => {
        if (code === 1006) client.terminate();
        else client.close(code);
      });
      const one = connectTo(server.wsUrl, { timing: { backoff: DEFAULT_BACKOFF } });
      await until('its end', () => one.heard.length > 0);
      const [down] = one.heard;
      expect(down).toMatchObject({ type: 'CONNECTION.DOWN', alarming });
      expect(down?.reason).toMatch(new RegExp(`^closed with ${code}`, 'u'));
      expect(down?.retryMs).toBeGreaterThanOrEqual(Math.floor(least));
      expect(down?.retryMs).toBeLessThanOrEqual(Math.ceil(most));
    },
  );
});

describe('the end of a socket', () => {
  test('C17 a peer that never answers the close costs no more than the time allowed', async () => {
    const exchange = await startExchange();
    const { collector } = collectFrom(exchange);
    await collector.startStreaming();
    exchange.inject({ kind: 'noCloseAnswer' });
    const { value: report, took } = await timed(collector.stop({ timeoutMs: 500 }));
    expect(took).toBeLessThanOrEqual(500 + TOLERANCE_MS);
    expect(report.components).toContainEqual(expect.objectContaining({ name: 'feed0.a', outcome: 'forced' }));
    await until('the server sees it gone', () => exchange.sockets() === 0);
  });

  test('C21 what comes late on a socket that was given up changes nothing', async () => {
    const server = await serveSockets((client, control, socket) => {
      if (socket > 1) return acknowledge(client, control, socket);
      // Given up at the first refusal; all that follows is under way already.
      client.send(JSON.stringify({ error: { code: 2, msg: 'Invalid request' }, id: control.id }));
      for (let n = 0; n < 50; n++) client.send('{"cut":');
      acknowledge(client, control, socket);
      client.send(JSON.stringify({ e: 'serverShutdown', E: 1 }));
      client.close(1001);
    });
    const one = connectTo(server.wsUrl);
    await until('the next socket is up', () => one.types().includes('CONNECTION.UP'));
    expect(one.types()).toEqual(['CONNECTION.DOWN', 'CONNECTION.UP']);
    expect(one.pipeline.counters.malformed).toBe(0);
    expect(server.opened()).toBe(2);
  });

  test("C23 the server's pings are answered, each once", async () => {
    const exchange = await startExchange({ serverPingMs: 40 });
    const { collector } = collectFrom(exchange);
    await collector.startStreaming();
    const pongs = () => exchange.log().filter((entry) => entry.kind === 'pong');
    await until('ten answers', () => pongs().length >= 10);
    const opened = exchange.log().find((entry) => entry.kind === 'open');
    const elapsedMs = pongs().at(-1)!.wallMs - opened!.wallMs;
    expect(pongs().length).toBeLessThanOrEqual(elapsedMs / 40 + 1);
    expect(exchange.log().some((entry) => entry.kind === 'close')).toBe(false);
  });
});
