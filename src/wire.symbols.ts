/** The part of the composition root that knows which series there are: those of symbols that come and go. */
import type { KlineStreamInput } from '../machines/kline-stream.machine.ts';
import { openTimeAt } from '../machines/model/interval.ts';
import { type Series, seriesKey } from '../machines/model/kline.ts';
import { Roster, streamId } from './actors/roster.ts';
import { streamName } from './binance/streams.ts';
import { CONTRACT_INFO_EVENT, type ListedSymbol, readContractInfo } from './binance/symbols.ts';
import { ALL, type ResolvedOptions } from './options.ts';
import type { Delivery } from './pipeline/delivery.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { StoredSeries } from './store/marks.ts';

/** Every series of a symbol. */
export const seriesOf = (options: ResolvedOptions, symbol: string): Series[] =>
  options.intervals.map((interval) => ({ symbol, interval }));

/** Symbols that are asked for by name are known from the start, also those that do not trade yet. */
export const namedSeries = (options: ResolvedOptions): Series[] =>
  options.symbols === ALL ? [] : options.symbols.flatMap((symbol) => seriesOf(options, symbol));

export interface WiredSymbols {
  readonly roster: Roster;
  /** Makes ready for the streams of a symbol, before the store is open. */
  admit(listed: ListedSymbol): KlineStreamInput[];
  /** The same while it is open: nobody will ask it any more where these series stand. */
  admitLate(listed: ListedSymbol): KlineStreamInput[];
  /** The store has said where every series stands that it knows. */
  storeOpened(stored: readonly StoredSeries[]): void;
  /** An event of another type than a kline. */
  onEvent(type: string, fields: Readonly<Record<string, unknown>>): void;
}

export function wireSymbols(ports: {
  readonly options: ResolvedOptions;
  readonly pipeline: Pipeline;
  readonly delivery: Delivery;
  readonly exchangeNow: () => number;
  readonly now: () => number;
  readonly random: () => number;
}): WiredSymbols {
  const { options, pipeline, delivery, random } = ports;
  const roster = new Roster(options.symbols, ports.now);
  const onboardDates = new Map<string, number>();

  /** Open times from which on the store has all of a series; what history has put before that is behind a hole. */
  const begins = new Map<string, number>();

  /** Where series begin of which the store knows nothing, or too little: at the bar of that time, or of the listing. */
  const startBackfill = (symbol: string, onboardDate: number): void => {
    if (options.backfillMs === 0) return;
    const from = Math.max(ports.exchangeNow() - options.backfillMs, onboardDate);
    for (const one of seriesOf(options, symbol)) {
      const openTime = openTimeAt(one.interval, from);
      if (openTime < (begins.get(seriesKey(one)) ?? 0)) pipeline.goBackTo(one, openTime);
      else pipeline.startAt(one, openTime);
    }
  };
  const admit = ({ symbol, onboardDate }: ListedSymbol): KlineStreamInput[] => {
    onboardDates.set(symbol, onboardDate);
    return seriesOf(options, symbol).map((one) => {
      pipeline.add(one).reopen();
      delivery.add(one);
      return { id: streamId(one), series: one, stream: streamName(one), timing: options.timing, random };
    });
  };
  return {
    roster,
    admit,
    admitLate(listed) {
      const streams = admit(listed);
      startBackfill(listed.symbol, listed.onboardDate);
      return streams;
    },
    storeOpened(stored) {
      for (const one of stored) begins.set(seriesKey(one), one.wholeFrom);
      for (const [symbol, onboardDate] of onboardDates) startBackfill(symbol, onboardDate);
    },
    onEvent(type, fields) {
      const listed = type === CONTRACT_INFO_EVENT ? readContractInfo(fields) : undefined;
      if (listed !== undefined) roster.onEvent?.(listed);
    },
  };
}
