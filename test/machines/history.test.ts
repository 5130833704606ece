import { describe, expect, test } from 'vitest';
import type { HistoryOutput } from '../../machines/history.machine.ts';
import { historyModel } from '../model/history.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, ends, fails, isDone, received, say } from './play.ts';

type Run = Session<{ isDryRun: boolean }>;
const STOP = { type: 'STOP', reason: 'asked', timeoutMs: 1_000 };
const bare = (run: Run): Session<never> => run as never;

/** A load that has come so far. */
function begun(...steps: readonly (readonly [child: string, output?: unknown])[]): Run {
  const run = begin(historyModel);
  say(bare(run), { type: 'START' });
  for (const [id, output] of steps) ends(bare(run), id, output);
  return run;
}
const planned = (pieces = 2) => [['open'], ['plan', { pieces }]] as const;
const whole = { lacking: 0, hasMore: false };
const state = (run: Run): string => {
  const { value } = run.snapshot;
  return typeof value === 'string' ? value : String((value as { working: string }).working);
};
const output = (run: Run): HistoryOutput => run.snapshot.output as unknown as HistoryOutput;
/** Everything that is closed at the end closes. */
function closes(run: Run): void {
  closesRest(run);
  ends(bare(run), 'store');
}
function closesRest(run: Run): void {
  ends(bare(run), 'rest', { name: 'rest', outcome: 'closed', durationMs: 1 });
  ends(bare(run), 'archive');
}
const linesOf = (run: Run): string[] => output(run).lines.map(({ name, outcome }) => `${name} ${outcome}`);

describe('a load', () => {
  test('opens, plans, loads, makes sure that all is kept, and closes', () => {
    const run = begun();
    const course = [state(run)];
    for (const [id, done] of [...planned(), ['load', whole], ['finish']] as const) {
      ends(bare(run), id, done);
      course.push(state(run));
    }
    expect(course).toEqual(['opening', 'planning', 'loading', 'finishing', 'sealing']);
    closes(run);
    expect(isDone(bare(run))).toBe(true);
    expect(output(run)).toMatchObject({ outcome: 'finished', error: undefined, reason: '' });
    expect(linesOf(run)).toEqual(['rest closed', 'archive closed', 'store closed']);
  });

  test('asks again for what lacks, and then goes on where there is more', () => {
    const run = begun(...planned(), ['load', { lacking: 2, hasMore: true }]);
    expect(state(run)).toBe('confirming');
    ends(bare(run), 'confirm', { lacking: 0, hasMore: true });
    expect(state(run)).toBe('loading');
    ends(bare(run), 'load', { lacking: 1, hasMore: false });
    ends(bare(run), 'confirm', whole);
    expect(state(run)).toBe('finishing');
  });

  test('of which all is there fetches nothing', () => expect(state(begun(...planned(0)))).toBe('finishing'));

  test('that is a dry run ends when it is planned', () => {
    const run = begin(historyModel, (env) => Object.assign(env, { isDryRun: true })) as Run;
    say(bare(run), { type: 'START' });
    ends(bare(run), 'open');
    ends(bare(run), 'plan', { pieces: 2 });
    expect(state(run)).toBe('sealing');
    closes(run);
    expect(output(run).outcome).toBe('finished');
  });

  test('that is slow to make sure that all is kept has the time it takes', () => {
    const run = begun(...planned(), ['load', whole]);
    run.pass(3_600_000);
    expect(state(run)).toBe('finishing');
  });
});

describe('a load fails', () => {
  test.each([
    ['open', []],
    ['plan', [['open']]],
    ['load', planned()],
    ['confirm', [...planned(), ['load', { lacking: 1, hasMore: false }]]],
    ['finish', [...planned(), ['load', whole]]],
  ] as const)('with what %s fails with, and closes all the same', (id, steps) => {
    const run = begun(...steps);
    const error = new Error(`${id} is broken`);
    fails(bare(run), id, error);
    expect(state(run)).toBe('sealing');
    closes(run);
    expect(output(run)).toMatchObject({ outcome: 'failed', error });
  });

  test('when its REST session is gone, for what asks it would wait for ever', () => {
    const run = begun(...planned());
    fails(bare(run), 'rest', new Error('broken'));
    ends(bare(run), 'archive');
    ends(bare(run), 'store');
    expect(output(run)).toMatchObject({ outcome: 'failed', error: { message: 'rest failed: broken' } });
    expect(linesOf(run)).toEqual(['rest failed', 'archive closed', 'store closed']);
  });

  test('in its end by a line of its own: what was kept is kept', () => {
    const run = begun(...planned(), ['load', whole], ['finish']);
    fails(bare(run), 'store', new Error('busy'));
    ends(bare(run), 'rest', { name: 'rest', outcome: 'closed', durationMs: 1 });
    ends(bare(run), 'archive');
    expect(output(run).outcome).toBe('finished');
    expect(output(run).lines).toContainEqual({
      name: 'store',
      outcome: 'failed',
      durationMs: 0,
      error: 'busy',
    });
  });
});

