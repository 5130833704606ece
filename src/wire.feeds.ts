/** The part of the composition root that dials: connections, streams, and the shards made of them. */
import { closeOnFault } from '../machines/close-on-fault.ts';
import { connectionMachine } from '../machines/connection.machine.ts';
import { endingStreams } from '../machines/ending-streams.ts';
import { type FeedInput, feedMachine } from '../machines/feed.machine.ts';
import { type KlineStreamInput, klineStreamMachine } from '../machines/kline-stream.machine.ts';
import { noReconnects, type ReconnectCounts } from '../machines/model/reconnect.ts';
import { place, withPlaced } from '../machines/model/shards.ts';
import { cursorActions } from './actors/cursor.ts';
import { permitActor } from './actors/dial-gate.ts';
import type { PastPort } from './actors/past-days.ts';
import type { PourPorts } from './actors/pour-bars.ts';
import { proveActor } from './actors/prove.ts';
import { proveStreamActor } from './actors/prove-stream.ts';
import type { Quota } from './actors/quota.ts';
import { repairActor } from './actors/repair.ts';
import type { RestPort } from './actors/rest-port.ts';
import { type SocketActorPorts, type Stamp, socketActor } from './actors/socket.ts';
import { CONTRACT_INFO_STREAM } from './binance/symbols.ts';
import { MARKET_STREAM_PATH } from './binance/venue.ts';
import type { Exchange } from './exchange.ts';
import type { ResolvedOptions } from './options.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { Clock, Logger, OpenSocket, Random } from './ports.ts';
import type { ExchangeClock } from './transport/exchange-clock.ts';

/** A ban that does not say how long it lasts: the shortest there is, ms. Source: General Info, 2026-05-28. */
const BAN_UNTOLD_MS = 120_000;
const MEND_MS = 5_000;
/** Subscribed by the first shard beside its streams. */
const FIRST_FEED_EXTRA: readonly string[] = [CONTRACT_INFO_STREAM];

export function wireFeeds(ports: {
  readonly options: ResolvedOptions;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly exchangeClock: ExchangeClock;
  readonly openSocket: OpenSocket;
  readonly rest: RestPort;
  readonly quota: () => Quota;
  readonly pipeline: Pipeline;
  readonly past: PastPort;
  readonly whenDrained: PourPorts['whenDrained'];
  readonly onOddity: SocketActorPorts['onOddity'];
  readonly onLack: (symbol: string) => void;
  readonly onEvent: NonNullable<SocketActorPorts['onEvent']>;
}) {
  const { options, exchange, clock, random, logger, exchangeClock, rest, quota, pipeline } = ports;
  const { timing } = options;
  const now = (): number => clock.now();
  const wsUrl = (): string => exchange.urls().wsUrl;
  const stamps = new Map<string, Stamp>();
  const reconnects = noReconnects();
  let epoch = 0;

  const connection = closeOnFault(
    connectionMachine.provide({
      actors: {
        permit: permitActor({ clock, wsUrl, dialWaitMs: () => quota().dialWaitMs() }),
        prove: proveActor({ rest, clock, startNow: (series) => pipeline.startNow(series) }),
        socket: socketActor({
          clock,
          open: ports.openSocket,
          wsUrl,
          pipeline,
          nextEpoch: () => ++epoch,
          stamps,
          onOddity: ports.onOddity,
          onEvent: ports.onEvent,
          onRefused: (status, retryAfterMs) => {
            // What the exchange counts by address concerns REST and every other socket too.
            const forMs = retryAfterMs ?? (status === 418 ? BAN_UNTOLD_MS : 0);
            if (forMs > 0) quota().ban(forMs, `a handshake was answered HTTP ${status}`);
          },
        }),
      },
    }),
  );
  const klineStream = closeOnFault(
    klineStreamMachine.provide({
      actions: cursorActions(pipeline, now, () => epoch),
      actors: {
        repair: repairActor({
          rest,
          past: ports.past,
          whenDrained: ports.whenDrained,
          clock,
          exchangeClock,
          pipeline,
          logger,
          onLack: ports.onLack,
        }),
        proveStream: proveStreamActor({ rest, clock, exchangeClock, pipeline }),
      },
    }),
  );

  const { streamsPerSocket } = options;
  const newFeed = (
    id: string,
    streams: readonly KlineStreamInput[],
    extra: readonly string[] = [],
  ): FeedInput => ({
    id,
    mendMs: MEND_MS,
    now,
    onReconnect: (cause) => {
      reconnects[cause] += 1;
    },
    streams,
    extra,
    connection: { timing, route: MARKET_STREAM_PATH, random, now },
    activityOf: (connectionId) => ({
      silentMs: () => now() - (stamps.get(connectionId)?.at ?? Number.NEGATIVE_INFINITY),
    }),
  });
  return {
    /** Connections that were given up, by why, over all runs. */
    reconnects: reconnects as Readonly<ReconnectCounts>,
    machine: closeOnFault(endingStreams(feedMachine.provide({ actors: { connection, klineStream } }))),
    streamsPerSocket,
    newFeed: (id: string, streams: readonly KlineStreamInput[]): FeedInput => newFeed(id, streams),
    /** One shard hears the news of listings, so there is one also where nothing trades yet. */
    shard: (streams: readonly KlineStreamInput[]): FeedInput[] => {
      const first = newFeed('feed0', [], FIRST_FEED_EXTRA);
      const placements = place(streams, [first], streamsPerSocket);
      return [
        ...withPlaced([first], placements),
        ...placements.filter(({ isNew }) => isNew).map((one) => newFeed(one.id, one.streams)),
      ];
    },
  };
}
