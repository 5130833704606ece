/**
 * The composition root: joins the charts to the world. Everything that a collector is made of is made here,
 * and nothing decides anything.
 */
import { type Actor, createActor, type InspectionEvent } from 'xstate';
import { closeOnFault } from '../machines/close-on-fault.ts';
import { collectorMachine } from '../machines/collector.machine.ts';
import { connectionMachine } from '../machines/connection.machine.ts';
import type { FeedInput } from '../machines/feed.machine.ts';
import { feedMachine } from '../machines/feed.machine.ts';
import { klineStreamMachine } from '../machines/kline-stream.machine.ts';
import type { Interval } from '../machines/model/interval.ts';
import { type Series, seriesKey } from '../machines/model/kline.ts';
import { firstOpenFrom } from '../machines/model/ledger.ts';
import { restSessionMachine } from '../machines/rest-session.machine.ts';
import { storeMachine } from '../machines/store.machine.ts';
import { auditBarsActor } from './actors/audit-bars.ts';
import { cursorActor } from './actors/cursor.ts';
import { permitActor } from './actors/dial-gate.ts';
import { keepTimeActor, setClock } from './actors/keep-time.ts';
import { oddityLog } from './actors/oddities.ts';
import { prepareActor } from './actors/prepare.ts';
import { proveActor } from './actors/prove.ts';
import { proveStreamActor } from './actors/prove-stream.ts';
import { type Quota, quotaOf } from './actors/quota.ts';
import { recheckGapsActor } from './actors/recheck-gaps.ts';
import { rememberBans } from './actors/remember-bans.ts';
import { repairActor } from './actors/repair.ts';
import { restPort } from './actors/rest-port.ts';
import { callActor, releaseActor } from './actors/rest-session.ts';
import { socketActor } from './actors/socket.ts';
import { commitActor, openStoreActor, sealStoreActor } from './actors/store.ts';
import { watchBarsActor } from './actors/watch-bars.ts';
import type { ListedSymbol } from './binance/rest.ts';
import { streamName } from './binance/streams.ts';
import { LIMITS, MARKET_STREAM_PATH } from './binance/venue.ts';
import type { Exchange } from './exchange.ts';
import type { ResolvedOptions } from './options.ts';
import { Audits } from './pipeline/audits.ts';
import { Delivery } from './pipeline/delivery.ts';
import { closeGraceMs } from './pipeline/grace.ts';
import { OpenGaps } from './pipeline/open-gaps.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { RowBuffer } from './pipeline/row-buffer.ts';
import type { Clock, HttpClient, Logger } from './ports.ts';
import type { Watermark } from './store/database.ts';
import { checkStore } from './store/inspect.ts';
import { readCandles } from './store/reader.ts';
import { MemoryWriter, SqliteWriter } from './store/writer.ts';
import { systemClock, systemRandom } from './transport/clock.ts';
import { ExchangeClock } from './transport/exchange-clock.ts';
import { createHttpClient } from './transport/http.ts';
import { openSocket } from './transport/socket.ts';

/** Rows that may wait for a store that does not keep up; beyond, bars are left to be fetched later. */
const ROWS_MAX = 50_000;
/** How long the first row of a batch waits for company, ms: well below the 50 ms of the contract. */
const FLUSH_MS = 5;
/** A bar may be this far ahead of our idea of the exchange's time, wall ms. */
const AHEAD_WALL_MS = 5_000;
/** A ban that does not say how long it lasts: the shortest there is, ms. Source: General Info, 2026-05-28. */
const BAN_UNTOLD_MS = 120_000;
const REST_QUEUE_MAX = 10_000;
const REST_CALLS_MAX = 4;
const REST_RETRIES_MAX = 3;
const PREPARE_PAUSE_MS = 1_000;
const MEND_MS = 5_000;

export type CollectorActor = Actor<typeof collectorMachine>;

