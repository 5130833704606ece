import { fromCallback } from 'xstate';
import type { SocketCommand, SocketEvent, SocketInput } from '../../machines/connection.types.ts';
import type { Ending } from '../../machines/model/backoff.ts';
import { decodeFrame } from '../binance/frame.ts';
import { subscribeMessages } from '../binance/streams.ts';
import { LIMITS, MARKET_STREAM_PATH } from '../binance/venue.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Clock, OpenSocket, Socket, SocketEnd, Timer } from '../ports.ts';

export interface SocketActorPorts {
  readonly clock: Clock;
  readonly open: OpenSocket;
  readonly wsUrl: () => string;
  readonly pipeline: Pipeline;
  /** A number that no earlier connection had. */
  readonly nextEpoch: () => number;
  /** Monotonic ms of the last data frame of a connection, for its heartbeat to read. */
  readonly stamps: Map<string, number>;
  /** What could not be understood, and error replies: as often as they come. */
  readonly onOddity: (message: string, fields: object) => void;
}

const MALFORMED_IN_A_ROW_MAX = 100;

/**
 * One socket: the hot path lives in this closure. Frames go to the pipeline; the chart hears edges. Leaving
 * the state that owns it destroys the socket.
 */
export const socketActor = (ports: SocketActorPorts) =>
  fromCallback<SocketCommand, SocketInput>(({ input, receive, sendBack }) => {
    const { clock, pipeline } = ports;
    const epoch = ports.nextEpoch();
    const outbox = new Outbox(clock, (text) => socket.send(text));
    const unacknowledged = new Set<number>();
    let isWatching = true;
    let isListeningForLife = false;
    let malformedInARow = 0;
    const tell = (event: SocketEvent): void => sendBack(event);

    const heard = (): void => {
      if (!isListeningForLife) return;
      isListeningForLife = false;
      tell({ type: 'SOCKET.ALIVE' });
    };
    const sawData = (): void => {
      ports.stamps.set(input.id, clock.now());
      heard();
      if (!isWatching) return;
      isWatching = false;
      tell({ type: 'SOCKET.FRAME' });
    };

    const onMessage = (data: Buffer): void => {
      pipeline.counters.frames += 1;
      const frame = decodeFrame(data);
      if (frame.kind !== 'malformed') malformedInARow = 0;
      switch (frame.kind) {
        case 'kline':
          if (pipeline.take(frame, epoch)) sawData();
          return;
        case 'reply':
          heard();
          if (unacknowledged.delete(frame.id) && unacknowledged.size === 0) tell({ type: 'SOCKET.ACKED' });
          return;
        case 'refusal':
          ports.onOddity('the exchange refused a control message', {
            code: frame.code,
            message: frame.message,
          });
          // With nothing of ours unanswered it is a stray, and no reason to lose every stream of the socket.
          if (unacknowledged.size > 0)
            tell({ type: 'SOCKET.REFUSED', reason: `code ${frame.code} ${frame.message}` });
          return;
        case 'other':
          pipeline.counters.ignored += 1;
          heard();
          return;
        case 'malformed':
          pipeline.takeMalformed(frame.stream);
          malformedInARow += 1;
          ports.onOddity('a frame could not be understood', { reason: frame.reason, bytes: data.length });
          if (malformedInARow === MALFORMED_IN_A_ROW_MAX)
            tell({ type: 'SOCKET.CLOSED', end: { code: 0 }, reason: 'too many malformed frames in a row' });
          return;
      }
    };

    const socket: Socket = ports.open(`${ports.wsUrl()}${MARKET_STREAM_PATH}`, {
      opened: () => {
        ports.stamps.set(input.id, clock.now());
        tell({ type: 'SOCKET.OPENED' });
      },
      message: onMessage,
      heard,
      closed: (end) => tell({ type: 'SOCKET.CLOSED', end: endingOf(end), reason: reasonOf(end) }),
    });

    receive((command) => {
      switch (command.type) {
        case 'SUBSCRIBE': {
          const messages = subscribeMessages(command.streams, 1);
          messages.forEach((_, index) => {
            unacknowledged.add(index + 1);
          });
          outbox.send(messages);
          return;
        }
        case 'WATCH':
          isWatching = true;
          return;
        case 'PING':
          isListeningForLife = true;
          socket.ping();
          return;
        case 'CLOSE':
          outbox.clear();
          socket.close();
          return;
      }
    });

    return () => {
      outbox.clear();
      socket.terminate();
    };
  });

/** Control messages, paced: the venue closes a socket that sends more than ten a second. */
class Outbox {
  readonly #clock: Clock;
  readonly #send: (text: string) => void;
  #texts: string[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock, send: (text: string) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  send(texts: readonly string[]): void {
    this.#texts.push(...texts);
    if (this.#timer === undefined) this.#next();
  }

  clear(): void {
    this.#texts = [];
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #next(): void {
    const text = this.#texts.shift();
    if (text === undefined) {
      this.#timer = undefined;
      return;
    }
    this.#send(text);
    this.#timer = this.#clock.setTimeout(() => this.#next(), 1_000 / LIMITS.controlMessagesPerSecond);
  }
}

function endingOf(end: SocketEnd): Ending {
  const seconds = end.retryAfter === undefined ? Number.NaN : Number(end.retryAfter);
  return {
    code: end.code,
    ...(end.status === undefined ? {} : { status: end.status }),
    ...(seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {}),
  };
}

const reasonOf = (end: SocketEnd): string =>
  end.status === undefined
    ? `closed with ${end.code}${end.reason === '' ? '' : `: ${end.reason}`}`
    : `handshake answered with HTTP ${end.status}`;
