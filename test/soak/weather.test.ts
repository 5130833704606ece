/** The faults of the network do what they say, to connections that are there and to those that are dialled meanwhile. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';
import { type NetworkFault, Weather } from './weather.ts';

/** A server that sends back what it gets, behind a proxy; and a way to dial it that notes what came of it. */
async function scene() {
  const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  const other = await startTcpProxy((server.address() as AddressInfo).port);
  const weather = new Weather({ streams: proxy, rest: other });
  onTestFinished(async () => {
    await weather.clear();
    await Promise.all([proxy.close(), other.close()]);
    server.close();
  });
  return {
    proxy,
    weather,
    strike: (fault: NetworkFault) => weather.strike(fault),
    dial: () => dial(proxy.port),
  };
}

interface Dialled {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly end: () => string | undefined;
}

async function dial(port: number): Promise<Dialled> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  let end: string | undefined;
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  socket
    .once('end', () => (end ??= 'fin'))
    .once('error', (error: NodeJS.ErrnoException) => (end ??= error.code));
  await once(socket, 'connect').catch(() => undefined);
  onTestFinished(() => void socket.destroy());
  return { socket, heard: () => heard, end: () => end };
}

const FOR_MS = 60_000;
/** Longer than an echo on loopback takes. */
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

test('refused: nobody can dial, what is open stays, and afterwards all is as before', async () => {
  const { strike, weather, dial: call } = await scene();
  const old = await call();
  await strike({ kind: 'refuse', path: 'streams', forMs: FOR_MS });
  expect((await call()).end()).toBe('ECONNREFUSED');
  old.socket.write('still here');
  await until('the echo', () => old.heard() === 'still here');
  await weather.clear();
  const fresh = await call();
  fresh.socket.write('back');
  await until('the echo', () => fresh.heard() === 'back');
});

test('swallowed: nothing comes through, nobody is told, and who was struck stays dumb', async () => {
  const { strike, weather, dial: call } = await scene();
  const old = await call();
  await strike({ kind: 'blackhole', path: 'both', direction: 'toServer', forMs: FOR_MS });
  const young = await call();
  for (const { socket } of [old, young]) socket.write('lost');
  await quiet();
  await weather.clear();
  for (const { socket } of [old, young]) socket.write('lost too');
  const fresh = await call();
  fresh.socket.write('heard');
  await until('the echo', () => fresh.heard() === 'heard');
  expect([old, young].map((one) => [one.heard(), one.end()])).toEqual([
    ['', undefined],
    ['', undefined],
  ]);
});

test('clogged: nothing comes through until it is over, and nothing is lost', async () => {
  const { strike, weather, dial: call } = await scene();
  const old = await call();
  await strike({ kind: 'clog', path: 'streams', direction: 'both', forMs: FOR_MS });
  old.socket.write('a'.repeat(500_000));
  await quiet();
  expect(old.heard()).toBe('');
  await weather.clear();
  await until('all of it', () => old.heard().length === 500_000);
});

test.each<NetworkFault>([
  { kind: 'split', path: 'streams', forMs: FOR_MS },
  { kind: 'dribble', path: 'streams', bytes: 100, everyMs: 1, forMs: FOR_MS },
  { kind: 'throttle', path: 'streams', bytesPerSecond: 50_000, forMs: FOR_MS },
])('$kind: all arrives as it was sent, also on a connection dialled meanwhile', async (fault) => {
  const { strike, dial: call } = await scene();
  const old = await call();
  await strike(fault);
  const words = Array.from({ length: 400 }, (_, index) => `${index},`).join('');
  for (const { socket, heard } of [old, await call()]) {
    socket.write(words);
    await until('all of it', () => heard() === words);
  }
});

test('cut: so many bytes more, then a reset', async () => {
  const { strike, dial: call } = await scene();
  const old = await call();
  await strike({ kind: 'cut', path: 'both', bytes: 7 });
  old.socket.write('0123456789');
  await until('the end', () => old.end() !== undefined);
  expect([old.heard(), old.end()]).toEqual(['0123456', 'ECONNRESET']);
});

test.each([
  ['reset', 'ECONNRESET'],
  ['fin', 'fin'],
] as const)('%s: the connection ends at once, the next one works', async (kind, end) => {
  const { strike, dial: call } = await scene();
  const old = await call();
  await strike({ kind, path: 'streams' });
  await until('the end', () => old.end() === end);
  const fresh = await call();
  fresh.socket.write('on');
  await until('the echo', () => fresh.heard() === 'on');
});
