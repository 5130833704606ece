import { describe, expect, test } from 'vitest';
import { klineStreamModel } from '../model/kline-stream.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, say, unended } from './play.ts';

type Run = Session<never>;
const begun = (): Run => begin(klineStreamModel) as Run;
const tell = (run: Run, ...types: string[]): void => {
  for (const type of types) say(run, { type });
};
const proof = (run: Run): unknown => run.snapshot.value['open'].proof;

test.each([
  ['nothing', [], 'awaiting'],
  ['a first frame', ['CURSOR.FIRST_FRAME'], 'live'],
  ['proof that it does not trade', ['CURSOR.QUIET'], 'quiet'],
  ['a frame after all', ['CURSOR.QUIET', 'CURSOR.FIRST_FRAME'], 'live'],
  ['proof of quiet while frames come', ['CURSOR.FIRST_FRAME', 'CURSOR.QUIET'], 'live'],
  ['the loss of the connection', ['CURSOR.FIRST_FRAME', 'FEED.DOWN'], 'awaiting'],
  ['a frame of the next connection', ['CURSOR.FIRST_FRAME', 'FEED.DOWN', 'CURSOR.FIRST_FRAME'], 'live'],
])('after %s it is as live as that proves', (_, types, state) => {
  const run = begun();
  tell(run, ...types);
  expect(proof(run)).toBe(state);
  expect(run.snapshot.hasTag('live')).toBe(state !== 'awaiting');
});

describe('a hole', () => {
  const holed = (): Run => {
    const run = begun();
    tell(run, 'CURSOR.FIRST_FRAME', 'CURSOR.HOLE');
    return run;
  };

  test('is repaired at once, whether or not the connection lives', () => {
    const run = holed();
    const repair = child(run, 'repair');
    tell(run, 'FEED.DOWN', 'CURSOR.HOLE');
    expect(child(run, 'repair')).toBe(repair);
    ends(run, 'repair', { owed: 0 });
    expect(run.snapshot.hasTag('repairing')).toBe(false);
  });

  test('is tried again after a pause that doubles up to 30 s, as long as bars are owed or REST fails', () => {
    const run = holed();
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      if (i % 2 === 0) ends(run, 'repair', { owed: 1 });
      else fails(run, 'repair', new Error('418'));
      const since = run.clock.now();
      while (run.children['repair'] === undefined) run.pass(125);
      pauses.push(run.clock.now() - since);
    }
    expect(pauses).toEqual([1_125, 2_250, 4_500, 9_000, 18_000, 33_750, 33_750, 33_750]);
  });

  test('that is filled lets the next one begin with the shortest pause', () => {
    const run = holed();
    for (let i = 0; i < 4; i++) {
      ends(run, 'repair', { owed: 1 });
      run.pass(60_000);
    }
    ends(run, 'repair', { owed: 0 });
    tell(run, 'CURSOR.HOLE');
    ends(run, 'repair', { owed: 1 });
    run.pass(1_125);
    expect(run.children['repair']).toBeDefined();
  });
});

describe('its end', () => {
  test('is immediate on CLOSE, aborts a repair, and is the same at every reachable moment', () => {
    const ask = { type: 'CLOSE' };
    expect(unended(klineStreamModel, { ask, withinMs: 0, isOver: isDone })).toEqual([]);
  });

  test('is a failure when its cursor fails', () => {
    const run = begun();
    fails(run, 'cursor', new Error('boom'));
    expect(run.snapshot.output).toMatchObject({ name: 'BTCUSDT@1m', outcome: 'failed' });
  });
});
