/** The part of a load's composition that asks: the archive's files, REST, and both as one. */
import type { RestPort } from './actors/rest-port.ts';
import type { ArchiveFile } from './binance/archive.ts';
import { readServerTime, timeRequest } from './binance/rest.ts';
import { ArchiveClient, type ArchiveClientOptions } from './history/archive/archive-client.ts';
import { ArchiveFolder } from './history/archive/archive-folder.ts';
import { noCache } from './history/progress.ts';
import { createHistorySource } from './history/source.ts';
import type { ArchiveFiles, CacheCounts, Fetched, HistorySource } from './history/types.ts';
import type { ResolvedHistoryOptions } from './options.history.ts';
import type { Clock, Logger } from './ports.ts';
import type { ExchangeClock } from './transport/exchange-clock.ts';

export interface HistoryParts {
  readonly source: HistorySource;
  /** Undefined: the archive is not asked. */
  readonly files: ArchiveFiles | undefined;
  /** Requests to the archive. */
  requests(): number;
}

export interface HistoryPartsInput {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is set when the exchange is asked for its time. */
  readonly exchangeClock: ExchangeClock;
  /** Undefined: REST is not asked. */
  readonly rest: RestPort | undefined;
  /** Undefined: there is no archive in the network, or it is not to be asked. */
  readonly visionUrl: string | undefined;
  /** Is told of files that are others than those in the cache; then nothing in the cache is taken unasked. */
  readonly onReplaced?: ArchiveClientOptions['onReplaced'];
  readonly options: Pick<ResolvedHistoryOptions, 'archiveDir' | 'cacheDir' | 'cacheMaxBytes' | 'origin'>;
}

export type MakeHistoryParts = (input: HistoryPartsInput) => HistoryParts;

export const historyParts: MakeHistoryParts = (input) => {
  const { clock, logger, exchangeClock, visionUrl, onReplaced } = input;
  const { archiveDir, cacheDir, cacheMaxBytes, origin } = input.options;
  const rest = input.rest === undefined ? undefined : witnessed(input.rest, clock, exchangeClock);
  if (archiveDir !== undefined) {
    const files = new ArchiveFolder(archiveDir);
    const hasFile = (file: ArchiveFile): Promise<boolean> => files.has(file);
    const source = createHistorySource({ rest, files, hasFile, clock, logger });
    return { source, files, requests: () => 0 };
  }
  if (visionUrl === undefined)
    return {
      source: createHistorySource({ rest, files: undefined, clock, logger }),
      files: undefined,
      requests: () => 0,
    };
  // Of another exchange than the real one, files of the same name may be others the next time.
  const isTrusted = origin === 'mainnet' && onReplaced === undefined;
  const maxBytes = cacheMaxBytes;
  const files = new LateArchive({ visionUrl, cacheDir, maxBytes, isTrusted, onReplaced, clock, logger });
  return {
    source: createHistorySource({ rest, files, clock, logger }),
    files,
    requests: () => files.requests,
  };
};

/** Makes no cache before a file is wanted: most loads of what a store holds already want none. */
class LateArchive implements ArchiveFiles {
  readonly #options: ArchiveClientOptions;
  #client: ArchiveClient | undefined;
  #isClosed = false;

  constructor(options: ArchiveClientOptions) {
    this.#options = options;
  }

  get counts(): Readonly<CacheCounts> {
    return this.#client?.counts ?? noCache();
  }

  get requests(): number {
    return this.#client?.requests ?? 0;
  }

  async get(file: ArchiveFile, signal?: AbortSignal): Promise<Fetched> {
    if (this.#isClosed) throw new Error('the archive is closed');
    this.#client ??= new ArchiveClient(this.#options);
    return this.#client.get(file, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client?.close();
  }
}

/** REST that sets the exchange clock by every answer that tells the time. */
const witnessed = (rest: RestPort, clock: Clock, exchangeClock: ExchangeClock): RestPort => ({
  async ask(request, signal) {
    const sentAt = clock.now();
    const body = await rest.ask(request, signal);
    if (request.path === timeRequest.path) exchangeClock.set(readServerTime(body), sentAt, clock.now());
    return body;
  },
});
