/** What a stored bar can have wrong by itself. */
import type { Candle, Series } from '../../machines/model/kline.ts';
import { implausibility } from '../../machines/model/ledger.ts';

/** A bar as it is read, one after the other. */
export interface StoredBar {
  readonly openTime: number;
  readonly closeTime: number;
  /** What of it can't be, see `FAULT`; 0: nothing. */
  readonly faults: number;
}

/** What else a bar has, of whatever type the file has it. */
export type StoredValues = Omit<Candle, keyof Series | 'openTime'>;

const AMOUNTS = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quoteVolume',
  'count',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
] as const satisfies readonly (keyof StoredValues)[];

/** Why no bar can have these values; undefined when one can. */
export function impossibility(bar: StoredValues): string | undefined {
  for (const name of AMOUNTS) if (!Number.isFinite(bar[name])) return `${name} is no finite number`;
  if (bar.count > Number.MAX_SAFE_INTEGER) return 'more trades than can be counted';
  if (bar.low < 0) return 'a price below zero';
  const odd = implausibility(bar);
  if (odd !== undefined) return odd;
  if (bar.takerBuyVolume < 0 || bar.takerBuyQuoteVolume < 0) return 'negative volume or count';
  if (bar.takerBuyVolume > bar.volume) return 'more bought by takers than was traded';
  if (bar.takerBuyQuoteVolume > bar.quoteVolume) return 'more bought by takers than was traded';
  return undefined;
}

/** A row for a report; JSON has no word for infinities. */
export const valuesOf = (row: object): Record<string, number | string | null> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      value === null || (typeof value === 'number' && Number.isFinite(value)) ? value : String(value),
    ]),
  );
