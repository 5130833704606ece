/** What the inspector answers, over real connections, to those who may ask and those who may not. */
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../support/wait.ts';
import { answered, lines, serving, textOf } from './serving.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
};

describe('by GET there is', () => {
  test('the page, and its assets, which browsers may keep for ever', async () => {
    const { get } = await serving();
    const page = await get('/');
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.body).toContain('assets/index-abc.js');
    expect(page.headers['cache-control']).toBe('no-store');
    expect(await get('/assets/index-abc.js?x=1')).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
      },
      body: 'console.log(1);',
    });
  });

  test('an actor with its context, whether its id is escaped or not', async () => {
    const { get, crowd } = await serving();
    const id = `0/${crowd.actor.sessionId}`;
    for (const path of [id, encodeURIComponent(id)]) {
      const { status, body } = await get(`/api/actors/${path}`);
      expect(status).toBe(200);
      expect(JSON.parse(body)).toMatchObject({ id, context: expect.anything() });
    }
  });

  test('a series with its bars, whatever its symbol is written in', async () => {
    const { get } = await serving();
    const { status, headers, body } = await get('/api/series/%42TC%55SDT/1m');
    expect({ status, type: headers['content-type'] }).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
    });
    expect(JSON.parse(body)).toMatchObject({ symbol: 'BTCUSDT', interval: '1m' });
    expect(JSON.parse(body).bars.length).toBeGreaterThan(0);
  });

  test('the figures, for Prometheus', async () => {
    const { get } = await serving();
    const { status, headers, body } = await get('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=/);
    expect(body).toMatch(/^# TYPE /m);
  });

  test('the same for a program that would rather speak HTTP/2, as that of Java', async () => {
    const { get } = await serving();
    const offer = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' };
    expect(await get('/healthz', offer)).toMatchObject({ status: 200 });
  });

  test('its health: 200 while the promise is kept, and asked by many it is looked at once', async () => {
    const { get, crowd } = await serving();
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/healthz')));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    // Once in a tenth of a second, however long a busy machine takes to ask.
    expect(crowd.collector.asked.health).toBeLessThan(10);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({
      ok: true,
      state: 'streaming',
      isConnected: true,
      streams: { live: 20 },
      ailments: [],
    });
  });

  test('its health, 503 from the moment on when it does not stream any more', async () => {
    const { get, crowd } = await serving();
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    crowd.collector.figures.state = 'stopping';
    expect(await get('/healthz')).toMatchObject({ status: 503 });
  });

  test.each([
    '/nothing',
    '//evil.example/',
    '/assets',
    '/assets/',
    '/assets/index.html',
    '/assets/../index.html',
    '/..%2f..%2f..%2f..%2fetc%2fpasswd',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/constructor',
    '/__proto__/x',
    '/healthz/x',
    '/metrics/x',
    '/live',
    '/stately',
    '/api',
    '/api/actors/nobody',
    '/api/series/BTCUSDT',
    '/api/series/BTCUSDT/1m/x',
    '/api/series/BTCUSDT/2m',
    '/api/series/NOUSDT/1m',
  ])('nothing at %s', async (path) => {
    const { get } = await serving();
    expect(await get(path)).toMatchObject({ status: 404, body: 'there is nothing here\n' });
  });

  test('on everything what keeps other sites from using it, and nothing that lets them', async () => {
    const { get } = await serving();
    for (const path of [
      '/',
      '/assets/index-abc.js',
      '/healthz',
      '/metrics',
      '/api/series/BTCUSDT/1m',
      '/x',
    ]) {
      const { headers } = await get(path);
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/^default-src 'none'; script-src 'self'; /),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      if (!path.startsWith('/assets')) expect(headers['cache-control']).toBe('no-store');
    }
  });
});

