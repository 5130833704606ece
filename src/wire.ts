/**
 * The composition root: joins the charts to the world. Everything that a collector is made of is made here and in
 * the parts beside it (`wire.*.ts`), and nothing decides anything.
 */
import { type Actor, createActor, type InspectionEvent } from 'xstate';
import { closeOnFault } from '../machines/close-on-fault.ts';
import { collectorMachine } from '../machines/collector.machine.ts';
import type { ReconnectCounts } from '../machines/model/reconnect.ts';
import { auditBarsActor } from './actors/audit-bars.ts';
import { keepTimeActor, setClock } from './actors/keep-time.ts';
import { prepareActor } from './actors/prepare.ts';
import { recheckGapsActor } from './actors/recheck-gaps.ts';
import { restPort } from './actors/rest-port.ts';
import type { Roster } from './actors/roster.ts';
import { indexTimers } from './actors/timer-index.ts';
import { watchBarsActor } from './actors/watch-bars.ts';
import { watchSymbolsActor } from './actors/watch-symbols.ts';
import { LIMITS } from './binance/venue.ts';
import type { Exchange } from './exchange.ts';
import type { ResolvedOptions } from './options.ts';
import type { AuditCounters } from './pipeline/audits.ts';
import type { CommitTimes } from './pipeline/commit-times.ts';
import type { Delivery } from './pipeline/delivery.ts';
import type { Durations } from './pipeline/durations.ts';
import type { OpenGaps } from './pipeline/open-gaps.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { RunCounts } from './pipeline/run-counts.ts';
import type { Clock, Logger } from './ports.ts';
import { type CleanupReport, DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import { contained, quiet, silent } from './supervisor/quiet.ts';
import { systemClock, systemRandom } from './transport/clock.ts';
import { ExchangeClock } from './transport/exchange-clock.ts';
import { wireData } from './wire.data.ts';
import { wireFeeds } from './wire.feeds.ts';
import { type WiredPast, wirePast } from './wire.past.ts';
import { wireRest } from './wire.rest.ts';
import { namedSeries, wireSymbols } from './wire.symbols.ts';
import { realWorld, type World } from './world.ts';

const PREPARE_PAUSE_MS = 1_000;

export type CollectorActor = Actor<typeof collectorMachine>;

export interface Wired {
  readonly actor: CollectorActor;
  readonly pipeline: Pipeline;
  readonly delivery: Delivery;
  readonly audits: Readonly<AuditCounters>;
  readonly openGaps: OpenGaps;
  readonly closeLag: Durations;
  readonly commitTimes: CommitTimes;
  readonly reconnects: Readonly<ReconnectCounts>;
  /** Request weight of this minute. */
  weight(): { readonly used: number; readonly limit: number };
  readonly run: RunCounts;
  readonly roster: Roster;
  readonly past: WiredPast;
  readonly exchangeClock: ExchangeClock;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Lets go of what a stop may have left: the writer's thread, connections, the embedded exchange. Takes `timeoutMs`
   * at most and never rejects.
   */
  release(timeoutMs: number): Promise<CleanupReport>;
}

export function wire(options: ResolvedOptions, exchange: Exchange, world: World = realWorld): Wired {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const logger = quiet(options.logger ?? silent);
  const { store: path } = options;

  const exchangeClock = new ExchangeClock(clock, options.timeScale);
  const exchangeNow = (): number => exchangeClock.now();
  const common = { options, exchange, clock, random, logger, exchangeClock, exchangeNow, world };
  // The root is made last, of machines whose actors ask it for the REST session.
  const rest = restPort(() => actor);
  const time = { rest, clock, exchangeClock };

  const session = wireRest({ ...common, path });
  const data = wireData({ ...common, series: namedSeries(options), disk: world.disk });
  const { pipeline, delivery, rows, audits, openGaps } = data;
  const symbols = wireSymbols({ ...common, pipeline, delivery, now: () => clock.now() });
  const past = wirePast({ ...common, rest, life: () => lifeOf(actor) });
  const feeds = wireFeeds({
    ...common,
    openSocket: world.openSocket,
    rest,
    quota: session.quota,
    pipeline,
    past: past.days,
    whenDrained: data.whenDrained,
    onOddity: data.onOddity,
    onEvent: symbols.onEvent,
    onLack: (symbol) => symbols.roster.doubt(symbol),
  });

  const actor: CollectorActor = createActor(
    closeOnFault(
      collectorMachine.provide({
        actors: {
          feed: feeds.machine,
          rest: session.machine,
          store: data.storeOf(symbols.storeOpened),
          prepare: prepareActor({
            rest,
            logger,
            symbols: options.symbols,
            intervals: options.intervals,
            roster: symbols.roster,
            exchangeNow,
            reachExchange: async () => {
              // A store that can't be used is said at once, not when the exchange is there at last.
              if (path !== undefined) await world.disk.check(path, options.origin);
              await exchange.reach();
              session.obeyBans();
            },
            setClock: (signal) => setClock(time, signal),
            admit: symbols.admit,
            shard: feeds.shard,
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
          auditBars: auditBarsActor({
            ...time,
            random,
            logger,
            rows,
            audits,
            watermarks: data.watermarks,
            read: data.read,
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
        store: data.input,
        rest: session.input,
        connectTimeoutMs: options.connectTimeoutMs,
        preparePauseMs: PREPARE_PAUSE_MS,
        stopTimeoutMs: options.stopTimeoutMs,
        streamsPerSocket: feeds.streamsPerSocket,
        newFeed: feeds.newFeed,
        now: () => clock.now(),
      },
    },
  );

  indexTimers(actor);
  rows.onEdge = (edge) => {
    // Rows that came before the store is there, or after it has gone, are found by its own guards.
    const store = actor.getSnapshot().children['store'];
    store?.send({ type: edge === 'rows' ? 'ROWS' : 'FULL' });
  };

  const release = (timeoutMs: number): Promise<CleanupReport> => {
    const cleanup = new DeadlineCleanup({ timeoutMs, clock, logger });
    for (const part of [data, past, session, exchange]) part.release(cleanup);
    // Begun at once: the next run may start while these end.
    return cleanup.run();
  };
  const { roster } = symbols;
  return {
    actor,
    pipeline,
    delivery,
    audits: audits.counters,
    openGaps,
    closeLag: data.closeLag,
    commitTimes: data.commitTimes,
    reconnects: feeds.reconnects,
    weight() {
      // An embedded exchange that does not run counts nothing.
      if (!exchange.isThere()) return { used: 0, limit: LIMITS.weightPerMinute };
      const { used, limit } = session.quota();
      return { used, limit };
    },
    run: data.run,
    roster,
    past,
    exchangeClock,
    clock,
    logger,
    release,
  };
}

/** Whether its REST session is there for others. */
function lifeOf(actor: CollectorActor): 'running' | 'stopping' | 'over' {
  const snapshot = actor.getSnapshot();
  if (snapshot.status !== 'active') return 'over';
  if (snapshot.matches('stopping')) return 'stopping';
  return snapshot.matches('initialized') || snapshot.matches('stopped') ? 'over' : 'running';
}
