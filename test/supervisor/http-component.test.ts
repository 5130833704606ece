/** An HTTP server as a part of an application: no client, however it behaves, holds its end. */
import { once } from 'node:events';
import {
  Agent,
  createServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, get as getSecurely } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpServerComponent } from '../../src/supervisor/http-component.ts';
import { TOLERANCE_MS, timed, until, within } from '../support/wait.ts';
import { drive } from './driven.ts';

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A server of that handler, led as a component, listening. */
async function serving(handler: RequestListener) {
  const server = createServer(handler);
  const http = drive(httpServerComponent(server, { port: 0 }));
  await http.start();
  const port = portOf(server);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const ask = async (): Promise<string> => {
    const [response] = (await once(get({ port, agent }), 'response')) as [IncomingMessage];
    let text = '';
    for await (const piece of response) text += piece;
    return text;
  };
  /** A connection of bytes. */
  const dial = async (text: string): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  const connections = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  return { server, http, port, ask, dial, connections };
}

const WHOLE = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const hang: RequestListener = () => {};
const greet: RequestListener = (_, response) => response.end('hello');

describe('an HTTP server as a component', () => {
  test('listens on loopback when it has started, and no more when it has stopped; then again', async () => {
    const { server, http, ask, port } = await serving(greet);
    expect(server.address()).toMatchObject({ address: '127.0.0.1' });
    expect(http.component.name).toBe('http');
    expect(await ask()).toBe('hello');
    const { value: end, took } = await timed(http.stop(2_000));
    expect(took).toBeLessThan(TOLERANCE_MS);
    expect(end).toEqual({});
    expect(await http.verify()).toEqual([{ name: 'connections', outcome: 'ok' }]);
    const refused = connect(port, '127.0.0.1');
    expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
    await http.start();
    expect(server.listening).toBe(true);
    await http.stop(100);
    expect(http.ends).toEqual([]);
    expect(
      server.eventNames().filter((name) => ['upgrade', 'error', 'close'].includes(String(name))),
    ).toEqual([]);
  });

  test('answers what it answered without being a component: a wish to upgrade that nobody grants, too', async () => {
    const { dial } = await serving(greet);
    const [answer] = await once(await dial(UPGRADE), 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 .*hello/s);
  });

  test('L10 a port that is taken is refused by its number, and its stop has nothing to do', async () => {
    const { port, ask } = await serving(greet);
    const second = drive(httpServerComponent(createServer(), { name: 'page', port }));
    await expect(second.start()).rejects.toMatchObject({
      code: 'HTTP_LISTEN',
      message: `port ${port} on 127.0.0.1 is taken by another program; stop it or choose another port`,
    });
    await within('the stop', second.stop(1_000), 100);
    expect(await second.odd()).toEqual([]);
    expect(await ask()).toBe('hello');
  });

  test.each([-1, 70_000, Number.NaN])(
    'a port that is none is refused, and leaves no listener: %d',
    async (port) => {
      const server = createServer();
      await expect(drive(httpServerComponent(server, { port })).start()).rejects.toMatchObject({
        code: 'HTTP_LISTEN',
        cause: { code: 'ERR_SOCKET_BAD_PORT' },
      });
      expect(server.listenerCount('error')).toBe(0);
    },
  );

  test('an address that is not of this machine is refused, too', async () => {
    const http = drive(httpServerComponent(createServer(), { port: 0, host: '192.0.2.1' }));
    await expect(http.start()).rejects.toThrow(/^port 0 on 192\.0\.2\.1 cannot be listened on: /);
  });

  test('a start that is aborted ends, and leaves nothing', async () => {
    const server = createServer();
    const http = drive(httpServerComponent(server, { port: 0 }));
    const starting = http.start();
    http.starting.abort(new Error('stopped meanwhile'));
    await expect(starting).rejects.toThrow('stopped meanwhile');
    await within('the stop', http.stop(1_000), 100);
    expect(server.listening).toBe(false);
    await expect(http.start()).rejects.toThrow('stopped meanwhile');
    expect(await http.odd()).toEqual([]);
  });

  test('one that closes or fails by itself tells so', async () => {
    const { server, http } = await serving(greet);
    const failure = new Error('out of files');
    server.emit('error', failure);
    server.close();
    await until('it has closed', () => http.ends.length === 2);
    expect(http.ends).toEqual([failure, undefined]);
    await within('the stop', http.stop(1_000), 100);
  });
});

