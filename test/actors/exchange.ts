import { nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import { ExchangeClock } from '../../src/transport/exchange-clock.ts';
import { bar } from '../pipeline/candles.ts';
import type { FakeClock } from '../transport/fake-clock.ts';

/** A bar as a row of a klines answer. */
export const rowOf = (candle: Candle): unknown[] => [
  candle.openTime,
  String(candle.open),
  String(candle.high),
  String(candle.low),
  String(candle.close),
  String(candle.volume),
  candle.closeTime,
  String(candle.quoteVolume),
  candle.count,
  String(candle.takerBuyVolume),
  String(candle.takerBuyQuoteVolume),
  '0',
];

/**
 * What the exchange answers to a klines request at its own time `now`: from `startTime` on, or the newest,
 * `limit` at most, the open bar last and not marked. Bars in `missing` do not exist.
 */
export function klinesAt(
  series: Series,
  now: number,
  { params }: VenueRequest,
  missing: ReadonlySet<number> = new Set(),
): unknown[][] {
  const limit = Number(params['limit']);
  const newest = openTimeAt(series.interval, now);
  const rows: unknown[][] = [];
  let openTime = params['startTime'] === undefined ? newest : Number(params['startTime']);
  for (; openTime <= newest && rows.length < limit; openTime = nextOpenTime(series.interval, openTime))
    if (!missing.has(openTime)) rows.push(rowOf(bar(openTime, 'rest', series)));
  return rows;
}

/** An exchange clock that was set at the local clock's zero, exactly. */
export function clockSetTo(local: FakeClock, serverTime: number): ExchangeClock {
  const clock = new ExchangeClock(local, 1);
  clock.set(serverTime, local.now(), local.now());
  return clock;
}