export interface Wired {
  readonly actor: CollectorActor;
  readonly pipeline: Pipeline;
  readonly delivery: Delivery;
  readonly exchangeClock: ExchangeClock;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Lets go of what a forced stop may have left: the writer's thread, connections, the embedded exchange. */
  release(): Promise<void>;
}

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
  const series: Series[] = options.symbols.flatMap((symbol) =>
    options.intervals.map((interval: Interval) => ({ symbol, interval })),
  );

  const exchangeClock = new ExchangeClock(clock, options.timeScale);
  const exchangeNow = (): number => exchangeClock.now();
  const rows = new RowBuffer(ROWS_MAX);
  const { bufferSize, queueSize, store: path } = options;
  const delivery = new Delivery({ bufferSize, queueSize, hasStore: path !== undefined, series });
  const openGaps = new OpenGaps({ random });
  const audits = new Audits({
    timeScale: options.timeScale,
    random,
    held: (one, openTime) => delivery.held(one, openTime),
    stored: (one, openTime) => delivery.stored(one, openTime),
  });
  const onOddity = oddityLog(logger, clock);
  const pipeline = new Pipeline(series, {
    rows,
    delivery,
    exchangeNow,
    now,
    aheadMs: AHEAD_WALL_MS * options.timeScale,
    onSecondClose: (candle) => {
      audits.secondClose(candle, now());
      openGaps.hint(candle, now());
    },
    graceMs: () => closeGraceMs(options.timeScale, random()),
    silenceMs: options.timing.silenceMs,
    onSilent: (one) =>
      logger.warn('no frame came for this series; its bars come from REST', { series: seriesKey(one) }),
    onOddity,
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

  // Shared by all who ask that exchange. An embedded one has an address only when it runs.
  const restUrl = (): string => exchange.urls().restUrl;
  const quota = (): Quota => quotaOf(clock, restUrl());
  let forgetBans = (): void => {};
  const obeyBans = (): void => {
    if (path === undefined) return;
    forgetBans();
    forgetBans = rememberBans({ quota: quota(), clock, logger, path, restUrl: restUrl() });
  };

  // The root is made last, of machines whose actors ask it for the REST session.
  const rest = restPort(() => actor);
  const time = { rest, clock, exchangeClock };
  const stamps = new Map<string, number>();
  let epoch = 0;

  const connection = closeOnFault(
    connectionMachine.provide({
      actors: {
        permit: permitActor({
          clock,
          wsUrl: () => exchange.urls().wsUrl,
          dialWaitMs: () => quota().dialWaitMs(),
        }),
        prove: proveActor({ rest, clock }),
        socket: socketActor({
          clock,
          open: openSocket,
          wsUrl: () => exchange.urls().wsUrl,
          pipeline,
          nextEpoch: () => ++epoch,
          stamps,
          onOddity,
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
      actors: {
        cursor: cursorActor(pipeline, now),
        repair: repairActor({ rest, clock, exchangeClock, pipeline, logger }),
        proveStream: proveStreamActor({ rest, clock, exchangeClock, pipeline }),
      },
    }),
  );
  const onboardDates = new Map<string, number>();
  /** Where series begin that the store knows nothing of; there are no bars from before the listing. */
  const startBackfill = (): void => {
    if (options.backfillMs === 0) return;
    for (const one of series) {
      const from = Math.max(exchangeNow() - options.backfillMs, onboardDates.get(one.symbol) ?? 0);
      pipeline.startAt(one, firstOpenFrom(one.interval, from));
    }
  };
  let watermarks: readonly Watermark[] = [];
  const storePorts = {
    writer,
    rows,
    delivery,
    pipeline,
    audits,
    openGaps,
    exchangeNow,
    now,
    onOpen: (stored: readonly Watermark[]) => {
      watermarks = stored;
      startBackfill();
      if (path !== undefined)
        delivery.setReader({ read: (one, after, max) => readCandles(path, one, after, max) });
    },
  };

  const shard = (listed: readonly ListedSymbol[]): FeedInput[] => {
    for (const { symbol, onboardDate } of listed) onboardDates.set(symbol, onboardDate);
    const shards: FeedInput[] = [];
    for (let first = 0; first < series.length; first += LIMITS.streamsPerSocket)
      shards.push(feed(`feed${shards.length}`, series.slice(first, first + LIMITS.streamsPerSocket)));
    return shards;
  };
  const feed = (id: string, members: readonly Series[]): FeedInput => {
    const { timing } = options;
    return {
      id,
      mendMs: MEND_MS,
      now,
      streams: members.map((one) => ({
        id: `stream.${seriesKey(one)}`,
        series: one,
        stream: streamName(one),
        timing: options.timing,
        random,
      })),
      connection: { timing, route: MARKET_STREAM_PATH, random, now },
      activityOf: (connectionId) => ({
        silentMs: () => now() - (stamps.get(connectionId) ?? Number.NEGATIVE_INFINITY),
      }),
    };
  };

  const actor: CollectorActor = createActor(
    closeOnFault(
      collectorMachine.provide({
        actors: {
          feed: closeOnFault(feedMachine.provide({ actors: { connection, klineStream } })),
          rest: closeOnFault(
            restSessionMachine.provide({
              actors: {
                call: callActor({ clock, http, restUrl, quota }),
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
            reachExchange: async () => {
              // A store that can't be used is said at once, not when the exchange is there at last.
              if (path !== undefined) await checkStore(path, options.origin);
              await exchange.reach();
              obeyBans();
            },
            setClock: (signal) => setClock(time, signal),
            shard,
          }),
          keepTime: keepTimeActor({ ...time, logger }),
          watchBars: watchBarsActor({ clock, pipeline }),
          auditBars: auditBarsActor({
            ...time,
            random,
            logger,
            rows,
            audits,
            watermarks: () => watermarks,
            read: (one, after, max) => (path === undefined ? [] : readCandles(path, one, after, max)),
          }),
          recheckGaps: recheckGapsActor({
            ...time,
            random,
            logger,
            rows,
            openGaps,
            isCollected: (one) => pipeline.cursor(one) !== undefined,
          }),
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
        rest: {
          id: 'rest',
          queueMax: REST_QUEUE_MAX,
          callsMax: REST_CALLS_MAX,
          retriesMax: REST_RETRIES_MAX,
          quota: {
            held: () => quota().held(),
            waitMs: (weight, priority) => quota().waitMs(weight, priority),
            begin: (call, weight) => quota().begin(call, weight),
          },
          random,
          now,
        },
        connectTimeoutMs: options.connectTimeoutMs,
        preparePauseMs: PREPARE_PAUSE_MS,
        stopTimeoutMs: options.stopTimeoutMs,
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
    forgetBans();
    // All at once and begun at once: the next run may start while these end.
    writer.terminate();
    await Promise.all([closeHttp(), exchange.leave()]);
  };
  return { actor, pipeline, delivery, exchangeClock, clock, logger, release };
}
