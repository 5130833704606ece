import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer, type Server as TcpServer, type Socket as TcpSocket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Socket, SocketEnd } from '../../src/ports.ts';
import { openSocket } from '../../src/transport/socket.ts';
import { until } from '../support/wait.ts';
import { settle } from './fake-clock.ts';

const servers: (Server | TcpServer)[] = [];
const connections = new Set<TcpSocket>();
const sockets: Socket[] = [];
const uncaught: unknown[] = [];
const onUncaught = (error: unknown): void => void uncaught.push(error);
process.on('uncaughtExceptionMonitor', onUncaught);

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const connection of connections) connection.destroy();
  await Promise.all(
    servers.splice(0).map((server) => new Promise((resolve) => server.close(() => resolve(undefined)))),
  );
  expect(uncaught).toEqual([]);
});

async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  server.on('connection', (connection: TcpSocket) => {
    connections.add(connection);
    connection.on('error', () => {});
    connection.on('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A WebSocket server that does to each client what it is told. */
async function webSockets(onClient: (client: WebSocket, tcp: TcpSocket) => void): Promise<number> {
  const http = createHttpServer();
  const wss = new WebSocketServer({ server: http });
  wss.on('connection', (client, request) => {
    client.on('error', () => {});
    onClient(client, request.socket);
  });
  return listen(http);
}

/** A server that answers the upgrade with this text. */
const rawly = (answer: string): Promise<number> =>
  listen(createServer((tcp) => tcp.once('data', () => tcp.write(answer))));

/** Opens a socket and writes down what it hears. */
function dial(port: number, onMessage?: (socket: Socket) => void) {
  const heard: string[] = [];
  const ends: SocketEnd[] = [];
  const socket = openSocket(`ws://127.0.0.1:${port}/market/stream`, {
    opened: () => heard.push('opened'),
    message: (data) => {
      heard.push(`message ${data.length > 100 ? data.length : data.toString()}`);
      onMessage?.(socket);
    },
    heard: () => heard.push('heard'),
    closed: (end) => {
      heard.push('closed');
      ends.push(end);
    },
  });
  sockets.push(socket);
  const closed = async (): Promise<SocketEnd> => {
    await until('the end', () => ends.length > 0);
    // A second end would come at once.
    await settle();
    await settle();
    expect(ends).toHaveLength(1);
    return ends[0]!;
  };
  return { socket, heard, ends, closed };
}

/** A frame with the bit of a compression that was never agreed on. */
function packedFrame(megabytes: number): Buffer {
  const packed = deflateRawSync(Buffer.alloc(megabytes * 1_048_576));
  const head = Buffer.from([0xc1, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(packed.length, 6);
  return Buffer.concat([head, packed]);
}

const opened = (one: { heard: string[] }): Promise<void> => until('open', () => one.heard.includes('opened'));

describe('a handshake that fails', () => {
  test('nobody listens: the end tells why', async () => {
    const port = await listen(createServer());
    const server = servers.pop()!;
    await new Promise((resolve) => server.close(resolve));
    const end = await dial(port).closed();
    expect(end).toMatchObject({ code: 1006 });
    expect(end.reason).toContain('ECONNREFUSED');
    expect(end.status).toBeUndefined();
  });

  test.each([
    ['404 Not Found', '', 404, undefined],
    ['429 Too Many Requests', 'Retry-After: 17\r\n', 429, '17'],
    ['418 Teapot', 'Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n', 418, 'Wed, 21 Oct 2026 07:28:00 GMT'],
    ['503 Service Unavailable', '', 503, undefined],
    ['202 Accepted', '', 202, undefined],
    ['200 OK', '', 200, undefined],
  ])('answered with %s: status and Retry-After are told', async (line, header, status, retryAfter) => {
    const end = await dial(await rawly(`HTTP/1.1 ${line}\r\n${header}Content-Length: 3\r\n\r\nno.`)).closed();
    expect(end).toMatchObject({ code: 1006, status });
    expect(end.retryAfter).toBe(retryAfter);
    await until('the end of the connection', () => connections.size === 0);
  });

  test('X15 a redirect is not followed', async () => {
    let dialled = 0;
    const elsewhere = await webSockets(() => {
      dialled += 1;
    });
    const location = `Location: ws://127.0.0.1:${elsewhere}/\r\n`;
    const end = await dial(
      await rawly(`HTTP/1.1 302 Found\r\n${location}Content-Length: 0\r\n\r\n`),
    ).closed();
    expect(end).toMatchObject({ code: 1006, status: 302 });
    expect(dialled).toBe(0);
  });

  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    [
      'a wrong key',
      'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
    ],
  ])('%s ends it with 1006', async (_, answer) => {
    const end = await dial(await rawly(answer)).closed();
    expect(end).toMatchObject({ code: 1006 });
    expect(end.cause).toBeInstanceOf(Error);
  });

  test('never answered: ending it raises nothing, calls nobody and frees the connection', async () => {
    const port = await listen(createServer((tcp) => tcp.resume()));
    const one = dial(port);
    await until('the connection', () => connections.size === 1);
    one.socket.send('x');
    one.socket.ping();
    one.socket.terminate();
    one.socket.terminate();
    await until('the end of the connection', () => connections.size === 0);
    await settle();
    expect(one.heard).toEqual([]);
  });

  test('ended at once, before it has begun, raises nothing and calls nobody', async () => {
    const port = await webSockets(() => {});
    const one = dial(port);
    one.socket.terminate();
    const other = dial(port);
    await opened(other);
    expect(one.heard).toEqual([]);
  });

  test('closed while it dials ends, once', async () => {
    const one = dial(await listen(createServer((tcp) => tcp.resume())));
    await until('the connection', () => connections.size === 1);
    one.socket.close();
    expect((await one.closed()).code).toBe(1006);
  });
});

describe('an open socket', () => {
  test('carries texts both ways', async () => {
    const got: string[] = [];
    const port = await webSockets((client) => {
      client.on('message', (data) => {
        got.push(String(data));
        client.send('there');
      });
    });
    const one = dial(port);
    await opened(one);
    one.socket.send('here');
    await until('the answer', () => one.heard.includes('message there'));
    expect(got).toEqual(['here']);
  });

  test('X04 asks for no compression', async () => {
    let extensions = '?';
    const http = createHttpServer();
    new WebSocketServer({ server: http, perMessageDeflate: true }).on('connection', (client) => {
      extensions = client.extensions;
    });
    await opened(dial(await listen(http)));
    await until('the connection', () => extensions !== '?');
    expect(extensions).toBe('');
  });

  test('answers pings with their payload, and says that it heard', async () => {
    const pongs: string[] = [];
    const port = await webSockets((client) => {
      client.on('pong', (data) => pongs.push(data.toString()));
      client.ping('1791382992723');
    });
    const one = dial(port);
    await until('the pong', () => pongs.length === 1);
    expect(pongs).toEqual(['1791382992723']);
    expect(one.heard).toEqual(['opened', 'heard']);
    one.socket.ping();
    await until('our own pong', () => one.heard.length === 3);
  });

  test.each([
    [1001, ''],
    [1008, 'Too many requests'],
    [1012, 'restart'],
    [4000, 'own'],
  ])('closed by the server with %i tells code and reason', async (code, reason) => {
    const end = await dial(await webSockets((client) => client.close(code, reason))).closed();
    expect(end).toMatchObject({ code, reason });
  });

  test('closed by us ends with the answer of the server', async () => {
    const one = dial(await webSockets(() => {}));
    await opened(one);
    one.socket.close();
    expect((await one.closed()).code).toBe(1000);
  });

  test('closed by us, and the server never answers: ending it frees the connection and calls nobody', async () => {
    const one = dial(
      await webSockets((_client, tcp) => {
        tcp.pause();
      }),
    );
    await opened(one);
    one.socket.close();
    one.socket.terminate();
    await settle();
    expect(one.heard).toEqual(['opened']);
  });

  test('cut off in the middle of a message ends with 1006', async () => {
    const port = await webSockets((_client, tcp) => {
      // A text frame of 100 bytes, of which 5 come.
      tcp.write(Buffer.concat([Buffer.from([0x81, 100]), Buffer.from('hello')]), () => tcp.resetAndDestroy());
    });
    const one = dial(port);
    expect((await one.closed()).code).toBe(1006);
    expect(one.heard.filter((what) => what.startsWith('message'))).toEqual([]);
  });

  test.each([
    ['of fragments without an end', Buffer.concat(Array(40_000).fill(Buffer.from([0x00, 0])))],
    ['of fragments of a byte each', Buffer.concat(Array(40_000).fill(Buffer.from([0x00, 1, 0x61])))],
    ['that is packed, and unpacks to 50 MB', packedFrame(50)],
    ['that says it has 2^62 bytes', Buffer.from([0x80, 127, 0x40, 0, 0, 0, 0, 0, 0, 0])],
  ])('X04 ends at a message %s, before it is heard', async (_, bytes) => {
    const begin = Buffer.from([0x01, 1, 0x61]);
    const one = dial(await webSockets((_client, tcp) => void tcp.write(Buffer.concat([begin, bytes]))));
    const end = await one.closed();
    expect(end.code).not.toBe(1000);
    expect(end.cause).toBeInstanceOf(Error);
    expect(one.heard).toEqual(['opened', 'closed']);
  });

  test('X04 takes a megabyte, and refuses two', async () => {
    const port = await webSockets((client) => {
      client.send('x'.repeat(1_048_576));
      client.send('x'.repeat(2 * 1_048_576));
    });
    const one = dial(port);
    const end = await one.closed();
    expect([1006, 1009]).toContain(end.code);
    expect(one.heard).toEqual(['opened', 'message 1048576', 'closed']);
    expect(end.cause?.message).toMatch(/max payload/i);
  });

  test.each([
    ['a reserved opcode', Buffer.from([0x83, 0])],
    ['a masked frame', Buffer.from([0x81, 0x80, 0, 0, 0, 0])],
    ['text that is no UTF-8', Buffer.from([0x81, 2, 0xc3, 0x28])],
  ])('ends at %s', async (_, bytes) => {
    const one = dial(await webSockets((_client, tcp) => void tcp.write(bytes)));
    await one.closed();
    expect(one.heard.filter((what) => what.startsWith('message'))).toEqual([]);
  });

  test('ended inside a handler calls nobody any more, though more has come already', async () => {
    const frames = Buffer.concat([
      Buffer.from([0x81, 1, 0x61]),
      Buffer.from([0x89, 0]),
      Buffer.from([0x8a, 0]),
      Buffer.from([0x81, 1, 0x62]),
      Buffer.from([0x88, 2, 0x03, 0xe9]),
    ]);
    let ended = false;
    const port = await webSockets((client, tcp) => {
      client.on('close', () => {
        ended = true;
      });
      tcp.write(frames);
    });
    const one = dial(port, (socket) => socket.terminate());
    await until('the end at the server', () => ended);
    await settle();
    expect(one.heard).toEqual(['opened', 'message a']);
  });
});