describe('refused', () => {
  const request = (head: string, headers: Readonly<Record<string, string>>, body = ''): string =>
    `${head}\r\n${lines(headers)}\r\n${body}`;

  test('X11 a foreign Host, also as rebinding brings it, and one with another port', async () => {
    const { send, port } = await serving();
    for (const Host of [`evil.example:${port}`, `127.0.0.1.nip.io:${port}`, '127.0.0.1:1', '127.0.0.1']) {
      const answer = await send(request('GET /healthz HTTP/1.1', { Host }));
      expect(answer, Host).toMatchObject({ status: 403, headers: { connection: 'close' } });
      expect(answer.body).toContain("'allowedHosts'");
      expect(answer.body).not.toContain(String(port));
    }
  });

  test('X11 no Host, and two', async () => {
    const { send, host } = await serving();
    expect(await send('GET / HTTP/1.1\r\n\r\n')).toMatchObject({ status: 400 });
    expect(await send('GET / HTTP/1.0\r\n\r\n')).toMatchObject({ status: 400 });
    const two = `GET / HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example\r\n\r\n`;
    expect(await send(two)).toMatchObject({ status: 400 });
  });

  test('X11 a foreign Origin, while the own one may', async () => {
    const { get, host } = await serving();
    for (const Origin of ['http://evil.example', 'null', 'http://127.0.0.1:1', `https://${host}`])
      expect(await get('/healthz', { Origin }), Origin).toMatchObject({ status: 403 });
    expect(await get('/healthz', { Origin: `http://${host}` })).toMatchObject({ status: 200 });
  });

  test.each(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])(
    '%s, and what it brings is not read',
    async (method) => {
      const { send, host } = await serving();
      const headers = { Host: host, 'Content-Length': '1000000' };
      const answer = await send(request(`${method} /healthz HTTP/1.1`, headers, '{'));
      expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET', connection: 'close' } });
    },
  );

  test.each([{ 'Content-Length': '9' }, { 'Transfer-Encoding': 'chunked' }])(
    'a GET with a body: %j',
    async (how) => {
      const { send, host } = await serving();
      const headers = { Host: host, ...how };
      expect(await send(request('GET / HTTP/1.1', headers))).toMatchObject({ status: 400 });
      const expecting = { ...headers, Expect: '100-continue' };
      expect(await send(request('GET / HTTP/1.1', expecting))).toMatchObject({ status: 400 });
    },
  );

  test.each(['/%', '/%00', '/assets/%00', '/%ff', 'http://127.0.0.1/', '*'])(
    'what is no path: %s',
    async (path) => {
      const { get } = await serving();
      expect(await get(path)).toMatchObject({ status: 400 });
    },
  );

  test('an endless address, and endless headers', async () => {
    const { get } = await serving();
    expect(await get(`/${'a'.repeat(3_000)}`)).toMatchObject({ status: 414 });
    expect(await get('/', { 'X-Long': 'a'.repeat(8_200) })).toMatchObject({ status: 431 });
    expect(await get(`/${'a'.repeat(20_000)}`)).toMatchObject({ status: 431 });
  });

  test.each([
    ['a foreign Host', '/live', { Host: 'evil.example' }, 403],
    ['a foreign Origin', '/live', { Origin: 'http://evil.example' }, 403],
    ['another path', '/', {}, 404],
    ['a path below', '/live/x', {}, 404],
    ['the hosted viewer, which nobody asked for', '/stately/live', {}, 404],
    ['no key', '/live', { 'Sec-WebSocket-Key': '' }, 400],
  ])('a WebSocket with %s', async (_, path, headers, status) => {
    const { get } = await serving();
    expect(await get(path, { ...UPGRADE, ...headers })).toMatchObject({ status });
  });
});

describe('the WebSocket of the page', () => {
  test('begins with the whole picture, and is not compressed', async () => {
    const { host, dial } = await serving();
    const own = { Host: host, Origin: `http://${host}`, ...UPGRADE };
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
    const socket = await dial(`GET /live HTTP/1.1\r\n${lines({ ...own, ...offer })}\r\n`);
    const text = textOf(socket);
    await until('the picture', () => socket.bytesRead > 1_000);
    socket.destroy();
    const { status, headers, body } = answered(await text);
    expect(status).toBe(101);
    expect(headers['sec-websocket-extensions']).toBeUndefined();
    expect(body).toContain('"type":"picture"');
  });

  test('says no more than 1 KB', async () => {
    const { page } = await serving();
    const socket = await page();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(1_025));
    expect(await closed).toBe(1009);
  });

  test('is had by 32 at once; when one has gone, the next may come', async () => {
    const { page, get } = await serving();
    const pages = await Promise.all(Array.from({ length: 32 }, () => page()));
    expect(await get('/live', UPGRADE)).toMatchObject({ status: 503 });
    const [first] = pages as [WebSocket];
    first.close();
    await until('it has gone', () => first.readyState === WebSocket.CLOSED);
    await page();
  });
});

describe('the hosted viewer, when it was asked for,', () => {
  test('has a page that may show it, and that alone, and a WebSocket of its own', async () => {
    const { get, page } = await serving({ viewer: 'stately' });
    const { status, headers, body } = await get('/stately');
    expect({ status, body }).toEqual({ status: 200, body: '<!doctype html>viewer' });
    expect(headers['content-security-policy']).toContain('frame-src https://stately.ai;');
    expect((await get('/')).headers['content-security-policy']).not.toContain('stately');
    const socket = await page('/stately/live');
    await new Promise((resolve) => socket.once('message', resolve));
  });
});

describe('a route that throws', () => {
  test('answers 500, is told of once, and ends nothing else', async () => {
    const { get, log, crowd } = await serving();
    crowd.collector.health = () => {
      throw new Error('figures of a secret');
    };
    for (const _ of [1, 2]) {
      const { status, body } = await get('/healthz');
      expect(status).toBe(500);
      expect(body).not.toContain('secret');
    }
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(await get('/')).toMatchObject({ status: 200 });
  });
});
