/** A component led by hand, as a supervisor leads it. */
import { onTestFinished } from 'vitest';
import type { Check, Component, ComponentEnd } from '../../src/supervisor/component.ts';

export interface Driven {
  readonly component: Component;
  /** Aborted when the application is stopped while it starts. */
  readonly starting: AbortController;
  /** What it ended with by itself, each time it told so. */
  readonly ends: unknown[];
  start(): Promise<unknown>;
  stop(timeoutMs: number, signal?: AbortSignal): Promise<ComponentEnd>;
  verify(timeoutMs?: number): Promise<readonly Check[]>;
  /** The checks that are not ok, as `rows failed`. */
  odd(timeoutMs?: number): Promise<string[]>;
}

export function drive(component: Component): Driven {
  const starting = new AbortController();
  const ends: unknown[] = [];
  const never = new AbortController().signal;
  const driven: Driven = {
    component,
    starting,
    ends,
    start: async () => component.start?.(starting.signal, { ended: (error) => ends.push(error) }),
    stop: async (timeoutMs, signal = never) =>
      (await component.stop?.(signal, { timeoutMs, reason: 'told to' })) as ComponentEnd,
    verify: async (timeoutMs = 8_000) => (await component.verify?.(never, { timeoutMs })) ?? [],
    odd: async (timeoutMs) =>
      (await driven.verify(timeoutMs))
        .filter(({ outcome }) => outcome !== 'ok')
        .map(({ name, outcome }) => `${name} ${outcome}`),
  };
  onTestFinished(async () => {
    starting.abort();
    await component.stop?.(never, { timeoutMs: 1_000, reason: 'the test is over' });
  });
  return driven;
}
