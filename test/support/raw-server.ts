/** A server of bytes: takes TCP connections and answers what it is told to, or nothing. */
import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open. */
  sockets(): number;
  /** Connections that there were. */
  accepted(): number;
  close(): Promise<void>;
}

/** What is done with a connection once its request head is there; `head` is the text of the request. */
export type Answer = (socket: Socket, head: string) => void;

/** Takes connections and never says a word. */
export const silence: Answer = () => {};

/** Sends these bytes, then ends as told. */
export const bytes =
  (data: string | Buffer, then: 'hold' | 'fin' | 'rst' = 'hold'): Answer =>
  (socket) => {
    socket.write(data, () => {
      if (then === 'fin') socket.end();
      // What was written must leave first: a reset throws away what waits.
      if (then === 'rst') setTimeout(() => socket.resetAndDestroy(), 5);
    });
  };

/** Accepts the WebSocket handshake, then sends these bytes, then ends as told. */
export const handshake =
  (data: Buffer, then: 'hold' | 'fin' | 'rst' = 'hold'): Answer =>
  (socket, head) =>
    bytes(Buffer.concat([Buffer.from(acceptance(head)), data]), then)(socket, head);

/** The answer that a WebSocket client waits for. Source: RFC 6455, 4.2.2. */
function acceptance(head: string): string {
  const key = /^sec-websocket-key: *(\S+)/imu.exec(head)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`
  );
}

/** An unmasked text frame, as a server sends it. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}

/** Starts a server on loopback. */
export async function startRawServer(answer: Answer): Promise<RawServer> {
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    open.add(socket);
    let head = '';
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    socket.on('data', (data: Buffer) => {
      if (head.includes('\r\n\r\n')) return;
      head += data.toString('latin1');
      if (head.includes('\r\n\r\n')) answer(socket, head);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of open) socket.destroy();
    await ended;
  };
  return {
    port: (server.address() as AddressInfo).port,
    sockets: () => open.size,
    accepted: () => accepted,
    close,
    [Symbol.asyncDispose]: close,
  };
}
