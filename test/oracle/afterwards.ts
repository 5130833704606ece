/** Evidence of a collection that nobody listened to: another process wrote the store, and it may have been killed. */
import type { Series } from '../../machines/model/kline.ts';
import type { Evidence, OracleTruth } from './evidence.ts';
import { readStore } from './store-file.ts';

export interface Aftermath {
  readonly store: string;
  readonly series: readonly Series[];
  readonly truth: OracleTruth;
  readonly timeScale: number;
  /** Exchange time at which it was told to stop, or died. */
  readonly endedAt: number;
  /** Exchange time by now. */
  readonly readAt: number;
  /** Exchange time from which on nothing was in the way. Default: the end, so that no tail is owed. */
  readonly faultsOverAt?: number;
  readonly backfillFrom?: number;
  readonly repairMs?: number;
  readonly socketsLeft?: number;
}

export const evidenceOf = (found: Aftermath): Evidence => ({
  series: found.series,
  timeScale: found.timeScale,
  truth: found.truth,
  store: readStore(found.store),
  heldBefore: new Set(),
  told: [],
  toldIsAll: false,
  samples: [],
  wire: undefined,
  asked: [],
  endedAt: found.endedAt,
  readAt: found.readAt,
  faultsOverAt: found.faultsOverAt ?? found.endedAt,
  backfillFrom: found.backfillFrom,
  repairMs: found.repairMs ?? 1_500,
  socketsLeft: found.socketsLeft,
  mayBeOpen: () => false,
  mayDiffer: () => false,
});
