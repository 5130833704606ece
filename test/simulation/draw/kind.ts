/** A kind of fault: how often it comes, and how it is drawn. */
import fc from 'fast-check';
import type { Interval } from '../../../machines/model/interval.ts';
import type { Act, ExchangeFault, NetworkFault } from '../plan.ts';

/** What a fault is drawn for. */
export interface Setting {
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
  readonly quiet: readonly string[];
}

export interface Kind {
  readonly row: string;
  /** Against the others; 1 if not given. */
  readonly weight?: number;
  readonly draw: (setting: Setting) => fc.Arbitrary<readonly Act[]>;
}

export const SECOND = 1_000;
export const MINUTE = 60_000;

/** Whole number in [from, to]. */
export const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
/** Whole seconds, in ms. */
export const seconds = (from: number, to: number): fc.Arbitrary<number> =>
  between(from, to).map((count) => count * SECOND);

export const exchange = (fault: ExchangeFault, afterMs?: number): Act => ({
  ...(afterMs === undefined ? {} : { afterMs }),
  on: 'exchange',
  fault,
});
export const network = (fault: NetworkFault, afterMs?: number): Act => ({
  ...(afterMs === undefined ? {} : { afterMs }),
  on: 'network',
  fault,
});

/** All connections break: what else is wrong with them is met by new ones. */
export const DROP: Act = exchange({ kind: 'drop' });

export const aSymbol = ({ symbols }: Setting): fc.Arbitrary<string> => fc.constantFrom(...symbols);

/** Names of some streams. */
export const someStreams = ({ symbols, intervals }: Setting): fc.Arbitrary<string[]> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...symbols), fc.constantFrom(...intervals)), {
      minLength: 1,
      maxLength: 4,
      selector: (one) => one.join('@'),
    })
    .map((pairs) => pairs.map(([symbol, interval]) => `${symbol.toLowerCase()}@kline_${interval}`));

/** A secret that must not come out anywhere. */
export const CANARY = 'canary-7f3a-do-not-tell';
