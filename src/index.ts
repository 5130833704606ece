/** What users of the library may rely on. */
export type { Cleanup, Outcome } from '../machines/model/cleanup.ts';
export { INTERVALS, type Interval } from '../machines/model/interval.ts';
export type { Candle, CandleSource, Series } from '../machines/model/kline.ts';
export { BinanceDataCollector, type CandleQuery, type StopOptions } from './collector.ts';
export {
  CandlestateError,
  ConfigurationError,
  type ConfigurationIssue,
  ConnectionError,
  ConsumerLaggedError,
  ExchangeError,
  StoreError,
} from './errors.ts';
export type { StopReport } from './lifecycle.ts';
export type { CollectorOptions, NetworkUrls, TimingOverrides } from './options.ts';
export type { CollectorEvents, GapNotice, Problem, StateChange } from './pipeline/delivery.ts';
export type { Clock, Logger, Random } from './ports.ts';
export type { CollectorMode, CollectorState, CollectorStatus, SeriesStatus } from './status.ts';
