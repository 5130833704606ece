import { LIMITS } from '../binance/venue.ts';
import type { Clock, Timer } from '../ports.ts';
import { type Bulletin, CONTRACT_INFO } from './bulletin.ts';
import { type Command, errorReply, readCommand, resultReply } from './control-messages.ts';
import type { FaultBoard } from './faults.ts';
import type { Feed } from './feed.ts';
import type { Sink } from './feed-stream.ts';
import type { KnownStream } from './frames.ts';
import type { Journal } from './journal.ts';
import type { Line, LineEvents } from './line.ts';
import type { Mutes } from './mutes.ts';
import type { Route } from './routes.ts';

export interface SessionPorts {
  readonly clock: Clock;
  readonly now: () => number;
  readonly feed: Feed;
  readonly bulletin: Bulletin;
  readonly faults: FaultBoard;
  readonly mutes: Mutes;
  readonly journal: Journal;
  readonly find: (name: string) => KnownStream | undefined;
  readonly garbage: (text?: string) => string | Uint8Array;
  /** Wall ms between two pings of the server. */
  readonly pingMs: number;
  /** Wall ms within which the client must have answered a ping. */
  readonly pongMs: number;
  /** Wall ms after which a connection is closed. */
  readonly lifetimeMs: number;
}

/** Messages answered in a burst before the socket is closed with 1008. Source: measured 2026-10-07. */
const BURST = 15;
/** A client that reads this slowly is cut off, so that it cannot fill the exchange's memory. */
const BACKLOG_BYTES = 64 * 1_048_576;
/** Close code of a server that ends connections on purpose. Source: RFC 6455, 7.4.1. */
const GOING_AWAY = 1001;
/** Wall ms between the close frame of a drop and the end of its TCP connection. */
const DROP_MS = 100;

/** One open WebSocket: its subscriptions, its limits, its faults. */
export class Session implements Sink, LineEvents {
  readonly number: number;
  readonly #ports: SessionPorts;
  readonly #line: Line;
  readonly #onClosed: (session: Session, code: number) => void;
  readonly #route: Route;
  readonly #names = new Set<string>();
  #combined: boolean;
  #tokens = BURST;
  #refilledAt: number;
  #frames = 0;
  #ended = false;
  #halfOpen = false;
  readonly #openedAt: number;
  #pingTimer: Timer | undefined;
  /** Runs while a ping is not answered. */
  #pongTimer: Timer | undefined;
  readonly #timers = new Set<Timer>();

  constructor(
    number: number,
    ports: SessionPorts,
    line: Line,
    route: Route,
    onClosed: (session: Session, code: number) => void,
  ) {
    this.number = number;
    this.#ports = ports;
    this.#line = line;
    this.#onClosed = onClosed;
    this.#route = route;
    this.#combined = route.combined;
    this.#refilledAt = this.#openedAt = ports.clock.now();
    this.#keepPinging();
    // Source: Websocket Market Streams, 2026-05-28: a connection is valid for 24 hours. The code is not documented.
    this.#later(ports.lifetimeMs, () => this.drop(GOING_AWAY, ''));
  }

  /** Streams that it subscribed to, known or not. */
  get streams(): number {
    return this.#names.size;
  }

