/** An inspector of a crowd, asked byte by byte. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { InspectorOptions } from '../../src/inspector/options.ts';
import { type Inside, type OpenInspector, serveInspector } from '../../src/inspector/serve/serve.ts';
import { folder, Memo } from '../support/collector.ts';
import { type Crowd, crowd } from './crowd.ts';

/** What was answered, and that the connection has ended. */
export interface Answered {
  /** 0: the connection ended without a word. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Serving {
  readonly inspector: OpenInspector;
  readonly crowd: Crowd;
  readonly log: Memo;
  readonly port: number;
  /** `127.0.0.1:8787` */
  readonly host: string;
  /** Sends these bytes and waits for the end of the connection. */
  send(bytes: string): Promise<Answered>;
  /** GET of a path as a program does it, the connection closed behind it. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answered>;
  /** A connection that is left open. */
  dial(bytes?: string): Promise<Socket>;
  /** A WebSocket that is open. */
  page(path?: string, hear?: (text: string) => void): Promise<WebSocket>;
}

/** A page that is built: three files. */
export function builtPage(script = 'console.log(1);', path = join(folder(), 'inspector')): string {
  mkdirSync(join(path, 'assets'), { recursive: true });
  writeFileSync(join(path, 'index.html'), '<!doctype html><script src="./assets/index-abc.js"></script>');
  writeFileSync(join(path, 'stately.html'), '<!doctype html>viewer');
  writeFileSync(join(path, 'assets/index-abc.js'), script);
  return path;
}

/** Time-outs that a test can wait for. */
export const SHORT = {
  headersTimeoutMs: 150,
  requestTimeoutMs: 150,
  keepAliveTimeoutMs: 150,
  answerTimeoutMs: 150,
  checkEveryMs: 30,
} as const;

export async function serving(options: InspectorOptions = {}, inside: Inside = {}): Promise<Serving> {
  const watched = await crowd();
  onTestFinished(() => watched.stop());
  return servingOf(watched, options, inside);
}

export async function servingOf(
  watched: Crowd,
  options: InspectorOptions = {},
  inside: Inside = {},
): Promise<Serving> {
  const log = new Memo();
  const page = { built: builtPage(), sources: undefined, ...inside.page };
  const inspector = await serveInspector(
    watched.collector,
    { port: 0, logger: log, ...options },
    { ...inside, page },
  );
  onTestFinished(() => inspector.close());
  const { port: digits, host } = new URL(inspector.url);
  const port = Number(digits);
  const dial = async (bytes = ''): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    if (bytes !== '') socket.write(bytes);
    return socket;
  };
  const send = async (bytes: string): Promise<Answered> => {
    const socket = await dial(bytes);
    return answered(await textOf(socket));
  };
  return {
    inspector,
    crowd: watched,
    log,
    port,
    host,
    dial,
    send,
    get: (path, headers = {}) =>
      send(`GET ${path} HTTP/1.1\r\n${lines({ Host: host, Connection: 'close', ...headers })}\r\n`),
    async page(path = '/live', hear = () => {}) {
      const socket = new WebSocket(`ws://${host}${path}`);
      // The first message may come with the handshake.
      socket.on('message', (data) => hear(String(data)));
      onTestFinished(() => socket.terminate());
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      return socket;
    },
  };
}

/** Header lines, each with its end. */
export const lines = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/** All that comes until the connection ends. */
export async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

export function answered(text: string): Answered {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
  const [first = '', ...rest] = head.split('\r\n');
  const headers = rest.map((line) => /^([^:]+): ?(.*)$/.exec(line)?.slice(1) ?? []);
  return {
    status: Number(first.split(' ')[1] ?? 0),
    headers: Object.fromEntries(headers.map(([name = '', value = '']) => [name.toLowerCase(), value])),
    body,
  };
}
