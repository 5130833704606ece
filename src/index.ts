/** What users of the library may rely on. */
export type { CleanupReport } from '../machines/cleanup.setup.ts';
export { type CandleBlock, candlesIn } from '../machines/model/block.ts';
export type { Cleanup, Outcome } from '../machines/model/cleanup.ts';
export { type EndReason, EXIT } from '../machines/model/exit-code.ts';
export { INTERVALS, type Interval } from '../machines/model/interval.ts';
export type { Candle, CandleSource, Series } from '../machines/model/kline.ts';
export type { Gap } from '../machines/model/row.ts';
export type { History } from './collector.historical.ts';
export { BinanceDataCollector, type CandleQuery, type StopOptions } from './collector.ts';
export {
  ArchiveError,
  CandlestateError,
  ConfigurationError,
  type ConfigurationIssue,
  ConnectionError,
  ConsumerLaggedError,
  ExchangeError,
  StoreError,
} from './errors.ts';
export type { Ailment, CollectorHealth } from './health.ts';
export type { HistoryProgress } from './history/progress.ts';
export type { HistoryReport } from './history/report.ts';
export type { CacheCounts, HistoryNote, HistoryPlan } from './history/types.ts';
export {
  HistoryLoad,
  type HistoryOptions,
  type HistoryStopOptions,
  loadHistory,
} from './history-load.ts';
export { type InspectorComponentOptions, inspectorComponent } from './inspector/component.ts';
export type { Inspector, InspectorOptions, Watched } from './inspector/options.ts';
export { startInspector } from './inspector/start.ts';
export type { StopReport } from './lifecycle.ts';
export { flushWinston } from './log/flush-winston.ts';
export { createLogger, type FlushableLogger, type Level, type LoggerOptions } from './log/logger.ts';
export type { HistoricalQuery } from './options.query.ts';
export type { CollectorOptions, NetworkUrls, TimingOverrides } from './options.ts';
export type { CollectorEvents, GapNotice, Problem, StateChange } from './pipeline/delivery.ts';
export type { Unsubscribe } from './pipeline/listeners.ts';
export type { Clock, Logger, Random } from './ports.ts';
export type {
  CollectorCounters,
  CollectorMode,
  CollectorState,
  CollectorStatus,
  SeriesStatus,
} from './status.ts';
export {
  type CollectorComponentOptions,
  collectorComponent,
} from './supervisor/collector-component.ts';
export type {
  Check,
  Component,
  ComponentEnd,
  StartContext,
  StopContext,
  VerifyContext,
} from './supervisor/component.ts';
export {
  type CleanupTask,
  DeadlineCleanup,
  type DeadlineCleanupOptions,
} from './supervisor/deadline-cleanup.ts';
export { type HistoryComponentOptions, historyComponent } from './supervisor/history-component.ts';
export { type HttpServerComponentOptions, httpServerComponent } from './supervisor/http-component.ts';
export { type SuperviseOptions, type Supervision, superviseProcess } from './supervisor/process.ts';
export type { SupervisorReport } from './supervisor/report.ts';
export { type Application, type RunOptions, runApplication } from './supervisor/run.ts';
export { type StoreComponentOptions, storeComponent } from './supervisor/store-component.ts';
export { summaryLine } from './supervisor/summary.ts';
export {
  Supervisor,
  type SupervisorActor,
  type SupervisorOptions,
  type SupervisorState,
  type SupervisorStopOptions,
} from './supervisor/supervisor.ts';
export type { CollectorVitals, Distribution, ReconnectCause } from './vitals.ts';
export type { CollectorActor } from './wire.ts';