  /** Wall ms since the handshake. */
  get ageMs(): number {
    return Math.round(this.#ports.clock.now() - this.#openedAt);
  }

  /** Subscribes to the streams of the path. */
  begin(): void {
    if (this.#subscribe(this.#route.names)) return;
    this.#reply(errorReply(4, 'Too many subscriptions'));
    this.#close(1008, 'Invalid request');
  }

  cork(): void {
    this.#line.cork();
  }

  uncork(): void {
    this.#line.uncork();
  }

  frame(data: string, combined: string): void {
    if (this.#ended || this.#halfOpen) return;
    const fault = this.#ports.faults.find('malformed', ({ every }) => every !== undefined);
    if (fault?.every !== undefined && ++this.#frames % fault.every === 0) {
      this.#ports.faults.take('malformed', (candidate) => candidate === fault);
      this.garbage(fault.text);
    }
    this.#line.send(this.#combined ? combined : data);
    if (this.#line.backlogBytes > BACKLOG_BYTES) this.destroy();
  }

  /** Sends an event of the exchange itself, and may close the socket afterwards. */
  notice(event: string, closeAfterMs: number | undefined): void {
    this.#reply(JSON.stringify({ e: event, E: this.#ports.now() }));
    if (closeAfterMs !== undefined) this.#later(closeAfterMs, () => this.drop(GOING_AWAY, ''));
  }

  /** Sends what is no frame of the exchange. */
  garbage(text: string | undefined): void {
    if (!this.#halfOpen) this.#line.send(this.#ports.garbage(text));
  }

  /** With a code a close frame and then the end; without one the TCP connection breaks. */
  drop(code: number | undefined, reason: string): void {
    if (code === undefined || this.#halfOpen) this.destroy();
    else {
      this.#line.close(code, reason);
      this.#later(DROP_MS, () => this.destroy());
    }
  }

  /** Ends in the middle of a frame. */
  tear(end: 'fin' | 'reset'): void {
    if (this.#ended) return;
    this.#leave();
    this.#line.tear(end);
  }

  /** Lets its bytes out slowly; undefined: at once again. */
  dribble(bytesPerSecond: number | undefined): void {
    this.#line.dribble(bytesPerSecond, BACKLOG_BYTES);
  }

  /** Neither reads nor sends any more, and does not say so. */
  setHalfOpen(halfOpen: boolean): void {
    this.#halfOpen = halfOpen;
    this.#line.setDeaf(halfOpen);
  }

  destroy(): void {
    this.#line.destroy();
  }

  message(data: Buffer): void {
    const text = data.toString('utf8');
    this.#log('message', { text, bytes: data.length });
    if (!this.#spend()) return;
    const command = readCommand(text, data.length);
    const id = command.kind === 'refused' ? undefined : command.id;
    const error = this.#ports.faults.take('errorAck');
    if (error) {
      this.#reply(errorReply(error.code, error.msg, id));
      return;
    }
    const reply = this.#execute(command);
    if (this.#ports.faults.take('noAck')) return;
    this.#reply(reply);
  }

  ping(data: Buffer): void {
    this.#log('ping', { bytes: data.length });
    if (!this.#spend()) return;
    if (!this.#halfOpen && !this.#ports.faults.take('noPong')) this.#line.pong(data);
  }

  pong(data: Buffer): void {
    this.#log('pong', { bytes: data.length });
    if (this.#pongTimer !== undefined) this.#ports.clock.clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
  }

  withholdsClose(): boolean {
    return this.#ports.faults.find('noCloseAnswer') !== undefined;
  }

  closed(code: number): void {
    this.#onClosed(this, code);
  }

  /** Called once when the socket is gone. */
  finish(code: number): void {
    this.#leave();
    for (const timer of [this.#pingTimer, this.#pongTimer, ...this.#timers]) {
      if (timer !== undefined) this.#ports.clock.clearTimeout(timer);
    }
    this.#log('close', { code });
  }

  /** No frame follows. */
  #leave(): void {
    this.#unsubscribe([...this.#names]);
    this.#ended = true;
  }

  #later(delayMs: number, callback: () => void): void {
    const timer = this.#ports.clock.setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delayMs);
    this.#timers.add(timer);
  }

  #log(kind: 'message' | 'ping' | 'pong' | 'close', fields: object): void {
    this.#ports.journal.add(kind, { socket: this.number, ...fields });
  }

  #keepPinging(): void {
    this.#pingTimer = this.#ports.clock.setTimeout(() => {
      if (this.#line.isOpen && !this.#halfOpen) {
        this.#line.ping(String(Math.floor(this.#ports.now())));
        // Source: Websocket Market Streams, 2026-05-28: no pong within 10 minutes ends the connection.
        this.#pongTimer ??= this.#ports.clock.setTimeout(() => this.#close(1008, ''), this.#ports.pongMs);
      }
      this.#keepPinging();
    }, this.#ports.pingMs);
  }

  /** Takes a token for a message; closes the socket when there is none. */
  #spend(): boolean {
    if (this.#ended) return false;
    const now = this.#ports.clock.now();
    const grown = ((now - this.#refilledAt) / 1000) * LIMITS.controlMessagesPerSecondMax;
    this.#tokens = Math.min(BURST, this.#tokens + grown) - 1;
    this.#refilledAt = now;
    if (this.#tokens >= 0) return true;
    this.#close(1008, 'Too many requests');
    return false;
  }

  #execute(command: Command): string {
    switch (command.kind) {
      case 'refused':
        return command.reply;
      case 'subscribe':
        if (this.#subscribe(command.names)) return resultReply(null, command.id);
        // The reply leaves before the close frame: both are written in this order.
        queueMicrotask(() => this.#close(1008, 'Invalid request'));
        return errorReply(4, 'Too many subscriptions', command.id);
      case 'unsubscribe':
        this.#unsubscribe(command.names);
        return resultReply(null, command.id);
      case 'list':
        return resultReply([...this.#names], command.id);
      case 'getCombined':
        return resultReply(this.#combined, command.id);
      case 'setCombined':
        this.#combined = command.value;
        return resultReply(null, command.id);
    }
  }

  /** Any name is taken; those of no stream stay silent. False when there would be too many. */
  #subscribe(names: readonly string[]): boolean {
    if (new Set([...this.#names, ...names]).size > LIMITS.streamsPerSocketMax) return false;
    for (const name of names) {
      this.#names.add(name);
      this.#ports.mutes.subscribed(this.number, name);
      if (!this.#route.delivers) continue;
      if (name === CONTRACT_INFO) this.#ports.bulletin.subscribe(this);
      const known = this.#ports.find(name);
      if (known) this.#ports.feed.subscribe(known, this);
    }
    return true;
  }

  #unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (this.#names.delete(name)) this.#ports.mutes.unsubscribed(this.number, name);
      if (name === CONTRACT_INFO) this.#ports.bulletin.unsubscribe(this);
      const known = this.#ports.find(name);
      if (known) this.#ports.feed.unsubscribe(known, this);
    }
  }

  #reply(text: string): void {
    if (!this.#ended && !this.#halfOpen) this.#line.send(text);
  }

  /** Ends the session; no frame follows. */
  #close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#leave();
    this.#line.close(code, reason);
  }
}
