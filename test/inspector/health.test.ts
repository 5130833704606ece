/** `/healthz` and the page beside a real collector: they tell the truth about it, and cost it nothing. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { inspectorComponent } from '../../src/inspector/component.ts';
import type { InspectorOptions, Watched } from '../../src/inspector/options.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { collectorComponent } from '../../src/supervisor/collector-component.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { collectFrom, expectWhole, startExchange } from '../support/collector.ts';
import { until } from '../support/wait.ts';

async function inspected(collector: Watched, options: InspectorOptions = {}): Promise<string> {
  const inspector = await startInspector(collector, { port: 0, ...options });
  onTestFinished(() => inspector.close());
  return inspector.url;
}

/** Asks until it answers with that status, and with at least so many live streams; the text of that answer. */
async function healthOf(url: string, wanted: number, live = 0): Promise<Record<string, unknown>> {
  const end = performance.now() + 8_000;
  for (;;) {
    const answer = await fetch(`${url}healthz`);
    const health = (await answer.json()) as { streams: { live?: number } } & Record<string, unknown>;
    if (answer.status === wanted && (health.streams.live ?? 0) >= live) return health;
    if (performance.now() > end) throw new Error(`no ${wanted}, but ${JSON.stringify(health)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('/healthz is 200 while the promise is kept, 503 while it is not, and 200 again', async () => {
  const exchange = await startExchange();
  const { collector } = collectFrom(exchange);
  const url = await inspected(collector);
  expect(await healthOf(url, 503)).toMatchObject({ ok: false, state: 'initialized', isConnected: false });
  await collector.startStreaming();
  // Streaming begins with the first live stream; the other one has its time for a first frame.
  expect(await healthOf(url, 200, 2)).toMatchObject({
    ok: true,
    state: 'streaming',
    isConnected: true,
    streams: { live: 2 },
    ailments: [],
    ailing: 0,
    lastFrameAgeMs: expect.any(Number),
  });
  exchange.inject({ kind: 'refuse', status: 503 });
  exchange.inject({ kind: 'drop' });
  expect(await healthOf(url, 503)).toMatchObject({ ok: false, state: 'connecting', isConnected: false });
  exchange.clearFaults();
  expect(await healthOf(url, 200)).toMatchObject({ ok: true, state: 'streaming' });
  await collector.stop();
  expect(await healthOf(url, 503)).toMatchObject({ state: 'stopped' });
});

test('X12 under attack the collector loses nothing, and stops as ever', async () => {
  const exchange = await startExchange();
  const watched = collectFrom(exchange);
  await watched.collector.startStreaming();
  const { hostname, port, host } = new URL(await inspected(watched.collector));
  const sockets: Socket[] = [];
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  const attack = (bytes: string): void => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    sockets.push(socket);
    socket.pause().write(bytes);
  };
  const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const before = watched.candles.length;
  for (let round = 0; round < 40; round++) {
    attack('GET / HTTP/1.1\r\nX-Slow: ');
    attack(request('/metrics').repeat(20));
    attack(request('/live', upgrade));
    attack(`POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(10_000)}`);
    attack(request('/api/series/BTCUSDT/1m').repeat(20));
  }
  await until('six bars under attack', () => watched.candles.length >= before + 6);
  const report = await watched.collector.stop({ timeoutMs: 5_000 });
  expect(report.clean).toBe(true);
  expectWhole(watched.candles, exchange, ['BTCUSDT', 'ETHUSDT'], 3);
  expect(watched.course()).toBe('connecting streaming stopping stopped');
});

test('in an application it is there before the collector, and stops after it', async () => {
  const exchange = await startExchange();
  exchange.inject({ kind: 'refuse', status: 503 });
  const { collector } = collectFrom(exchange, { connectTimeoutMs: 'never' });
  let url = '';
  const application = new Supervisor({
    timeoutMs: 2_000,
    components: [
      inspectorComponent(collector, {
        port: 0,
        onListening: (at) => {
          url = at;
        },
      }),
      collectorComponent(collector, { dependsOn: ['inspector'] }),
    ],
  });
  onTestFinished(async () => void (await application.stop()));
  const starting = application.start();
  await until('it listens', () => url !== '');
  expect(await healthOf(url, 503)).toMatchObject({ state: 'connecting' });
  exchange.clearFaults();
  await starting;
  await healthOf(url, 200);
  const { port, hostname } = new URL(url);
  const idle = connect(Number(port), hostname);
  await once(idle, 'connect');
  const report = await application.stop();
  expect(report.components.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual([
    'collector closed',
    'inspector closed',
  ]);
  expect(report.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(report.sound).toBe(true);
});
