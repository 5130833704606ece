/**
 * The composition root: joins the charts to the world. Everything that a collector is made of is made here,
 * and nothing decides anything.
 */
import { type Actor, createActor, fromCallback, type InspectionEvent } from 'xstate';
import { closeOnFault } from '../machines/close-on-fault.ts';
import { collectorMachine } from '../machines/collector.machine.ts';
import { connectionMachine } from '../machines/connection.machine.ts';
import type { FeedInput } from '../machines/feed.machine.ts';
import { feedMachine } from '../machines/feed.machine.ts';
import { type KlineStreamInput, klineStreamMachine } from '../machines/kline-stream.machine.ts';
import { seriesKey } from '../machines/model/kline.ts';
import { place } from '../machines/model/shards.ts';
import { restSessionMachine } from '../machines/rest-session.machine.ts';
import { storeMachine } from '../machines/store.machine.ts';
import { keepTimeActor, setClock } from './actors/keep-time.ts';
import { cursorActor, repairActor } from './actors/kline-stream.ts';
import { oddityLog } from './actors/oddities.ts';
import { prepareActor } from './actors/prepare.ts';
import { proveActor } from './actors/prove.ts';
import { restPort } from './actors/rest-port.ts';
import { callActor, releaseActor } from './actors/rest-session.ts';
import type { Roster } from './actors/roster.ts';
import { socketActor } from './actors/socket.ts';
import { commitActor, openStoreActor, sealStoreActor } from './actors/store.ts';
import { watchBarsActor } from './actors/watch-bars.ts';
import { watchSymbolsActor } from './actors/watch-symbols.ts';
import { CONTRACT_INFO_STREAM } from './binance/symbols.ts';
import { LIMITS } from './binance/venue.ts';
import type { Exchange } from './exchange.ts';
import type { ResolvedOptions } from './options.ts';
import { Delivery } from './pipeline/delivery.ts';
import { closeGraceMs } from './pipeline/grace.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { RowBuffer } from './pipeline/row-buffer.ts';
import type { Clock, HttpClient, Logger } from './ports.ts';
import { checkStore } from './store/inspect.ts';
import { readCandles } from './store/reader.ts';
import { MemoryWriter, SqliteWriter } from './store/writer.ts';
import { systemClock, systemRandom } from './transport/clock.ts';
import { ExchangeClock } from './transport/exchange-clock.ts';
import { createHttpClient } from './transport/http.ts';
import { openSocket } from './transport/socket.ts';
import { namedSeries, wireSymbols } from './wire.symbols.ts';

/** Rows that may wait for a store that does not keep up; beyond, bars are left to be fetched later. */
const ROWS_MAX = 50_000;
/** How long the first row of a batch waits for company, ms: well below the 50 ms of the contract. */
const FLUSH_MS = 5;
/** A bar may be this far ahead of our idea of the exchange's time, wall ms. */
const AHEAD_WALL_MS = 5_000;
const REST_QUEUE_MAX = 10_000;
const PREPARE_PAUSE_MS = 1_000;
const MEND_MS = 5_000;
/** Subscribed by the first shard beside its streams. */
const FIRST_FEED_EXTRA = [CONTRACT_INFO_STREAM] as const;

export type CollectorActor = Actor<typeof collectorMachine>;

export interface Wired {
  readonly actor: CollectorActor;
  readonly pipeline: Pipeline;
  readonly delivery: Delivery;
  readonly roster: Roster;
  readonly exchangeClock: ExchangeClock;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Lets go of what a forced stop may have left: the writer's thread, connections, the embedded exchange. */
  release(): Promise<void>;
}

/** In place of a helper that is still to come. */
const idle = fromCallback(() => {});
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** What is given from outside is called in the middle of a chart's step: it may throw, and ends nothing. */
const contained = <Args extends unknown[]>(call: (...args: Args) => unknown) => {
  return (...args: Args): void => {
    try {
      call(...args);
    } catch {
      // Its own fault, and there is nobody else to tell: this may be the log.
    }
  };
};

const containedLogger = (logger: Logger): Logger => ({
  debug: contained((...args) => logger.debug(...args)),
  info: contained((...args) => logger.info(...args)),
  warn: contained((...args) => logger.warn(...args)),
  error: contained((...args) => logger.error(...args)),
});

