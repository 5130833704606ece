/** The composition root of a load of history: joins its chart to the world. */
import { type Actor, createActor, fromPromise, type InspectionEvent } from 'xstate';
import { closeOnFault } from '../machines/close-on-fault.ts';
import { historyMachine } from '../machines/history.machine.ts';
import { restPort } from './actors/rest-port.ts';
import { indexTimers } from './actors/timer-index.ts';
import { type Exchange, exchangeOf } from './exchange.ts';
import { Loader } from './history/loader.ts';
import { noCache } from './history/progress.ts';
import type { HistoryRequests } from './history/report.ts';
import { FileSink } from './history/sinks/file-sink.ts';
import { MemorySink } from './history/sinks/memory-sink.ts';
import type { HistorySink } from './history/sinks/sinks.ts';
import { StoreSink } from './history/sinks/store-sink.ts';
import type { CacheCounts, HistoryQuery } from './history/types.ts';
import type { ResolvedHistoryOptions } from './options.history.ts';
import type { Clock, Logger } from './ports.ts';
import { openCsvFile } from './store/csv-file.ts';
import { openParquetFile } from './store/parquet-file.ts';
import { SqliteWriter } from './store/writer.ts';
import { type CleanupReport, DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import { contained, quiet, silent } from './supervisor/quiet.ts';
import { systemClock, systemRandom } from './transport/clock.ts';
import { ExchangeClock } from './transport/exchange-clock.ts';
import { type HistoryParts, historyParts, type MakeHistoryParts } from './wire.history-parts.ts';
import { wireRest } from './wire.rest.ts';

export type HistoryActor = Actor<typeof historyMachine>;

export interface WiredHistory {
  readonly actor: HistoryActor;
  readonly loader: Loader;
  readonly sink: HistorySink;
  readonly query: HistoryQuery;
  readonly clock: Clock;
  readonly logger: Logger;
  cache(): Readonly<CacheCounts>;
  requests(): HistoryRequests;
  /** Lets go of what a forced end may have left. Takes `timeoutMs` at most and never rejects. */
  release(timeoutMs: number): Promise<CleanupReport>;
}

/** `makeParts`: what a load asks. Tests put their own in its place. */
export function wireHistory(
  options: ResolvedHistoryOptions,
  makeParts: MakeHistoryParts = historyParts,
): WiredHistory {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const logger = quiet(options.logger ?? silent);
  const { symbol, interval, from, to, source } = options;
  const query: HistoryQuery = { symbol, interval, from, to, source };

  const exchangeClock = new ExchangeClock(clock, options.timeScale);
  const exchange = exchangeFor(options, clock);
  const session = wireRest({ clock, random, logger, exchange, path: options.store });
  const rest = restPort(() => actor);
  const stampNow = (): number => {
    const now = exchangeClock.now();
    return Number.isFinite(now) ? now : clock.wallNow();
  };
  const { sink, ...leftSink } = sinkOf(options, { clock, logger, exchangeClock, stampNow });

  let parts: HistoryParts | undefined;
  const reach = async () => {
    await exchange.reach();
    const { restUrl, visionUrl } = exchange.urls();
    const asks = source !== 'vision' && restUrl !== '';
    if (asks) session.obeyBans();
    parts = makeParts({
      clock,
      logger,
      exchangeClock,
      rest: asks ? rest : undefined,
      visionUrl: source === 'rest' || options.archiveDir !== undefined ? undefined : visionUrl,
      options,
    });
    return parts.source;
  };
  const loader = new Loader({
    query,
    isDryRun: options.isDryRun,
    sink,
    reach,
    closeArchive: async () => parts?.files?.close(),
    stampNow,
  });

  let requests = 0;
  const actor: HistoryActor = createActor(
    closeOnFault(
      historyMachine.provide({
        actors: {
          rest: session.machine,
          open: fromPromise(() => loader.open()),
          plan: fromPromise(({ signal }) => loader.makePlan(signal)),
          load: fromPromise(({ signal }) => loader.load(signal)),
          confirm: fromPromise(({ signal }) => loader.confirm(signal)),
          finish: fromPromise(() => loader.finish()),
          closeSink: fromPromise(({ signal }) => loader.closeSink(signal)),
          closeArchive: fromPromise(() => loader.closeArchive()),
        },
      }),
    ),
    {
      clock,
      ...(options.inspect === undefined
        ? {}
        : { inspect: contained(options.inspect as (event: InspectionEvent) => void) }),
      input: {
        rest: {
          ...session.input,
          quota: {
            ...session.input.quota,
            begin: (call, weight) => {
              requests += 1;
              session.input.quota.begin(call, weight);
            },
          },
        },
        sink: sink.name,
        isDryRun: options.isDryRun,
        stopTimeoutMs: options.stopTimeoutMs,
        now: () => clock.now(),
      },
    },
  );
  indexTimers(actor);

  return {
    actor,
    loader,
    sink,
    query,
    clock,
    logger,
    cache: () => parts?.files?.counts ?? noCache(),
    requests: () => ({ rest: requests, archive: parts?.requests() ?? 0 }),
    release(timeoutMs) {
      const cleanup = new DeadlineCleanup({ timeoutMs, clock, logger });
      // A chart that has failed has closed nothing.
      if (actor.getSnapshot().status === 'error') {
        cleanup.add(sink.name, (signal) => loader.closeSink(signal));
        cleanup.add('archive', () => loader.closeArchive());
      }
      for (const part of [leftSink, session, exchange]) part.release(cleanup);
      return cleanup.run();
    },
  };
}

/** An address that is not given is not asked. */
function exchangeFor(options: ResolvedHistoryOptions, clock: Clock): Exchange {
  const { isEmbedded, restUrl = '', visionUrl, store, timeScale, stopTimeoutMs } = options;
  const urls = isEmbedded ? undefined : { wsUrl: '', restUrl, visionUrl };
  return exchangeOf({ urls, store, timeScale, stopTimeoutMs }, clock);
}

function sinkOf(
  options: ResolvedHistoryOptions,
  ports: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly exchangeClock: ExchangeClock;
    readonly stampNow: () => number;
  },
): { readonly sink: HistorySink; release(cleanup: DeadlineCleanup): void } {
  const { store: path, out, origin, symbol, interval } = options;
  const nothing = (): void => {};
  if (out !== undefined) {
    const open = out.format === 'csv' ? openCsvFile : openParquetFile;
    return { sink: new FileSink(() => open(out.path, { replace: out.replace })), release: nothing };
  }
  if (path === undefined) return { sink: new MemorySink(), release: nothing };
  const { clock, exchangeClock } = ports;
  const writer = new SqliteWriter({ path, origin, clock });
  const exchangeNow = (): number => exchangeClock.now();
  return {
    sink: new StoreSink({ ...ports, writer, path, origin, series: { symbol, interval }, exchangeNow }),
    /** Ends the writer's thread, also where a forced end has left it. */
    release: (cleanup) => void cleanup.add('store.thread', () => writer.terminate()),
  };
}
