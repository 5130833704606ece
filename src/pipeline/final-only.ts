import type { Candle } from '../../machines/model/kline.ts';
import { hasEnded } from '../../machines/model/ledger.ts';

/**
 * The bars of a REST answer that were final for certain at an exchange time. A row with another behind it is: the
 * exchange has gone on. The last one may come from a copy that lags (at the edge by 6 to 13 s, protocol reference
 * Q9): it counts only when it ended `staleMs` of exchange time before, and had ended by `proven` too, a time that
 * the stamps of the streams bear out.
 */
export const finalOnly = (
  candles: readonly Candle[],
  exchangeTime: number,
  staleMs: number,
  proven = exchangeTime,
): Candle[] =>
  candles.filter((candle, index) =>
    hasEnded(candle, index < candles.length - 1 ? exchangeTime : Math.min(exchangeTime - staleMs, proven)),
  );
