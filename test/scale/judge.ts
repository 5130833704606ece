/** What became of closed bars that were sent: how late they came, and whether each came once, in order. */
import { DatabaseSync } from 'node:sqlite';
import type { Series } from '../../machines/model/kline.ts';
import type { Told } from './life.ts';

export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Bar {
  readonly number: number;
  readonly openTime: number;
  readonly at: number;
}

export const barsIn = (told: Told): Bar[] =>
  Array.from({ length: told.length / 3 }, (_, index) => ({
    number: told[3 * index] as number,
    openTime: told[3 * index + 1] as number,
    at: told[3 * index + 2] as number,
  }));

export const keyOf = ({ number, openTime }: Pick<Bar, 'number' | 'openTime'>): string =>
  `${number}@${openTime}`;

/** From sending to delivery, ms, of those that were delivered. */
export function latencyOf(sent: readonly Bar[], delivered: readonly Bar[]): Latency {
  const sentAt = new Map(sent.map((bar) => [keyOf(bar), bar.at]));
  return distributionOf(
    delivered.flatMap((bar) => {
      const at = sentAt.get(keyOf(bar));
      return at === undefined ? [] : [bar.at - at];
    }),
  );
}

export function distributionOf(values: readonly number[]): Latency {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** What is wrong with what was delivered of what was sent; nothing when each came once and in order. */
export function faultsIn(sent: readonly Bar[], delivered: readonly Bar[]): string[] {
  const [wanted, seen] = [new Set(sent.map(keyOf)), new Set<string>()];
  const last = new Map<number, number>();
  let [twice, unordered, foreign] = [0, 0, 0];
  for (const bar of delivered) {
    const key = keyOf(bar);
    if (seen.has(key)) twice += 1;
    else if (!wanted.has(key)) foreign += 1;
    else if (bar.openTime <= (last.get(bar.number) ?? 0)) unordered += 1;
    seen.add(key);
    last.set(bar.number, bar.openTime);
  }
  const lost = [...wanted].filter((key) => !seen.has(key)).length;
  return Object.entries({ lost, twice, unordered, foreign }).flatMap(([what, count]) =>
    count === 0 ? [] : [`${count} ${what}`],
  );
}

/** Bars of a store, numbered as streams are. */
export function storedIn(file: string, series: readonly Series[]): Bar[] {
  const numberOf = new Map(series.map(({ symbol, interval }, number) => [`${symbol}@${interval}`, number]));
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare('SELECT symbol, interval, open_time AS openTime FROM candles').all();
  database.close();
  return rows.map(({ symbol, interval, openTime }) => ({
    number: numberOf.get(`${symbol}@${interval}`) ?? -1,
    openTime: Number(openTime),
    at: 0,
  }));
}
