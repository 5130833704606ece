/** Listens between a process and its world: everything that passes is noted, and nothing is changed. */
import type { Interval } from '../../machines/model/interval.ts';
import { REST_PATHS } from '../../src/binance/venue.ts';
import type { HttpClient, OpenSocket } from '../../src/ports.ts';
import type { World } from '../../src/world.ts';
import { streamOf, type Untruths, type Wire } from './check/wire.ts';
import { plainText, type Trace } from './trace.ts';

export interface Tap {
  readonly trace: Trace;
  readonly wire: Wire;
  readonly untruths: Untruths;
  /** Exchange time. */
  readonly now: () => number;
  readonly onDial: () => void;
  /** A connection has come or gone, or asks for something. */
  readonly onStir: () => void;
  /** The exchange itself says that it was asked too much, of what. */
  readonly onTooMany: (what: string) => void;
  /** REST has answered, or not (0): a question about a symbol, or another one. */
  readonly onAnswer: (symbol: string | null, status: number) => void;
}

/** As the exchange says it, and no fault that is put on it. */
const TOO_MANY = 'Too many requests';
const OVER_LIMIT = 'current limit of IP';

/** The same world, listened to. */
export const tapped = (world: World, tap: Tap): World => ({
  openSocket: socketTap(world.openSocket, tap),
  createHttpClient: (clock) => clientTap(world.createHttpClient(clock), tap),
  disk: diskTap(world.disk, tap),
});

const socketTap =
  (openSocket: OpenSocket, { trace, wire, untruths, onDial, onStir, onTooMany }: Tap): OpenSocket =>
  (url, handlers) => {
    const link = wire.dialled();
    onDial();
    const name = String(link.number);
    trace.add('dial', `${name} ${url}`);
    const socket = openSocket(url, {
      opened() {
        link.openedAt = wire.now();
        onStir();
        trace.add('open', name);
        handlers.opened();
      },
      message(data) {
        trace.add('frame', `${name} ${data.toString('latin1')}`);
        const stream = streamOf(data);
        if (stream !== undefined) {
          wire.frame(link, stream);
          if (data.includes('"x":true')) untruths.closed(data);
        }
        // As in life: first as bytes among others.
        handlers.direct?.arrived();
        if (handlers.direct?.message(data, 0, data.length) !== true) handlers.message(data);
      },
      heard() {
        trace.add('heard', name);
        handlers.heard();
      },
      closed(end) {
        trace.add('closed', `${name} ${plainText(end)}`);
        if (end.code === 1008 && end.reason === TOO_MANY) onTooMany('messages on a socket');
        wire.ended(link);
        onStir();
        handlers.closed(end);
      },
    });
    return {
      send(text) {
        trace.add('send', `${name} ${text}`);
        wire.sent(link, text);
        socket.send(text);
      },
      ping() {
        trace.add('ping', name);
        socket.ping();
      },
      close() {
        trace.add('close', name);
        socket.close();
      },
      terminate() {
        trace.add('terminate', name);
        wire.ended(link);
        onStir();
        socket.terminate();
      },
    };
  };

const clientTap = (
  client: HttpClient,
  { trace, wire, untruths, now, onAnswer, onTooMany }: Tap,
): HttpClient => ({
  async get(request) {
    const url = new URL(request.url);
    const symbol = url.searchParams.get('symbol');
    const askedAt = now();
    trace.add('ask', url.pathname + url.search);
    if (symbol !== null) wire.askedAt.set(symbol, wire.now());
    wire.requestsOpen += 1;
    try {
      const answer = await client.get(request);
      trace.add('answer', `${answer.status} ${answer.text}`);
      onAnswer(symbol, answer.status);
      if (answer.status === 429 && answer.text.includes(OVER_LIMIT)) onTooMany('requests');
      if (answer.status === 200 && url.pathname === REST_PATHS.time) {
        wire.timesRead += 1;
        wire.timeReadAt = wire.now();
      }
      if (symbol !== null && answer.status === 200 && url.pathname === REST_PATHS.klines)
        untruths.answered(
          { symbol, interval: url.searchParams.get('interval') as Interval, askedAt },
          answer.text,
        );
      return answer;
    } catch (error) {
      trace.add('no answer', plainText(error));
      onAnswer(symbol, 0);
      throw error;
    } finally {
      wire.requestsOpen -= 1;
    }
  },
  close: () => client.close(),
});

const diskTap = (disk: World['disk'], { trace }: Tap): World['disk'] => ({
  ...disk,
  writer(store) {
    const writer = disk.writer(store);
    const noted = <Result>(what: string, done: Promise<Result>): Promise<Result> =>
      done.then(
        (result) => {
          trace.add('disk', what);
          return result;
        },
        (error: unknown) => {
          trace.add('disk', `${what}: ${plainText(error)}`);
          throw error;
        },
      );
    return {
      open: () => noted('open', writer.open()),
      commit: (rows, time) => noted(`commit ${plainText(rows)}`, writer.commit(rows, time)),
      load: (batch, time) => noted('load', writer.load(batch, time)),
      missing: (...asked) => writer.missing(...asked),
      gaps: (...asked) => writer.gaps(...asked),
      close: (time) => noted('close', writer.close(time)),
      terminate: () => writer.terminate(),
    };
  },
});
