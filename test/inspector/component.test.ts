/** Where the inspector listens, how it ends whoever looks, and how it is a part of an application. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { inspectorComponent } from '../../src/inspector/component.ts';
import { startInspector } from '../../src/inspector/start.ts';
import { drive } from '../supervisor/driven.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';
import { crowd } from './crowd.ts';
import { builtPage, serving, servingOf, textOf } from './serving.ts';

/** Somebody else's server; undefined when that port is taken already. */
async function taken(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.end('somebody else'));
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!listens) return undefined;
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return server;
}
const portOf = (server: Server | undefined): number =>
  (server?.address() as AddressInfo | undefined)?.port ?? 0;

const closeOf = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.once('close', (code) => resolve(code)));

test('it ends also when what it watched does not let it go', async () => {
  const watched = await crowd();
  onTestFinished(() => watched.stop());
  vi.spyOn(watched.collector, 'on').mockReturnValue(() => {
    throw new Error('stay');
  });
  const { inspector, log } = await servingOf(watched);
  await inspector.close();
  await expect(fetch(`${inspector.url}healthz`)).rejects.toThrow('fetch failed');
  expect(log.lines.map(({ message }) => message)).toContain(
    'the inspector could not let go of all that it watched',
  );
});

describe('it listens', () => {
  test('on loopback, where it says', async () => {
    const { inspector, port, get } = await serving();
    expect(inspector.url).toBe(`http://127.0.0.1:${port}/`);
    expect(await get('/')).toMatchObject({ status: 200 });
    await expect(fetch(`http://127.0.0.2:${port}/healthz`)).rejects.toThrow('fetch failed');
  });

  test('by default on 8787, and on a free port when that one is taken', async () => {
    await taken(8787);
    const { inspector, get } = await serving({ port: undefined });
    expect(inspector.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(new URL(inspector.url).port).not.toBe('8787');
    expect(await get('/')).toMatchObject({ status: 200 });
  });

  test('L10 on no given port that is taken: the start says which, and nothing is watched', async () => {
    const port = portOf(await taken(0));
    const watched = await crowd();
    onTestFinished(() => watched.stop());
    const watching = vi.spyOn(watched.actor.system, 'inspect');
    const listening = vi.spyOn(watched.collector, 'on');
    await expect(startInspector(watched.collector, { port })).rejects.toMatchObject({
      name: 'CandlestateError',
      code: 'HTTP_LISTEN',
      message: `port ${port} on 127.0.0.1 is taken by another program; stop it or choose another port`,
    });
    expect([...watching.mock.calls, ...listening.mock.calls]).toEqual([]);
  });

  test('on another address, asked by that and by loopback', async () => {
    const { inspector, get, port } = await serving({ host: '0.0.0.0' });
    expect(inspector.url).toBe(`http://127.0.0.1:${port}/`);
    expect(await get('/')).toMatchObject({ status: 200 });
    expect(await get('/', { Host: `0.0.0.0:${port}` })).toMatchObject({ status: 403 });
  });

  test('and refuses names that are none before it does', async () => {
    const watched = await crowd();
    onTestFinished(() => watched.stop());
    const options = { port: 0, allowedHosts: ['http://proxy.example/'] };
    await expect(startInspector(watched.collector, options)).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});

describe('its end', () => {
  test('pages are told with 1001; connections without a request end at once', async () => {
    const { inspector, page, dial, host } = await serving();
    const pages = await Promise.all([page(), page(), page()]);
    const idle = await dial(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await new Promise((resolve) => idle.once('data', resolve));
    const half = await dial('GET / HTTP/1.1\r\nHo');
    const ends = Promise.all([...pages.map(closeOf), textOf(idle), textOf(half)]);
    const { took } = await timed(inspector.close());
    expect(took).toBeLessThan(2 * TOLERANCE_MS);
    expect((await within('their end', ends, 500)).slice(0, 3)).toEqual([1001, 1001, 1001]);
  });

  test('nobody holds it up: neither who never reads, nor a page that does not answer', async () => {
    const built = builtPage('x'.repeat(30_000_000));
    const { inspector, dial, page, host } = await serving({}, { page: { built } });
    const deaf = await dial(`GET /assets/index-abc.js HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    deaf.pause();
    const viewer = await page();
    viewer.pause();
    const { took } = await timed(inspector.close({ timeoutMs: 1_000 }));
    expect(took).toBeLessThan(500);
    expect((await inspector.verify()).map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'connections ok',
      'pages ok',
    ]);
  });

  test('within the time that it is given, however short', async () => {
    const { inspector, page } = await serving();
    (await page()).pause();
    const { took } = await timed(inspector.close({ timeoutMs: 0 }));
    expect(took).toBeLessThan(TOLERANCE_MS);
  });

  test('within a short time, whoever neither reads nor answers', async () => {
    const built = builtPage('x'.repeat(30_000_000));
    const { inspector, dial, page, host } = await serving({}, { page: { built } });
    const deaf = await dial(`GET /assets/index-abc.js HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    deaf.pause();
    (await page()).pause();
    const { took } = await timed(inspector.close({ timeoutMs: 240 }));
    expect(took).toBeLessThan(230);
  });

  test('is one, however often it is asked for', async () => {
    const { inspector, page } = await serving();
    const viewer = closeOf(await page());
    await Promise.all([inspector.close(), inspector.close(), inspector[Symbol.asyncDispose]()]);
    expect(await viewer).toBe(1001);
    await inspector.close();
  });

  test('lets go of the collector: nobody listens to it any more', async () => {
    const watched = await crowd();
    onTestFinished(() => watched.stop());
    let listening = 0;
    const { system } = watched.actor;
    const [inspect, on] = [system.inspect.bind(system), watched.collector.on.bind(watched.collector)];
    vi.spyOn(system, 'inspect').mockImplementation((observer) => {
      const subscription = inspect(observer);
      listening += 1;
      return {
        unsubscribe() {
          listening -= 1;
          subscription.unsubscribe();
        },
      };
    });
    vi.spyOn(watched.collector, 'on').mockImplementation((event, listener) => {
      const off = on(event, listener);
      listening += 1;
      return () => {
        listening -= 1;
        return off();
      };
    });
    const { inspector, get } = await servingOf(watched);
    await get('/metrics');
    expect(listening).toBeGreaterThan(1);
    await inspector.close();
    expect(listening).toBe(0);
  });

  test('frees the collector, which may be watched again, on the same port', async () => {
    const { inspector, crowd: watched, port, get } = await serving();
    await inspector.close();
    expect(await get('/')).toMatchObject({ status: 0 });
    const again = await servingOf(watched, { port });
    let actors = 0;
    await again.page('/live', (text) => {
      actors = JSON.parse(text).actors?.length ?? actors;
    });
    await until('the whole picture', () => actors > 20);
  });
});

describe('as a component', () => {
  async function driven(options: Parameters<typeof inspectorComponent>[1] = {}) {
    const watched = await crowd();
    onTestFinished(() => watched.stop());
    const urls: string[] = [];
    const onListening = (url: string): void => void urls.push(url);
    const component = inspectorComponent(watched.collector, { port: 0, onListening, ...options });
    return { watched, urls, inspector: drive(component) };
  }

  test('it says where it listens, ends, and leaves nothing; then again', async () => {
    const { inspector, urls } = await driven();
    expect(inspector.component.name).toBe('inspector');
    for (const run of [1, 2]) {
      await inspector.start();
      expect(urls).toHaveLength(run);
      const viewer = new WebSocket(`${urls.at(-1)?.replace('http', 'ws')}live`);
      await new Promise((resolve) => viewer.once('message', resolve));
      const closed = closeOf(viewer);
      const { took } = await timed(inspector.stop(2_000));
      expect(took).toBeLessThan(2 * TOLERANCE_MS);
      expect(await closed).toBe(1001);
      expect(await inspector.odd()).toEqual([]);
    }
    expect(inspector.ends).toEqual([]);
  });

  test('it takes the name, the deadline and the order that it is given', async () => {
    const { inspector } = await driven({ name: 'page', deadlineMs: 500, dependsOn: ['store'] });
    expect(inspector.component).toMatchObject({ name: 'page', deadlineMs: 500, dependsOn: ['store'] });
  });

  test('L10 a port that is taken ends its start, and its stop has nothing to do', async () => {
    const port = portOf(await taken(0));
    const { inspector, urls } = await driven({ port });
    await expect(inspector.start()).rejects.toMatchObject({ code: 'HTTP_LISTEN' });
    await within('the stop', inspector.stop(1_000), 100);
    expect(await inspector.odd()).toEqual([]);
    expect(urls).toEqual([]);
  });

  test('one that still runs is a check that failed', async () => {
    const { inspector } = await driven();
    await inspector.start();
    expect(await inspector.odd()).toEqual(['connections failed']);
  });
});