describe('its stop', () => {
  test('ends connections that are kept alive at once', async () => {
    const { http, ask, connections } = await serving(greet);
    await Promise.all([ask(), ask(), ask()]);
    expect(await connections()).toBe(3);
    const { took } = await timed(http.stop(5_000));
    expect(took).toBeLessThan(TOLERANCE_MS);
    expect(await http.odd()).toEqual([]);
  });

  test('waits for a request that runs, answers it whole, and then ends its connection at once', async () => {
    const size = 3_000_000;
    const asked = Promise.withResolvers<() => void>();
    const { http, ask } = await serving((_, response) =>
      asked.resolve(() => response.end(Buffer.alloc(size, 'x'))),
    );
    const answer = ask();
    const finish = await asked.promise;
    const stopping = http.stop(5_000);
    // It stops already, and the request is answered only now.
    finish();
    const { took } = await timed(within('the stop', stopping));
    expect(took).toBeLessThan(1_000);
    expect(await answer).toHaveLength(size);
    expect(await stopping).toEqual({});
    expect(await http.odd()).toEqual([]);
  });

  test('waits for one over HTTPS, too', async () => {
    const psk = Buffer.alloc(16, 7);
    const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
    const running = Promise.withResolvers<ServerResponse>();
    const secure = { ...tls, pskIdentityHint: 'x', pskCallback: () => psk };
    const server = createSecureServer(secure, (_, response) => running.resolve(response));
    const http = drive(httpServerComponent(server, { port: 0 }));
    await http.start();
    const client = { ...tls, agent: false as const, pskCallback: () => ({ psk, identity: 'x' }) };
    const asked = getSecurely({ ...client, port: portOf(server), checkServerIdentity: () => undefined });
    const response = await running.promise;
    const stopped = http.stop(2_000);
    response.end('hello');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(String(await answer.toArray())).toBe('hello');
    expect(await stopped).toEqual({});
    expect(await http.verify()).toEqual([{ name: 'connections', outcome: 'ok' }]);
  });

  test('lets an answer that is written, and on its way to a slow reader, arrive whole', async () => {
    const size = 20_000_000;
    const { server, http, dial } = await serving((_, response) => response.end(Buffer.alloc(size, 'x')));
    const asked = once(server, 'request');
    const socket = await dial(WHOLE);
    socket.pause();
    await asked;
    const stopping = http.stop(5_000);
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
    });
    socket.resume();
    expect(await within('the stop', stopping)).toEqual({});
    await until('the last byte', () => received > size);
  });

  test.each([
    ['a request that is never answered', hang, WHOLE],
    [
      'a client that never reads its answer',
      ((_, response) => void response.end(Buffer.alloc(50_000_000))) satisfies RequestListener,
      WHOLE,
    ],
    [
      'a request whose body never ends',
      hang,
      'POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nhalf',
    ],
  ])('cuts off %s after half of its time, and says so', async (_, handler, text) => {
    const { server, http, dial } = await serving(handler);
    const asked = once(server, 'request');
    const socket = await dial(text);
    socket.pause();
    await asked;
    const { value: end, took } = await timed(http.stop(300));
    expect(took).toBeLessThan(150 + TOLERANCE_MS);
    expect(end).toEqual({ notes: { 'cut off': 1 } });
    expect(await http.odd()).toEqual([]);
  });

  test('does not wait for a client that sends its request a byte at a time', async () => {
    const { server, http, dial } = await serving(greet);
    const taken = once(server, 'connection');
    const slow = await dial('GET / HTTP/1.1\r\nHost: he');
    await taken;
    const closed = new Promise((resolve) => slow.resume().once('close', resolve));
    const { took } = await timed(http.stop(5_000));
    expect(took).toBeLessThan(TOLERANCE_MS);
    await within('the end of the connection', closed, 1_000);
    expect(await http.odd()).toEqual([]);
  });

  test('ends a socket that a handler took over: whoever has it has stopped before', async () => {
    const { server, http, dial } = await serving(greet);
    server.on('upgrade', (_, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const socket = await dial(UPGRADE);
    await once(socket, 'data');
    const { took } = await timed(http.stop(5_000));
    expect(took).toBeLessThan(TOLERANCE_MS);
    expect(await http.odd()).toEqual([]);
  });

  test('cuts off everything at once when its time is over', async () => {
    const { server, http, dial } = await serving(hang);
    const asked = once(server, 'request');
    await dial(WHOLE);
    await asked;
    const deadline = new AbortController();
    const stopping = http.stop(60_000, deadline.signal);
    deadline.abort();
    await within('the stop', stopping, 100);
    expect(await http.odd()).toEqual([]);
  });

  test('of a server that a connection was left on is a check that failed', async () => {
    const { http, dial, server } = await serving(hang);
    const asked = once(server, 'request');
    await dial(WHOLE);
    await asked;
    expect(await http.verify()).toEqual([
      { name: 'connections', outcome: 'failed', detail: 'the server still listens' },
    ]);
    server.close();
    expect(await http.verify()).toEqual([{ name: 'connections', outcome: 'failed', detail: '1 are left' }]);
  });
});
