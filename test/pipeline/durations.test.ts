import { describe, expect, test } from 'vitest';
import { CommitTimes } from '../../src/pipeline/commit-times.ts';
import { Durations } from '../../src/pipeline/durations.ts';

const counted = (...all: number[]) => {
  const durations = new Durations();
  for (const ms of all) durations.observe(ms);
  return durations.read();
};

describe('durations', () => {
  test('fall into the first bucket that holds them, bounds included, and one is above all', () => {
    const { bounds, counts } = counted(0, 5, 5.1, 1_000, 30_000, 30_001, 1e9);
    const filled = Object.fromEntries(counts.map((count, index) => [bounds[index] ?? 'above', count]));
    expect(filled).toMatchObject({ 5: 2, 10: 1, 1000: 1, 30000: 1, above: 2 });
    expect(counts).toHaveLength(bounds.length + 1);
    expect(bounds).toEqual([...bounds].sort((one, other) => one - other));
  });

  test('are counted and summed, and the newest is known; without any there is none', () => {
    expect(counted(3, 4)).toMatchObject({ count: 2, sum: 7, last: 4 });
    expect(counted()).toMatchObject({ count: 0, sum: 0 });
    expect(counted()).not.toHaveProperty('last');
  });

  test('are never less than nothing, however clocks disagree', () => {
    expect(counted(-40)).toMatchObject({ count: 1, sum: 0, last: 0 });
  });

  test('read at one moment do not change later', () => {
    const durations = new Durations();
    const before = durations.read();
    durations.observe(1);
    expect(before.counts.every((count) => count === 0)).toBe(true);
  });
});

describe('commit times', () => {
  test('a batch is stuck since it was first tried, until it is committed', () => {
    const times = new CommitTimes();
    expect([times.stuckMs(9), times.lastAgoMs(9)]).toEqual([0, undefined]);
    times.begin(10);
    times.begin(500);
    expect(times.stuckMs(1_010)).toBe(1_000);
    times.done(500, 530);
    expect([times.stuckMs(600), times.lastAgoMs(600)]).toEqual([0, 70]);
    expect(times.took.read()).toMatchObject({ count: 1, sum: 30 });
  });
});
