import type { Socket as Connection } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { LIMITS } from '../binance/venue.ts';
import type { OpenSocket, Socket, SocketEnd, SocketHandlers } from '../ports.ts';
import { Shortcut } from './shortcut.ts';
import { TLS } from './tls.ts';

/** `closeTimeout` (ms until a peer that does not answer our close frame is cut off) is not in the types yet. */
const OPTIONS: ClientOptions & { closeTimeout: number } = {
  maxPayload: LIMITS.frameBytesMax,
  perMessageDeflate: false,
  followRedirects: false,
  ...TLS,
  // The machine has deadlines of its own for both; these only make sure that `ws` ends some day.
  handshakeTimeout: 30_000,
  closeTimeout: 10_000,
};

/** How much of the body of a refusal is read, and how long it may be silent, characters and ms. */
const REFUSAL_BODY_MAX = 4_096;
const REFUSAL_BODY_MS = 1_000;

/**
 * A WebSocket by `ws`: no compression (kline frames are small, and a deflate bomb can't be sent), frames
 * bounded, redirects not followed, and its errors always handled: an `error` without a listener would end
 * the process.
 */
export const openSocket: OpenSocket = (url: string, handlers: SocketHandlers): Socket => {
  const socket = new WebSocket(url, OPTIONS);
  let end: Partial<SocketEnd> = {};
  let finished = false;
  const finish = (code: number, reason: string): void => {
    if (finished) return;
    finished = true;
    handlers.closed({ code, reason, ...end });
  };

  const heard = (): void => {
    // Frames that came in one piece with the last are still read after `terminate`.
    if (!finished) handlers.heard();
  };

  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN;
  let connection: Connection | undefined;
  let shortcut: Shortcut | undefined;
  socket.on('upgrade', (response) => {
    connection = response.socket;
  });
  socket.on('open', () => {
    if (handlers.direct !== undefined) shortcut = Shortcut.begin(connection, handlers.direct, isOpen);
    if (!finished) handlers.opened();
  });
  socket.on('message', (data) => {
    if (!finished) handlers.message(data as Buffer);
  });
  socket.on('pong', heard);
  socket.on('ping', heard);
  socket.on('unexpected-response', (request, response) => {
    const { 'retry-after': retryAfter, date } = response.headers;
    end = {
      status: response.statusCode ?? 0,
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(date === undefined ? {} : { date }),
    };
    const { statusCode, socket: connection } = response;
    // Having taken the answer over, it is ours to end it; 'close' does not follow by itself.
    const done = (text: string): void => {
      if (text !== '') end = { ...end, text };
      request.destroy();
      // A request whose answer has been read to its end has let go of its connection.
      connection.destroy();
      finish(1006, `handshake answered with HTTP ${statusCode}`);
    };
    let text = '';
    // Only these may say in the body until when.
    if (statusCode !== 418 && statusCode !== 429) return done('');
    response.setEncoding('utf8');
    response.on('data', (piece: string) => {
      text = (text + piece).slice(0, REFUSAL_BODY_MAX);
    });
    response.on('end', () => done(text));
    response.on('error', () => done(text));
    response.setTimeout(REFUSAL_BODY_MS, () => done(text));
  });
  socket.on('error', (error) => {
    end = { ...end, cause: error };
  });
  socket.on('close', (code, reason) => {
    const text = reason.toString('utf8');
    finish(code, text !== '' ? text : (end.cause?.message ?? ''));
  });

  return {
    send: (text) => {
      if (isOpen()) socket.send(text);
    },
    ping: () => {
      if (isOpen()) socket.ping();
    },
    close: () => {
      shortcut?.end();
      // Closing a socket that still dials makes `ws` emit an error; the listener above takes it.
      socket.close(1000);
    },
    terminate: () => {
      finished = true;
      shortcut?.end();
      socket.terminate();
    },
  };
};
