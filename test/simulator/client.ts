import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Clock } from '../../src/ports.ts';

/** A kline frame in its envelope. */
export interface Frame {
  readonly stream: string;
  readonly data: { readonly e: string; readonly E: number; readonly s: string; readonly k: Kline };
}

/** The `k` object of a frame. */
export interface Kline {
  readonly t: number;
  readonly T: number;
  readonly s: string;
  readonly i: string;
  readonly f: number;
  readonly L: number;
  readonly o: string;
  readonly c: string;
  readonly h: string;
  readonly l: string;
  readonly v: string;
  readonly n: number;
  readonly x: boolean;
  readonly q: string;
  readonly V: string;
  readonly Q: string;
  readonly B: string;
}

/** Asks again and again until there is an answer; fails after `ms`. */
export async function eventually<T>(ask: () => T | undefined | false, what: string, ms = 8000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = ask();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await pause(4);
  }
}

/** A WebSocket client that remembers everything. */
export class Client {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  readonly binary: Buffer[] = [];
  readonly pings: string[] = [];
  pongs = 0;
  status: number | undefined;
  retryAfter: string | undefined;
  location: string | undefined;
  failure: Error | undefined;
  closed: { code: number; reason: string } | undefined;

  constructor(url: string, options: { origin?: string; headers?: Record<string, string> } = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.binary.push(data);
      else this.texts.push(data.toString());
    });
    this.socket.on('ping', (data: Buffer) => this.pings.push(data.toString()));
    this.socket.on('pong', () => this.pongs++);
    this.socket.on('error', (error) => {
      this.failure = error;
    });
    this.socket.on('unexpected-response', (request, response) => {
      this.status = response.statusCode;
      this.retryAfter = response.headers['retry-after'];
      this.location = response.headers.location;
      request.destroy();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  static async open(url: string): Promise<Client> {
    const client = new Client(url);
    await eventually(() => client.socket.readyState === WebSocket.OPEN, 'the handshake');
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Everything that was no data frame, parsed. */
  replies(): Record<string, unknown>[] {
    return this.texts
      .filter((text) => text.startsWith('{"result"') || text.startsWith('{"error"'))
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  /** The reply to one more request. */
  async ask(message: unknown): Promise<Record<string, unknown>> {
    const before = this.replies().length;
    this.send(message);
    return eventually(() => this.replies()[before], `a reply to ${JSON.stringify(message)}`.slice(0, 200));
  }

  /** Kline frames of a stream so far (all if not given). */
  frames(stream?: string): Frame[] {
    return this.texts
      .filter((text) => text.startsWith('{"stream"'))
      .map((text) => JSON.parse(text) as Frame)
      .filter((frame) => stream === undefined || frame.stream === stream);
  }

  closes(stream?: string): Frame[] {
    return this.frames(stream).filter((frame) => frame.data.k.x);
  }

  end(): Promise<{ code: number; reason: string }> {
    return eventually(() => this.closed, 'the end of the socket');
  }
}

/** A GET request: status, headers and body. */
export async function get(url: string): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(url);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The JSON body of a GET request. */
export const getJson = async <T>(url: string): Promise<T> => JSON.parse((await get(url)).text) as T;

/** A clock that stands still until it is moved. Monotonic and wall time begin at the same number. */
export class HandClock implements Clock {
  #now: number;
  #timers: { due: number; callback: () => void }[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  now = (): number => this.#now;
  wallNow = (): number => this.#now;

  setTimeout = (callback: () => void, delayMs: number): object => {
    const timer = { due: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return timer;
  };

  clearTimeout = (timer: unknown): void => {
    this.#timers = this.#timers.filter((it) => it !== timer);
  };

  /** Moves to `time`; what is due on the way happens at its time. */
  moveTo(time: number): void {
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.due - b.due);
      if (next === undefined || next.due > time) break;
      this.clearTimeout(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
    }
    this.#now = time;
  }

  /** It is `time` at once, as on a busy machine: what was due on the way happens late, when time goes on. */
  leap(time: number): void {
    this.#now = time;
  }

  move(ms: number): void {
    this.moveTo(this.#now + ms);
  }
}
