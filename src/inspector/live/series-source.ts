import type { SeriesNews } from '../protocol.ts';

/** Where the hub has news of candles from: a `SeriesBook`, or what behaves like one. */
export interface SeriesSource {
  /**
   * What has changed of a series (`BTCUSDT@1m`) since the `until` of the news before; without `since`, enough to begin
   * with. Undefined: nothing, or there is no such series.
   */
  newsOf(key: string, since?: number): { readonly news: SeriesNews; readonly until: number } | undefined;
  /** Nobody watches it any more. */
  forget(key: string): void;
}