export function wire(options: ResolvedOptions, exchange: Exchange): Wired {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const logger = containedLogger(options.logger ?? silent);
  const now = (): number => clock.now();
  const series = namedSeries(options);

  const exchangeClock = new ExchangeClock(clock, options.timeScale);
  const exchangeNow = (): number => exchangeClock.now();
  const rows = new RowBuffer(ROWS_MAX);
  const { bufferSize, queueSize, store: path } = options;
  const delivery = new Delivery({ bufferSize, queueSize, hasStore: path !== undefined, series });
  const pipeline = new Pipeline(series, {
    rows,
    delivery,
    exchangeNow,
    now,
    aheadMs: AHEAD_WALL_MS * options.timeScale,
    graceMs: closeGraceMs(options.timeScale, random()),
    onSilent: (one) =>
      logger.warn('no frame came for this series; its bars come from REST', { series: seriesKey(one) }),
  });
  const writer =
    path === undefined ? new MemoryWriter() : new SqliteWriter({ path, origin: options.origin, clock });

  let client: HttpClient | undefined;
  const http = (): HttpClient => {
    client ??= createHttpClient();
    return client;
  };
  const closeHttp = async (): Promise<void> => {
    const closing = client;
    client = undefined;
    await closing?.close();
  };

  // The root is made last, of machines whose actors ask it for the REST session.
  const rest = restPort(() => actor);
  const time = { rest, clock, exchangeClock };
  const stamps = new Map<string, number>();
  let epoch = 0;

  const connection = closeOnFault(
    connectionMachine.provide({
      actors: {
        prove: proveActor({ rest, clock, pipeline }),
        socket: socketActor({
          clock,
          open: openSocket,
          wsUrl: () => exchange.urls().wsUrl,
          pipeline,
          nextEpoch: () => ++epoch,
          stamps,
          onOddity: oddityLog(logger, clock),
        }),
      },
    }),
  );
  const klineStream = closeOnFault(
    klineStreamMachine.provide({
      actors: {
        cursor: cursorActor(pipeline, now),
        repair: repairActor({ rest, clock, exchangeClock, pipeline, logger }),
      },
    }),
  );
  const symbols = wireSymbols({ options, pipeline, delivery, exchangeNow, now, random });
  const storePorts = {
    writer,
    rows,
    delivery,
    pipeline,
    exchangeNow,
    onOpen: () => {
      symbols.storeOpened();
      if (path !== undefined)
        delivery.setReader({ read: (one, after, max) => readCandles(path, one, after, max) });
    },
  };

  const streamsPerSocket = Math.min(
    options.streamsPerSocket,
    LIMITS.streamsPerSocketMax - FIRST_FEED_EXTRA.length,
  );
  const newFeed = (
    id: string,
    streams: readonly KlineStreamInput[],
    extra: readonly string[] = [],
  ): FeedInput => {
    const connectionId = `${id}.a`;
    return {
      id,
      mendMs: MEND_MS,
      now,
      streams,
      extra,
      connection: {
        id: connectionId,
        streams: [...streams.map(({ stream }) => stream), ...extra],
        timing: options.timing,
        random,
        now,
        activity: { silentMs: () => now() - (stamps.get(connectionId) ?? Number.NEGATIVE_INFINITY) },
      },
    };
  };
  /** One shard hears the news of listings, so there is one also where nothing trades yet. */
  const shard = (streams: readonly KlineStreamInput[]): FeedInput[] => {
    const [first, ...others] = place(streams, [], streamsPerSocket);
    return [
      newFeed(first?.id ?? 'feed0', first?.streams ?? [], FIRST_FEED_EXTRA),
      ...others.map((one) => newFeed(one.id, one.streams)),
    ];
  };

  const actor: CollectorActor = createActor(
    closeOnFault(
      collectorMachine.provide({
        actors: {
          feed: closeOnFault(feedMachine.provide({ actors: { connection, klineStream } })),
          rest: closeOnFault(
            restSessionMachine.provide({
              actors: {
                call: callActor(http, () => exchange.urls().restUrl),
                release: releaseActor(closeHttp),
              },
            }),
          ),
          store: closeOnFault(
            storeMachine.provide({
              actors: {
                open: openStoreActor(storePorts),
                commit: commitActor(storePorts),
                seal: sealStoreActor(storePorts),
              },
            }),
          ),
          prepare: prepareActor({
            rest,
            logger,
            symbols: options.symbols,
            intervals: options.intervals,
            roster: symbols.roster,
            exchangeNow,
            reachExchange: async () => {
              // A store that can't be used is said at once, not when the exchange is there at last.
              if (path !== undefined) await checkStore(path, options.origin);
              await exchange.reach();
            },
            setClock: (signal) => setClock(time, signal),
            admit: symbols.admit,
            shard,
          }),
          keepTime: keepTimeActor({ ...time, logger }),
          watchBars: watchBarsActor({ clock, pipeline }),
          watchSymbols: watchSymbolsActor({
            ...time,
            random,
            logger,
            roster: symbols.roster,
            intervals: options.intervals,
            pollMs: options.symbolsPollMs,
            admit: symbols.admitLate,
          }),
          auditBars: idle,
          recheckGaps: idle,
        },
      }),
    ),
    {
      clock,
      ...(options.inspect === undefined
        ? {}
        : { inspect: contained(options.inspect as (event: InspectionEvent) => void) }),
      input: {
        store: { id: 'store', rows, flushMs: FLUSH_MS, now },
        rest: { id: 'rest', queueMax: REST_QUEUE_MAX, now },
        connectTimeoutMs: options.connectTimeoutMs,
        preparePauseMs: PREPARE_PAUSE_MS,
        stopTimeoutMs: options.stopTimeoutMs,
        streamsPerSocket,
        newFeed: (id, streams) => newFeed(id, streams),
        now,
      },
    },
  );

  rows.onEdge = (edge) => {
    // Rows that came before the store is there, or after it has gone, are found by its own guards.
    const store = actor.getSnapshot().children['store'];
    store?.send({ type: edge === 'rows' ? 'ROWS' : 'FULL' });
  };

  const release = async (): Promise<void> => {
    // All at once and begun at once: the next run may start while these end.
    writer.terminate();
    await Promise.all([closeHttp(), exchange.leave()]);
  };
  return { actor, pipeline, delivery, roster: symbols.roster, exchangeClock, clock, logger, release };
}
