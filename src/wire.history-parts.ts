/** The part of a load's composition that asks: the archive's files, REST, and both as one. */
import type { RestPort } from './actors/rest-port.ts';
import type { ArchiveFiles, HistorySource } from './history/types.ts';
import type { ResolvedHistoryOptions } from './options.history.ts';
import type { Clock, Logger, Random } from './ports.ts';
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
  readonly random: Random;
  readonly logger: Logger;
  readonly exchangeClock: ExchangeClock;
  /** Undefined: REST is not asked. */
  readonly rest: RestPort | undefined;
  /** Undefined: there is no archive in the network, or it is not to be asked. */
  readonly visionUrl: string | undefined;
  readonly options: ResolvedHistoryOptions;
}

export type MakeHistoryParts = (input: HistoryPartsInput) => HistoryParts;

export const historyParts: MakeHistoryParts = () => {
  throw new Error('not yet');
};
