/** The whole store in the end, by the oracle of the storms. */

import { closeTimeOf } from '../../../machines/model/interval.ts';
import type { Evidence, Violation as Found } from '../../oracle/evidence.ts';
import { judge } from '../../oracle/judge.ts';
import { contentOf } from '../../oracle/store-file.ts';
import { STORE, type Theatre } from '../theatre.ts';
import type { InvariantId } from './violations.ts';

/** What a repair may take when nothing stands in its way, ms: a question, a lack that is asked for three times. */
const REPAIR_MS = 45_000;
/** Bars are compared ten minutes after their close and later, and given up after thirty, when REST was away. */
const COMPARED = { from: 10 * 60_000, to: 30 * 60_000 };
/** What is older than this when a process begins is not compared any more (contract 2): nobody was there in its time. */
const WINDOW_MS = 15 * 60_000;
/** With fewer answers than this in that time REST was as good as away. */
const ANSWERS_MIN = 3;

const IDS: Readonly<Record<Found['invariant'], InvariantId>> = {
  once: 'I1',
  order: 'I2',
  equal: 'I3',
  honest: 'I4',
  named: 'I9',
  clean: 'I6',
};

export interface Period {
  /** Exchange time at which the last process was told to stop. */
  readonly endedAt: number;
  /** Exchange time from which on nothing was at fault. */
  readonly calmAt: number;
}

/** Adds what is wrong; returns how many bars there are. */
export function judgeStore(theatre: Theatre, { endedAt, calmAt }: Period): number {
  const { plan, disk, exchange, violations, hidden, asked, network } = theatre;
  const store = contentOf(disk.database(STORE));
  const series = plan.symbols.flatMap((symbol) => plan.intervals.map((interval) => ({ symbol, interval })));
  const evidence: Evidence = {
    series,
    timeScale: 1,
    truth: exchange.truth,
    store,
    heldBefore: new Set(),
    told: [],
    toldIsAll: false,
    samples: [],
    wire: undefined,
    asked,
    endedAt,
    readAt: exchange.now(),
    faultsOverAt: calmAt,
    backfillFrom: undefined,
    repairMs: REPAIR_MS,
    socketsLeft: exchange.sockets(),
    mayBeOpen: (bar) =>
      hidden.has({
        ...bar,
        closeTime: closeTimeOf(bar.interval as (typeof plan.intervals)[number], bar.openTime),
      }),
    mayDiffer: ({ closeTime, symbol }) =>
      asked.filter(
        (one) =>
          one.symbol === symbol &&
          one.status === 200 &&
          one.streamsSince < closeTime + WINDOW_MS &&
          one.at > closeTime + COMPARED.from &&
          one.at < closeTime + COMPARED.to,
      ).length < ANSWERS_MIN,
  };
  for (const { invariant, name, detail } of judge(evidence)) violations.add(IDS[invariant], name, detail);
  // Every series is there, not just those that are whole.
  for (const one of series) {
    const count = store.candles.filter(
      (candle) => candle.symbol === one.symbol && candle.interval === one.interval,
    );
    if (count.length === 0 && !plan.later.includes(one.symbol))
      violations.add('I1', 'a series without a bar', `${one.symbol}@${one.interval}`);
  }
  if (network.requests === 0) violations.add('I1', 'nothing was ever asked', '');
  return store.candles.length;
}
