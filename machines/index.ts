/** The statecharts, and the pure functions they lean on. Exported as `candlestate/machines`. */

export * from './cleanup.machine.ts';
export * from './cleanup.setup.ts';
export { closeOnFault } from './close-on-fault.ts';
export * from './collector.machine.ts';
export type { Notice } from './collector.notices.ts';
export * from './collector.setup.ts';
export * from './collector.types.ts';
export * from './component.machine.ts';
export * from './connection.machine.ts';
export * from './connection.types.ts';
export * from './feed.machine.ts';
export * from './kline-stream.machine.ts';
export * from './model/backoff.ts';
export * from './model/cleanup.ts';
export * from './model/dependencies.ts';
export type { Held, HoldKind } from './model/hold.ts';
export * from './model/interval.ts';
export * from './model/kline.ts';
export * from './model/ledger.ts';
export * from './model/shards.ts';
export type { Priority } from './model/weight-budget.ts';
export * from './rest-session.machine.ts';
export * from './store.machine.ts';
export * from './supervisor.machine.ts';
export * from './supervisor.setup.ts';
export type * from './supervisor.types.ts';
