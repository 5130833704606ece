/**
 * The simulated exchange: a WebSocket and HTTP server on loopback that speaks the venue's wire format, with a
 * market made from a seed or from recorded files, and faults on command. See `docs/simulator.md`.
 */
export type { ConnectionState } from './door.ts';
export { type SimulatedExchange, startSimulator } from './exchange.ts';
export { FAULT_KINDS, type Fault, type FaultKind, faultSchema } from './fault-shapes.ts';
export type { LogEntry, LogKind } from './journal.ts';
export { DEFAULT_SEED, DEFAULT_SYMBOLS, DEFAULT_TIME_SCALE, type SimulatorOptions } from './options.ts';
export type { SymbolInfo } from './symbols.ts';
export { createReplayTruth, createTruth, type Truth, type TruthOptions } from './truth.ts';
export type { WireBar } from './units.ts';
