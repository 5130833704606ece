/** What `src/transport/http.ts` does, in simulated time and without a network. */
import { gunzipSync } from 'node:zlib';
import { ExchangeError } from '../../../src/errors.ts';
import type { Clock, HttpAnswer, HttpClient, HttpRequest } from '../../../src/ports.ts';
import type { ExchangeCore } from '../../../src/simulator/core.ts';
import { halfOf, type WebReply } from '../../../src/simulator/web.ts';
import { Ending } from '../../../src/transport/http-ending.ts';
import { asExchangeError, isBreak } from '../../../src/transport/http-errors.ts';
import { netError } from './frames.ts';
import { Lanes } from './lanes.ts';
import type { Life } from './life.ts';
import type { Path } from './path.ts';

/** As `src/transport/http.ts` has them: connections, and the times of its agent, ms. */
const CONNECTIONS = 4;
const CONNECT_MS = 10_000;
const STALL_MS = 30_000;
/** As `src/transport/receive.ts` has them. */
const ELSEWHERE: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface VirtualHttpOptions {
  readonly life: Life;
  readonly path: Path;
  readonly exchange: ExchangeCore;
  readonly clock: Clock;
  /** A request is sent. */
  readonly onRequest: () => void;
}

type Answered = Extract<WebReply, { kind: 'answer' }>;

/** One request on its way: what comes of it comes once, and nothing once it was given up. */
interface Asking {
  readonly request: HttpRequest;
  readonly isOver: () => boolean;
  began(): void;
  resolve(answer: HttpAnswer): void;
  reject(error: Error): void;
}

export function createVirtualHttp(options: VirtualHttpOptions): HttpClient {
  const closing = new AbortController();
  const lanes = new Lanes(CONNECTIONS);
  return {
    async get(request) {
      const { signals = [] } = request;
      const end = new Ending(options.clock, request.timeoutMs, [closing.signal, ...signals]);
      let hasBegun = false;
      const answer = new Promise<HttpAnswer>((resolve, reject) => {
        const isOver = (): boolean => end.signal.aborted || options.life.isDead;
        const began = (): void => {
          hasBegun = true;
        };
        lanes.enter(end.signal, () => send(options, { request, isOver, began, resolve, reject }));
      });
      const leave = (): void => lanes.leave(end.signal);
      try {
        return await Promise.race([answer, end.over]);
      } catch (error) {
        const asked = signals.find((signal) => signal.aborted);
        if (asked !== undefined) throw asked.reason;
        throw asExchangeError(error, request, end.isLate, hasBegun || isBreak(error));
      } finally {
        leave();
        end.release();
      }
    },
    async close() {
      closing.abort();
    },
  };
}

/** The request goes to the exchange, and what becomes of it comes back. */
function send(options: VirtualHttpOptions, asking: Asking): void {
  if (asking.isOver()) return;
  const { path, life, exchange } = options;
  const url = new URL(asking.request.url);
  options.onRequest();
  const later = (ms: number, callback: () => void): void => {
    path.world.setTimeout(() => {
      if (!asking.isOver()) life.deliver(() => (asking.isOver() ? undefined : callback()));
    }, ms);
  };
  const fail = (ms: number, code: string, message: string): void =>
    later(ms, () => asking.reject(netError(code, message)));
  const obstacle = path.obstacle(url);
  if (obstacle !== undefined) {
    later(path.latency(), () => asking.reject(obstacle));
    return;
  }
  if (path.cutMs > CONNECT_MS) {
    fail(CONNECT_MS, 'UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error');
    return;
  }
  const comeBack = (reply: WebReply): void => {
    if (reply.kind === 'reset') fail(path.latency(), 'ECONNRESET', 'read ECONNRESET');
    else if (reply.kind === 'silence') fail(STALL_MS, 'UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error');
    else later(path.latency(), () => receive(asking, reply, fail, new Date(path.world.wallNow())));
  };
  path.world.setTimeout(() => {
    if (life.isDead) return;
    const { pathname, search } = url;
    const asked = exchange.answer({ method: 'GET', target: pathname + search, headers: {}, isLocal: true });
    const decide = (): void => void asked.reply().then(comeBack);
    if (asked.delayMs > 0) path.world.setTimeout(decide, asked.delayMs);
    else decide();
  }, path.latency());
}

/** What `src/transport/receive.ts` makes of an answer whose head and body have come, as far as they do. */
function receive(
  asking: Asking,
  { status, headers: all, bytes: whole, ending }: Answered,
  fail: (ms: number, code: string, message: string) => void,
  sentAt: Date,
): void {
  const { maxBytes } = asking.request;
  const headers = new Headers({ date: sentAt.toUTCString(), ...all });
  if (ELSEWHERE.has(status) && headers.has('location')) {
    asking.reject(new Error(`it is sent elsewhere by HTTP ${status}`));
    return;
  }
  asking.began();
  const tooLarge = (): ExchangeError =>
    new ExchangeError(`the answer is larger than ${maxBytes} bytes`, {
      code: 'HTTP_TOO_LARGE',
      status,
      retryable: true,
    });
  const packed = ending === 'whole' ? whole : halfOf(whole);
  if (packed.length > maxBytes) asking.reject(tooLarge());
  else if (ending === 'hangs') fail(STALL_MS, 'UND_ERR_BODY_TIMEOUT', 'Body Timeout Error');
  else if (ending === 'cut') asking.reject(netError('UND_ERR_SOCKET', 'other side closed'));
  else {
    try {
      asking.resolve(answerOf(status, headers, unpack(packed, headers, maxBytes)));
    } catch (error) {
      const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
      asking.reject(isTooLarge ? tooLarge() : (error as Error));
    }
  }
}

function unpack(packed: Uint8Array, headers: Headers, maxBytes: number): Uint8Array {
  const packing = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (packed.length === 0 || packing === 'identity') return packed;
  if (packing !== 'gzip' && packing !== 'x-gzip') throw new Error(`its body is packed by ${packing}`);
  return gunzipSync(packed, { maxOutputLength: maxBytes });
}

const answerOf = (status: number, headers: Headers, bytes: Uint8Array): HttpAnswer => ({
  status,
  headers,
  bytes,
  get text() {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  },
});