describe('a load that is stopped', () => {
  test.each([
    ['opening', []],
    ['planning', [['open']]],
    ['loading', planned()],
    ['confirming', [...planned(), ['load', { lacking: 1, hasMore: false }]]],
    ['finishing', [...planned(), ['load', whole]]],
  ] as const)('while it is %s breaks that off and closes', (where, steps) => {
    const run = begun(...steps);
    expect(state(run)).toBe(where);
    say(bare(run), STOP);
    expect(Object.keys(run.children).sort()).toEqual(['archive', 'rest', 'store']);
    expect(received(bare(run), 'rest')).toEqual([{ type: 'CLOSE', withinMs: expect.closeTo(855) }]);
    closes(run);
    expect(output(run)).toMatchObject({ outcome: 'stopped', reason: 'asked' });
  });

  test('and whose children do not answer is over in the time that the first one gave', () => {
    const run = begun(...planned());
    say(bare(run), STOP);
    run.pass(500);
    say(bare(run), { ...STOP, reason: 'again', timeoutMs: 60_000 });
    run.pass(449);
    expect(isDone(bare(run))).toBe(false);
    run.pass(1);
    expect(linesOf(run)).toEqual(['rest forced', 'store forced', 'archive forced']);
    expect(output(run).reason).toBe('asked');
  });

  test('without a time has the usual one, and of a long one a quarter of a second is left for the report', () => {
    for (const [timeoutMs, innerMs] of [
      [undefined, 4_750],
      [5_000, 4_750],
      [60_000, 59_750],
    ] as const) {
      const run = begun(...planned());
      run.pass(10);
      say(bare(run), { type: 'STOP', reason: 'asked', ...(timeoutMs && { timeoutMs }) });
      expect(run.snapshot.context.stopBy).toBe(run.clock.now() + (timeoutMs ?? 5_000));
      run.pass(innerMs - 1);
      expect(isDone(bare(run))).toBe(false);
      run.pass(1);
      expect(output(run).lines[0]).toEqual({ name: 'rest', outcome: 'forced', durationMs: innerMs });
    }
  });

  test('and whose sink then fails says so, with the time that it took', () => {
    const run = begun(...planned());
    say(bare(run), STOP);
    run.pass(5);
    fails(bare(run), 'store', new Error('busy'));
    closesRest(run);
    expect(output(run).lines[0]).toEqual({ name: 'store', outcome: 'failed', durationMs: 5, error: 'busy' });
  });

  test('before it began has nothing to close', () => {
    const run = begin(historyModel) as Run;
    say(bare(run), STOP);
    expect(output(run)).toEqual({ outcome: 'stopped', error: undefined, reason: 'asked', lines: [] });
  });
});

test('what the exchange imposes is told', () => {
  const run = begun(...planned());
  say(bare(run), { type: 'REST.LIMITED', forMs: 5_000, reason: '429' });
  say(bare(run), { type: 'REST.BANNED', forMs: 5_000, reason: '418' });
  say(bare(run), { type: 'REST.FREE' });
  expect(run.emitted).toMatchObject([
    { type: 'NOTICE', code: 'REST_LIMITED' },
    { type: 'NOTICE', code: 'REST_BANNED' },
    { type: 'NOTICE', code: 'REST_FREE' },
  ]);
});

describe('an end that nobody asked for', () => {
  const stuck = new Error('stuck');
  test.each([
    ['finished', (run: Run) => ends(bare(run), 'finish')],
    ['failed', (run: Run) => fails(bare(run), 'finish', stuck)],
  ])('of a load that %s may take as long as a stop without a time of its own', (outcome, end) => {
    const run = begun(...planned(), ['load', whole]);
    run.pass(100);
    end(run);
    run.pass(7);
    ends(bare(run), 'store');
    run.pass(4_742);
    expect(isDone(bare(run))).toBe(false);
    run.pass(1);
    expect(output(run).outcome).toBe(outcome);
    expect(output(run).lines).toEqual([
      { name: 'store', outcome: 'closed', durationMs: 7 },
      { name: 'rest', outcome: 'forced', durationMs: 4_750 },
      { name: 'archive', outcome: 'forced', durationMs: 4_750 },
    ]);
  });

  test('of its REST session is a failure that is named, and the session has its line', () => {
    const own = { name: 'rest', outcome: 'failed', durationMs: 3 };
    for (const [given, line] of [
      [own, own],
      [undefined, { name: 'rest', outcome: 'closed', durationMs: 0 }],
    ]) {
      const run = begun(...planned());
      run.pass(9);
      ends(bare(run), 'rest', given);
      expect(state(run)).toBe('sealing');
      ends(bare(run), 'archive');
      ends(bare(run), 'store');
      expect(output(run)).toMatchObject({ outcome: 'failed', error: { message: 'rest ended by itself' } });
      expect(output(run).lines[0]).toEqual(line);
    }
  });

  test('of its REST session by an error keeps that as the cause', () => {
    const run = begun(...planned());
    run.pass(9);
    fails(bare(run), 'rest', stuck);
    ends(bare(run), 'archive');
    ends(bare(run), 'store');
    expect((output(run).error as Error).cause).toBe(stuck);
    expect(output(run).lines[0]).toEqual({ name: 'rest', outcome: 'failed', durationMs: 0, error: 'stuck' });
  });
});
