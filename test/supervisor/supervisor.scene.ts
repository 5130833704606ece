import { afterEach, beforeEach, expect } from 'vitest';
import type { CandlestateError } from '../../src/errors.ts';
import type { Component } from '../../src/supervisor/component.ts';
import type { SupervisorReport } from '../../src/supervisor/report.ts';
import { Supervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';

/** What never comes, whatever has been done before. */
export const never = (..._done: unknown[]): Promise<never> => new Promise(() => {});
export const outcomes = (report: SupervisorReport): string[] =>
  report.components.map(({ name, outcome }) => `${name} ${outcome}`);

/** The code of the error that it rejects with. */
export const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: CandlestateError) => error.code,
  );

/** Whatever nobody caught while a test ran. */
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);

/** Has every test of a file fail that leaves something uncaught. */
export function watchUncaught(): void {
  beforeEach(() => {
    uncaught.length = 0;
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
  });
  afterEach(async () => {
    await settle();
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
    expect(uncaught).toEqual([]);
  });
}

/** Components that write down what is asked of them: `+a` started, `-a` stopped, `?a` verified. */
export function scene(options: Omit<SupervisorOptions, 'clock' | 'components'> = {}) {
  const clock = new FakeClock();
  const story: string[] = [];
  const supervisor = new Supervisor({ clock, resources: false, ...options });
  /** One that does what `more` says, and writes it down. */
  const told = (
    name: string,
    dependsOn: readonly string[] = [],
    more: Partial<Component> = {},
  ): Component => ({
    name,
    dependsOn,
    ...more,
    start: (signal, context) => {
      story.push(`+${name}`);
      return more.start?.(signal, context);
    },
    stop: (signal, context) => {
      story.push(`-${name}`);
      return more.stop?.(signal, context);
    },
  });
  const add = (...component: Parameters<typeof told>): unknown => supervisor.register(told(...component));
  /** Lets time pass until the stop is over. */
  const stopped = async (stop = supervisor.stop(), ms = 10_000): Promise<SupervisorReport> => {
    await clock.advance(ms);
    return stop;
  };
  return { clock, story, supervisor, told, add, stopped };
}
