import { describe, expect, test } from 'vitest';
import { cleanupModel } from '../model/cleanup.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, say } from './play.ts';

type Run = Session<never>;
const RUN = { type: 'RUN', withinMs: 5_000 };

/** A cleanup of tasks with these names, begun. */
function begun(...names: string[]): Run {
  const run = begin(cleanupModel) as Run;
  for (const [index, name] of names.entries()) add(run, index, name);
  run.pass(13);
  say(run, RUN);
  return run;
}
const add = (run: Run, index: number, name: string): void =>
  say(run, { type: 'ADD', slot: `task${index}`, name });
const alive = (run: Run): string[] => Object.keys(run.children);
const report = (run: Run): unknown => run.snapshot.output;

describe('a cleanup', () => {
  test('begins nothing before it runs, and then all at once', () => {
    const run = begin(cleanupModel) as Run;
    add(run, 0, 'a');
    add(run, 1, 'b');
    run.pass(60_000);
    expect(alive(run)).toEqual([]);
    say(run, RUN);
    expect(alive(run)).toEqual(['task0', 'task1']);
  });

  test('of nothing has ended at once', () => {
    const run = begun();
    expect(report(run)).toEqual({ durationMs: 0, clean: true, tasks: [], errors: [], cancelled: [] });
    expect(run.timers()).toEqual([]);
  });

  test('ends with its last task, and has a line for each in the order in which they were added', () => {
    const run = begun('a', 'b', 'c');
    run.pass(10);
    ends(run, 'task2');
    run.pass(10);
    ends(run, 'task0');
    run.pass(10);
    expect(isDone(run)).toBe(false);
    ends(run, 'task1');
    expect(report(run)).toEqual({
      durationMs: 30,
      clean: true,
      tasks: [
        { name: 'a', outcome: 'closed', durationMs: 20 },
        { name: 'b', outcome: 'closed', durationMs: 30 },
        { name: 'c', outcome: 'closed', durationMs: 10 },
      ],
      errors: [],
      cancelled: [],
    });
  });

  test('collects what a task throws, and waits for the others', () => {
    const run = begun('a', 'b');
    const boom = new Error('boom');
    fails(run, 'task0', boom);
    expect(isDone(run)).toBe(false);
    ends(run, 'task1');
    expect(report(run)).toMatchObject({
      clean: false,
      tasks: [{ name: 'a', outcome: 'failed', error: 'boom' }, { outcome: 'closed' }],
      errors: [boom],
      cancelled: [],
    });
  });

  test('stops at its deadline what has not ended, and not earlier', () => {
    const run = begun('a', 'b');
    const late = child(run, 'task1');
    ends(run, 'task0');
    run.pass(4_999);
    expect(late.getSnapshot().status).toBe('active');
    run.pass(1);
    expect(late.getSnapshot().status).toBe('stopped');
    expect(report(run)).toMatchObject({
      durationMs: 5_000,
      clean: false,
      tasks: [{ outcome: 'closed' }, { name: 'b', outcome: 'forced', durationMs: 5_000 }],
      cancelled: ['b'],
    });
  });

  test('that is aborted does the same at once', () => {
    const run = begun('a');
    run.pass(100);
    say(run, { type: 'ABORT' });
    expect(report(run)).toMatchObject({ durationMs: 100, cancelled: ['a'] });
    expect(run.survivors()).toEqual([]);
  });

  test('gives a task that is added while it runs what is left of the time', () => {
    const run = begun('a');
    run.pass(4_000);
    add(run, 1, 'b');
    ends(run, 'task0');
    run.pass(1_000);
    expect(report(run)).toMatchObject({
      durationMs: 5_000,
      tasks: [{ outcome: 'closed' }, { name: 'b', outcome: 'forced', durationMs: 1_000 }],
    });
  });

  test('does not begin what was taken out before, and keeps what has begun', () => {
    const run = begin(cleanupModel) as Run;
    add(run, 0, 'a');
    add(run, 1, 'b');
    say(run, { type: 'REMOVE', slot: 'task0' });
    say(run, RUN);
    say(run, { type: 'REMOVE', slot: 'task1' });
    expect(alive(run)).toEqual(['task1']);
  });

  test('told to run again does not begin anew: neither its tasks nor its time', () => {
    const run = begun('a');
    const first = child(run, 'task0');
    run.pass(4_000);
    say(run, RUN);
    expect(child(run, 'task0')).toBe(first);
    run.pass(1_000);
    expect(isDone(run)).toBe(true);
  });

  test('keeps no child of a task that has ended', () => {
    const run = begun('a', 'b', 'c');
    ends(run, 'task0');
    fails(run, 'task1', new Error('boom'));
    expect(alive(run)).toEqual(['task2']);
  });
});
