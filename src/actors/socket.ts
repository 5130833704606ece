import { fromCallback } from 'xstate';
import type { SocketCommand, SocketEvent, SocketInput } from '../../machines/connection.types.ts';
import type { Ending } from '../../machines/model/backoff.ts';
import { causeOfClose } from '../../machines/model/reconnect.ts';
import { decodeFrame } from '../binance/frame.ts';
import { readPatience, readTold } from '../binance/patience.ts';
import { MARKET_STREAM_PATH, SHUTDOWN_EVENT } from '../binance/venue.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Clock, DirectHandlers, OpenSocket, Socket, SocketEnd } from '../ports.ts';
import { Subscriptions } from './subscriptions.ts';

export interface SocketActorPorts {
  readonly clock: Clock;
  readonly open: OpenSocket;
  readonly wsUrl: () => string;
  readonly pipeline: Pipeline;
  /** A number that no earlier connection had. */
  readonly nextEpoch: () => number;
  /** When the last data frame of a connection came, by its id, for its heartbeat to read. */
  readonly stamps: Map<string, Stamp>;
  /** What could not be understood, and error replies: as often as they come. */
  readonly onOddity: (message: string, fields: object) => void;
  /** Events that are no klines, as `contractInfo`. */
  readonly onEvent?: (type: string, fields: Readonly<Record<string, unknown>>) => void;
  /** A handshake was answered that this IP asked too much (429) or is banned (418), for so long if it was told. */
  readonly onRefused?: (status: number, retryAfterMs: number | undefined) => void;
}

/** A moment that is written over, so that nothing is made for a frame: monotonic ms. */
export interface Stamp {
  at: number;
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
    const subscriptions = new Subscriptions({
      clock,
      send: (text) => socket.send(text),
      ackTimeoutMs: input.ackTimeoutMs,
      onAcked: () => tell({ type: 'SOCKET.ACKED' }),
      onRefused: (reason) => tell({ type: 'SOCKET.REFUSED', reason }),
      onOddity: ports.onOddity,
    });
    let hasOpened = false;
    let hasNotice = false;
    let isWatching = true;
    let isListeningForLife = false;
    let malformedInARow = 0;
    const stamp: Stamp = { at: Number.NaN };
    const tell = (event: SocketEvent): void => sendBack(event);

    const heard = (): void => {
      if (!isListeningForLife) return;
      isListeningForLife = false;
      tell({ type: 'SOCKET.ALIVE' });
    };
    const stampAt = (now: number): void => {
      if (Number.isNaN(stamp.at)) ports.stamps.set(input.id, stamp);
      stamp.at = now;
    };
    const sawData = (now: number): void => {
      stampAt(now);
      heard();
      if (!isWatching) return;
      isWatching = false;
      subscriptions.settle();
      tell({ type: 'SOCKET.FRAME' });
    };

    let readAt = 0;
    const direct: DirectHandlers = {
      // Once for all messages of a piece: that costs as much as a tenth of one.
      arrived: () => {
        readAt = clock.now();
      },
      message: (bytes, from, to) => {
        const isTaken = pipeline.takeBytes(bytes, epoch, readAt, from, to);
        if (isTaken === undefined) return false;
        pipeline.counters.frames += 1;
        malformedInARow = 0;
        if (isTaken) sawData(readAt);
        return true;
      },
    };
    const onMessage = (data: Buffer): void => {
      const now = clock.now();
      pipeline.counters.frames += 1;
      const isTaken = pipeline.takeBytes(data, epoch, now);
      if (isTaken === undefined) {
        onOther(data, now);
        return;
      }
      malformedInARow = 0;
      if (isTaken) sawData(now);
    };
    const onOther = (data: Buffer, now: number): void => {
      const frame = decodeFrame(data);
      if (frame.kind !== 'malformed') malformedInARow = 0;
      switch (frame.kind) {
        case 'kline':
          if (pipeline.take(frame, epoch, now)) sawData(now);
          return;
        case 'reply':
          heard();
          subscriptions.acknowledged(frame.id);
          return;
        case 'refusal':
          subscriptions.refused(frame.id, frame.code, frame.message);
          return;
        case 'other':
          pipeline.counters.ignored += 1;
          heard();
          if (frame.type === SHUTDOWN_EVENT && !hasNotice) {
            hasNotice = true;
            tell({ type: 'SOCKET.NOTICE', reason: frame.type });
          }
          ports.onEvent?.(frame.type, frame.fields);
          return;
        case 'malformed':
          pipeline.takeMalformed(frame.stream);
          malformedInARow += 1;
          ports.onOddity('a frame could not be understood', { reason: frame.reason, bytes: data.length });
          if (malformedInARow === MALFORMED_IN_A_ROW_MAX)
            tell({
              type: 'SOCKET.CLOSED',
              end: { code: 0 },
              cause: 'garbled',
              reason: 'too many malformed frames in a row',
            });
          return;
      }
    };

    const socket: Socket = ports.open(`${ports.wsUrl()}${MARKET_STREAM_PATH}`, {
      opened: () => {
        hasOpened = true;
        stampAt(clock.now());
        tell({ type: 'SOCKET.OPENED' });
      },
      message: onMessage,
      direct,
      heard,
      closed: (end) => {
        const ending = endingOf(end, hasNotice, clock.wallNow());
        if (end.status === 418 || end.status === 429) ports.onRefused?.(end.status, ending.retryAfterMs);
        const cause = causeOfClose(ending, hasOpened);
        tell({ type: 'SOCKET.CLOSED', end: ending, cause, reason: reasonOf(end) });
      },
    });

    receive((command) => {
      switch (command.type) {
        case 'SUBSCRIBE':
          subscriptions.subscribe(command.streams);
          return;
        case 'UNSUBSCRIBE':
          subscriptions.unsubscribe(command.streams);
          return;
        case 'RESUBSCRIBE':
          subscriptions.resubscribe(command.streams);
          return;
        case 'WATCH':
          isWatching = true;
          return;
        case 'PING':
          isListeningForLife = true;
          socket.ping();
          return;
        case 'CLOSE':
          subscriptions.clear();
          socket.close();
          return;
      }
    });

    return () => {
      subscriptions.clear();
      socket.terminate();
    };
  });

/** How long a refused handshake asks to be left alone, ms: as an answer of REST says it. */
function patienceOf({ status, retryAfter, date, text }: SocketEnd, localNow: number): number | undefined {
  if (status === undefined) return undefined;
  const headers = new Headers({
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    ...(date === undefined ? {} : { date }),
  });
  const answer = { status, headers, text: text ?? '' };
  const told = status === 429 ? readPatience(answer, localNow) : readTold(answer, localNow);
  return told > 0 ? told : undefined;
}

function endingOf(end: SocketEnd, announced: boolean, localNow: number): Ending {
  const patience = patienceOf(end, localNow);
  return {
    code: end.code,
    ...(end.status === undefined ? {} : { status: end.status }),
    ...(patience === undefined ? {} : { retryAfterMs: patience }),
    ...(announced ? { announced } : {}),
  };
}

const isRedirect = (status: number): boolean => status >= 300 && status < 400;

function reasonOf({ code, reason, status }: SocketEnd): string {
  if (status === undefined) return `closed with ${code}${reason === '' ? '' : `: ${reason}`}`;
  const answered = `handshake answered with HTTP ${status}`;
  return isRedirect(status) ? `${answered}: redirects are not followed, give the URL it leads to` : answered;
}
