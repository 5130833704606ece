/** The composition of who only asks: archive and REST as one source, for as long as some work goes on. */
import { restPort } from './actors/rest-port.ts';
import type { ReplacedFile } from './history/archive/archive-client.ts';
import type { HistorySource } from './history/types.ts';
import { type HistoryOptions, resolveHistoryOptions } from './options.history.ts';
import { quiet, silent } from './supervisor/quiet.ts';
import { systemClock, systemRandom } from './transport/clock.ts';
import { ExchangeClock } from './transport/exchange-clock.ts';
import { startAsking } from './wire.history-asking.ts';
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
  const { actor, ended, release } = startAsking({
    session,
    name: 'comparison',
    stopTimeoutMs,
    clock,
    logger,
    work: (over) => work(parts.source, over),
    closeArchive: () => parts.files?.close(),
  });
  const onAbort = (): void => actor.send({ type: 'STOP', reason: 'aborted' });
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await ended;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await release();
  }
  const { output } = actor.getSnapshot();
  signal?.throwIfAborted();
  if (output?.outcome === 'failed') throw output.error;
}
