import { describe } from '../../machines/model/cleanup.ts';
import type { Clock, Logger } from '../ports.ts';
import type { BanNotes } from '../store/ban.ts';
import type { Quota, Told } from './quota.ts';

export interface BanPorts {
  readonly quota: Quota;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bans: BanNotes;
  /** Of the store. */
  readonly path: string;
  readonly restUrl: string;
}

/**
 * Obeys a pause that an earlier run was told, and writes down those to come, until the answer is called.
 */
export function rememberBans({ quota, clock, logger, bans, path, restUrl }: BanPorts): () => void {
  const { origin } = new URL(restUrl);
  const trying = (what: string, call: () => void): void => {
    try {
      call();
    } catch (error) {
      logger.warn(`the file with the exchange's ban ${what}`, { store: path, reason: describe(error) });
    }
  };
  const imposed = ({ kind, forMs, reason }: Told): void => {
    const until = clock.wallNow() + forMs;
    trying('cannot be written', () => bans.write(path, { origin, until, toldMs: forMs, kind, reason }));
  };
  trying('is damaged and was ignored', () => {
    const ban = bans.read(path, origin, clock.wallNow());
    if (ban === undefined) return;
    quota.impose({ kind: ban.kind, forMs: ban.leftMs, reason: `${ban.reason} in an earlier run` });
  });
  return quota.listen({ imposed, over: () => trying('cannot be removed', () => bans.remove(path)) });
}
