/** The part of the composition root that asks for the past: days for long holes, and the questions of users. */
import type { PastPort } from './actors/past-days.ts';
import { type RestPort, restPort } from './actors/rest-port.ts';
import { ConfigurationError, ConnectionError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { ArchiveClient } from './history/archive/archive-client.ts';
import { archivePages } from './history/archive-pages.ts';
import type { ReadStore } from './history/gather.ts';
import { noCache } from './history/progress.ts';
import { impatient } from './history/rest/impatient-rest.ts';
import { createHistorySource } from './history/source.ts';
import type { ArchiveFiles, CacheCounts, HistorySource, HistorySourceName } from './history/types.ts';
import type { ResolvedOptions } from './options.ts';
import type { Clock, Logger, Random } from './ports.ts';
import type { DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import { startAsking } from './wire.history-asking.ts';
import { wireRest } from './wire.rest.ts';
import type { World } from './world.ts';

/** REST stands ready where the archive can't be reached: nobody waits for it long. */
const DOWNLOAD_TRIES_MAX = 3;
const DOWNLOAD_IDLE_MS = 5_000;

/** Where history comes from, for one question. */
export interface OpenedHistory {
  readonly source: HistorySource;
  /** What the archive's cache has done since it was opened. */
  counts(): Readonly<CacheCounts>;
  /** Lets go of what was opened for that question alone. Never rejects. */
  close(): Promise<void>;
}

export interface WiredPast {
  /** For repairs. */
  readonly days: PastPort;
  /** @throws {ConnectionError} when there is nobody to ask now. @throws {ConfigurationError} for an archive that is none. */
  open(source: HistorySourceName): OpenedHistory;
  /** Reads the store; undefined: there is none yet. @throws {StoreError} */
  stored(): Promise<ReadStore | undefined>;
  /** Lets go of the archive's files. */
  release(cleanup: DeadlineCleanup): void;
}

export function wirePast(ports: {
  readonly options: ResolvedOptions;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly exchangeNow: () => number;
  readonly world: World;
  /** The session of the collector. */
  readonly rest: RestPort;
  /** Whether that session is there: it may be ending. */
  readonly life: () => 'running' | 'stopping' | 'over';
}): WiredPast {
  const { options, exchange, clock, logger, rest } = ports;
  const { disk } = ports.world;
  const { store: path, origin } = options;
  const sourceOf = (files: ArchiveFiles | undefined, port: RestPort): HistorySource =>
    createHistorySource({ files, rest: port, clock, logger });

  /** Of the run; opened when it is first needed. */
  let files: ArchiveFiles | undefined;
  const shared = (): ArchiveFiles | undefined => {
    files ??= openArchive(options, exchange, clock, logger);
    return files;
  };
  return {
    days: archivePages({
      source: () => (shared() === undefined ? undefined : sourceOf(shared(), impatient(rest))),
      exchangeNow: ports.exchangeNow,
      clock,
      logger,
    }),
    open(name) {
      assertReachable(exchange);
      if (name === 'vision' && visionUrlOf(options, exchange) === undefined) throw noArchive(options);
      const life = ports.life();
      if (life === 'stopping')
        throw new ConnectionError('the collector is stopping; await stop() before asking for history', {
          code: 'STOPPING',
        });
      if (life === 'over') return openAlone(ports, name, sourceOf);
      const source = sourceOf(name === 'rest' ? undefined : shared(), rest);
      return { source, counts: () => files?.counts ?? noCache(), close: async () => {} };
    },
    async stored() {
      if (path === undefined || !(await disk.inspect(path, origin)).exists) return undefined;
      return (series, after, rowsMax) => disk.read(path, series, after, rowsMax);
    },
    release(cleanup) {
      const left = files;
      files = undefined;
      if (left !== undefined) cleanup.add('archive.files', () => left.close());
    },
  };
}

/** Prices of testnet are its own: the public archive is not that of its candles. */
const visionUrlOf = ({ network }: ResolvedOptions, exchange: Exchange): string | undefined =>
  network === 'testnet' ? undefined : exchange.urls().visionUrl;

function openArchive(
  options: ResolvedOptions,
  exchange: Exchange,
  clock: Clock,
  logger: Logger,
): ArchiveFiles | undefined {
  const visionUrl = visionUrlOf(options, exchange);
  if (visionUrl === undefined) return undefined;
  const { cacheDir, network } = options;
  return new ArchiveClient({
    visionUrl,
    cacheDir,
    // Another exchange of another seed may have had that address before.
    isTrusted: network === 'mainnet',
    clock,
    logger,
    download: { triesMax: DOWNLOAD_TRIES_MAX, idleTimeoutMs: DOWNLOAD_IDLE_MS },
  });
}

/** An embedded exchange has an address only while it runs. */
function assertReachable(exchange: Exchange): void {
  try {
    exchange.urls();
  } catch (cause) {
    throw new ConnectionError('the embedded exchange does not run; start the collector before asking it', {
      code: 'NOT_STARTED',
      cause,
    });
  }
}

const noArchive = ({ network }: ResolvedOptions): ConfigurationError =>
  new ConfigurationError([
    {
      option: 'source',
      given: "'vision'",
      allowed:
        network === 'testnet'
          ? 'auto or rest: testnet has no archive, and the prices of the public one are others'
          : 'auto or rest, or a network with a visionUrl',
    },
  ]);

/** A REST session and an archive of its own, for one question of a collector that does not run. */
function openAlone(
  ports: Parameters<typeof wirePast>[0],
  name: HistorySourceName,
  sourceOf: (files: ArchiveFiles | undefined, rest: RestPort) => HistorySource,
): OpenedHistory {
  const { options, exchange, clock, random, logger, world } = ports;
  const session = wireRest({ clock, random, logger, exchange, path: options.store, world });
  const files = name === 'rest' ? undefined : openArchive(options, exchange, clock, logger);
  session.obeyBans();
  const answered = Promise.withResolvers<void>();
  const { actor, ended, release } = startAsking({
    session,
    name: 'memory',
    stopTimeoutMs: options.stopTimeoutMs,
    clock,
    logger,
    work: () => answered.promise,
    closeArchive: () => files?.close(),
  });
  return {
    source: sourceOf(
      files,
      restPort(() => actor),
    ),
    counts: () => files?.counts ?? noCache(),
    async close() {
      answered.resolve();
      await ended.catch(() => {});
      await release();
    },
  };
}
