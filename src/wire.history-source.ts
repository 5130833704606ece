/** The composition of who only asks: archive and REST as one source, for as long as some work goes on. */
import { createActor, fromPromise } from 'xstate';
import { closeOnFault } from '../machines/close-on-fault.ts';
import { historyMachine } from '../machines/history.machine.ts';
import { restPort } from './actors/rest-port.ts';
import { indexTimers } from './actors/timer-index.ts';
import type { ReplacedFile } from './history/archive/archive-client.ts';
import type { HistorySource } from './history/types.ts';
import { type HistoryOptions, resolveHistoryOptions } from './options.history.ts';
import { DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import { quiet, silent } from './supervisor/quiet.ts';
import { systemClock, systemRandom } from './transport/clock.ts';
import { ExchangeClock } from './transport/exchange-clock.ts';
import { historyParts } from './wire.history-parts.ts';
import { wireRest } from './wire.rest.ts';

/** Who is asked, as with a load; `store` is only where bans are written down. */
export interface HistorySourceOptions
  extends Pick<
    HistoryOptions,
    | 'source'
    | 'network'
    | 'archiveDir'
    | 'cacheDir'
    | 'noCache'
    | 'store'
    | 'stopTimeoutMs'
    | 'logger'
    | 'signal'
    | 'clock'
    | 'random'
  > {
  /** Is told of files of the archive that are others than those in the cache: each is asked for its checksum. */
  readonly onReplaced?: ((replaced: ReplacedFile) => void) | undefined;
}

/** What a load has and this has not; it does not matter which. */
const ANY_RANGE = { symbol: 'BTCUSDT', interval: '1m', from: 0, to: 60_000 } as const;

/**
 * Opens a source, has `work` ask it, and lets everything go, however the work ends and never later than the stop's
 * deadline. The chart is that of a load, which has nothing to keep.
 *
 * @throws {ConfigurationError} for options that can't work; what the work throws; the signal's reason.
 */
export async function withHistorySource(
  options: HistorySourceOptions,
  work: (source: HistorySource, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { onReplaced, ...given } = options;
  const resolved = resolveHistoryOptions({ ...ANY_RANGE, ...given });
  const { restUrl, visionUrl, source, store, stopTimeoutMs, timeScale } = resolved;
  const { clock = systemClock, random = systemRandom, signal } = resolved;
  signal?.throwIfAborted();
  const logger = quiet(resolved.logger ?? silent);
  const exchange = { urls: () => ({ restUrl: restUrl ?? '' }) };
  const session = wireRest({ clock, random, logger, exchange, path: store });
  const asksRest = source !== 'vision' && restUrl !== undefined;
  if (asksRest) session.obeyBans();
  const parts = historyParts({
    clock,
    logger,
    exchangeClock: new ExchangeClock(clock, timeScale),
    rest: asksRest ? restPort(() => actor) : undefined,
    visionUrl,
    options: resolved,
    onReplaced,
  });
  const nothing = fromPromise(async () => {});
  const actor = createActor(
    closeOnFault(
      historyMachine.provide({
        actors: {
          rest: session.machine,
          open: nothing,
          plan: fromPromise(async () => ({ pieces: 1 })),
          load: fromPromise(async ({ signal: over }) => {
            await work(parts.source, over);
            return { lacking: 0, hasMore: false };
          }),
          finish: nothing,
          closeSink: nothing,
          closeArchive: fromPromise(async () => parts.files?.close()),
        },
      }),
    ),
    {
      clock,
      input: {
        rest: session.input,
        sink: 'comparison',
        isDryRun: false,
        stopTimeoutMs,
        now: () => clock.now(),
      },
    },
  );
  indexTimers(actor);
  actor.on('NOTICE', ({ level, message, fields }) => logger[level](message, { ...fields }));
  const ended = Promise.withResolvers<void>();
  actor.subscribe({ complete: () => ended.resolve(), error: (error) => ended.reject(error) });
  const onAbort = (): void => actor.send({ type: 'STOP', reason: 'aborted' });
  signal?.addEventListener('abort', onAbort, { once: true });
  actor.start();
  actor.send({ type: 'START' });
  try {
    await ended.promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    const cleanup = new DeadlineCleanup({ timeoutMs: stopTimeoutMs, clock, logger });
    session.release(cleanup);
    await cleanup.run();
  }
  const { output } = actor.getSnapshot();
  signal?.throwIfAborted();
  if (output?.outcome === 'failed') throw output.error;
}
