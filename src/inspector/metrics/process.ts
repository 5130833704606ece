import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '../../ports.ts';

/**
 * What was read so lately is told again, ms: reading the delay of the event loop begins its next measurement, and two
 * inspectors of one process must not leave each other a measurement of nothing.
 */
const HOLD_MS = 1_000;

/** Lines of the delay of the event loop before its first measurement: no number, or a number of no meaning. */
const NOT_MEASURED = /^nodejs_eventloop_lag_\w+ (?:Nan|9223372036\.\d+)\n/gmu;

let registry: Registry | undefined;
let held: { readonly at: number; readonly text: Promise<string> } | undefined;

/**
 * Begins to measure this process: processor time, memory, handles, garbage collection, delay of the event loop. Once,
 * however many inspectors come and go: prom-client can't let go of its observers again. They keep no process alive.
 */
export function measureProcess(): void {
  if (registry !== undefined) return;
  registry = new Registry();
  collectDefaultMetrics({ register: registry });
}

/** The figures of this process, as text. */
export function processText(clock: Clock): Promise<string> {
  measureProcess();
  const now = clock.now();
  if (held === undefined || now - held.at >= HOLD_MS || now < held.at)
    held = { at: now, text: registry!.metrics().then((text) => text.replace(NOT_MEASURED, '')) };
  return held.text;
}
