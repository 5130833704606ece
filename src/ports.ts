/**
 * The seams to the world. Everything ambient (time, timers, randomness, sockets, HTTP, log) reaches the
 * program through one of these, so that a simulation can own all of it.
 */

/** Opaque handle of a timer. */
export type Timer = unknown;

/** Time. `now` is monotonic and for durations; `wallNow` is the local calendar and only for stamps. */
export interface Clock {
  /** Monotonic ms; its zero means nothing. */
  now(): number;
  /** Local wall clock, ms since epoch. It may be wrong and may jump: never decides about bars. */
  wallNow(): number;
  setTimeout(callback: () => void, delayMs: number): Timer;
  clearTimeout(timer: Timer): void;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** A logger as winston's: message first, then fields. */
export interface Logger {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** One WebSocket, already dialling when it is returned. Handlers are never called after `terminate`. */
export interface Socket {
  /** Sends a text frame. Silently nothing unless open. */
  send(text: string): void;
  /** Sends a protocol ping. Silently nothing unless open. */
  ping(): void;
  /** Starts the closing handshake; `closed` follows when the peer answers. */
  close(): void;
  /** Destroys the socket at once; no handler is called any more. */
  terminate(): void;
}

export interface SocketHandlers {
  opened(): void;
  /** A text or binary message, its bytes as received. */
  message(data: Buffer): void;
  /** The peer's pong, or its ping (which has been answered already). */
  heard(): void;
  /** The end, asked for or not, and also a failed dial. Called exactly once. */
  closed(end: SocketEnd): void;
  /** Has messages given as they stand in what was read, where that is possible. */
  readonly direct?: DirectHandlers;
}

/** Who knows messages by their bytes, so that nothing needs to be made of those that are usual. */
export interface DirectHandlers {
  /** Something was read: what is given until the next call came with it. */
  arrived(): void;
  /**
   * A text message, not known to be UTF-8: the bytes from `from` to before `to`, which are its only for this call. Returns
   * whether that was it; if not, the message comes again, as any other.
   */
  message(bytes: Uint8Array, from: number, to: number): boolean;
}

export interface SocketEnd {
  /** WebSocket close code; 1006 when there was no close frame. */
  readonly code: number;
  readonly reason: string;
  /** HTTP status of a refused handshake. */
  readonly status?: number;
  /** `Retry-After` and `Date` of a refused handshake, verbatim. */
  readonly retryAfter?: string;
  readonly date?: string;
  /** Beginning of the body of a handshake that was refused for a limit (418, 429). */
  readonly text?: string;
  /** The error behind it, if there was one. */
  readonly cause?: Error;
}

export type OpenSocket = (url: string, handlers: SocketHandlers) => Socket;

/** One HTTP GET answered, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** The body, unpacked, at most `maxBytes` long. */
  readonly bytes: Uint8Array;
  /** The same as text of UTF-8, made of it when it is asked for. */
  readonly text: string;
}

export interface HttpRequest {
  readonly url: string;
  /** Over connection, headers and body together, ms. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Each ends it when it is aborted. */
  readonly signals?: readonly AbortSignal[];
}

/** GET over kept-alive connections. `close` destroys them all and aborts what is under way. */
export interface HttpClient {
  get(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}
