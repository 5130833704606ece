import { describe, expect, test } from 'vitest';
import { processModel } from '../model/process.model.ts';
import type { Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, moments, say } from './play.ts';

type Run = Session<never>;
const begun = (): Run => begin(processModel) as Run;
const signal = (run: Run, name: 'SIGINT' | 'SIGTERM'): void => say(run, { type: 'SIGNAL', signal: name });
const end = (run: Run, reason: string): void => say(run, { type: 'END', reason });
const fault = (run: Run): void => say(run, { type: 'FAULT', error: new Error('surprise') });
const codeOf = (run: Run): unknown => run.snapshot.output;
const at = (run: Run, state: string): boolean =>
  run.snapshot.matches(state) || run.snapshot.matches({ ending: state });

/** Stops and flushes as well as can be. */
const finish = (run: Run, sound = true): void => {
  ends(run, 'stop', sound);
  ends(run, 'flush');
};

describe('a process that is to end', () => {
  test.each([
    ['SIGINT', true, 130],
    ['SIGTERM', true, 143],
    ['SIGTERM', false, 1],
  ] as const)('by %s with everything sound: %o ends with %i', (name, sound, code) => {
    const run = begun();
    signal(run, name);
    finish(run, sound);
    expect([isDone(run), codeOf(run)]).toEqual([true, code]);
  });

  test.each([
    ['finished', 0],
    ['failed', 1],
    ['usage', 2],
  ])('because it has %s ends with %i', (reason, code) => {
    const run = begun();
    end(run, reason);
    finish(run);
    expect(codeOf(run)).toBe(code);
  });

  test('stops first and flushes then, each once', () => {
    const run = begun();
    end(run, 'finished');
    expect(Object.keys(run.children)).toEqual(['stop']);
    ends(run, 'stop', true);
    expect(at(run, 'flushing')).toBe(true);
    expect(run.children['flush']).toBeDefined();
  });

  test('keeps its first reason', () => {
    const run = begun();
    signal(run, 'SIGINT');
    end(run, 'finished');
    end(run, 'usage');
    finish(run);
    expect(codeOf(run)).toBe(130);
  });

  test('fails by a fault that comes while it stops, or while it flushes', () => {
    for (const flushing of [false, true]) {
      const run = begun();
      signal(run, 'SIGINT');
      if (flushing) ends(run, 'stop', true);
      fault(run);
      fault(run);
      if (!flushing) ends(run, 'stop', true);
      ends(run, 'flush');
      expect(codeOf(run)).toBe(1);
    }
  });

  test('fails when its stop does', () => {
    const run = begun();
    signal(run, 'SIGINT');
    fails(run, 'stop', new Error('no'));
    ends(run, 'flush');
    expect(codeOf(run)).toBe(1);
  });

  test('does not wait for a flush longer than a second, and keeps its code', () => {
    const run = begun();
    signal(run, 'SIGTERM');
    ends(run, 'stop', true);
    run.pass(999);
    expect(isDone(run)).toBe(false);
    run.pass(1);
    expect(codeOf(run)).toBe(143);
  });
});

describe('a forced exit', () => {
  const stages: readonly (readonly [string, (run: Run) => void])[] = [
    ['stopping', () => {}],
    ['flushing', (run) => ends(run, 'stop', true)],
  ];

  test.each(stages)('comes by a second signal of another kind while it is %s', (_, advance) => {
    const run = begun();
    signal(run, 'SIGINT');
    advance(run);
    signal(run, 'SIGTERM');
    expect(at(run, 'forcing')).toBe(true);
    ends(run, 'abandon');
    expect([at(run, 'exited'), codeOf(run)]).toEqual([true, 1]);
  });

  test('comes by the same signal once more, but not when it is an echo of the first', () => {
    const run = begun();
    signal(run, 'SIGINT');
    run.pass(99);
    signal(run, 'SIGINT');
    expect(at(run, 'stopping')).toBe(true);
    run.pass(1);
    signal(run, 'SIGINT');
    expect(at(run, 'forcing')).toBe(true);
  });

  test('takes two signals also when the stop had another reason', () => {
    const run = begun();
    end(run, 'finished');
    signal(run, 'SIGINT');
    expect(at(run, 'stopping')).toBe(true);
    signal(run, 'SIGTERM');
    expect(at(run, 'forcing')).toBe(true);
  });

  test('comes a second after a stop should have ended, and is a failure whatever the reason', () => {
    const run = begun();
    end(run, 'usage');
    run.pass(5_999);
    expect(at(run, 'stopping')).toBe(true);
    run.pass(1);
    expect(at(run, 'forcing')).toBe(true);
    ends(run, 'abandon');
    expect(codeOf(run)).toBe(1);
  });

  test('waits no longer than 300 ms for a log that nobody reads', () => {
    const run = begun();
    signal(run, 'SIGINT');
    signal(run, 'SIGTERM');
    run.pass(299);
    expect(isDone(run)).toBe(false);
    run.pass(1);
    expect([at(run, 'exited'), codeOf(run)]).toEqual([true, 1]);
  });
});

describe('whoever has to say something', () => {
  /** What was said, word by word, of a process that is told so many faults. */
  const listening = (faultsToldMax = 1): { run: Run; said: string[] } => {
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const machine = processModel.machine.provide({
      actions: {
        tellSignal: (_, { signal }) => say(signal),
        tellFault: (_, { error }) => say(`fault ${(error as Error).message}`),
        tellStopFailed: (_, { error }) => say(`stop ${(error as Error).message}`),
        tellForced: (_, { by }) => say(`forced by ${by}`),
        exit: () => say('exit'),
      },
    });
    const input: typeof processModel.input = (env, clock) => ({
      ...processModel.input!(env, clock),
      faultsToldMax,
    });
    return { run: begin({ ...processModel, machine, input } as never) as Run, said };
  };

  test('says each signal that counts, and who forces an exit', () => {
    const { run, said } = listening();
    signal(run, 'SIGINT');
    signal(run, 'SIGINT');
    signal(run, 'SIGTERM');
    expect(said).toEqual(['SIGINT', 'forced by signal']);
    run.pass(300);
    expect(said).toEqual(['SIGINT', 'forced by signal', 'exit']);
  });

  test('says the first signal of a stop that had another reason', () => {
    const { run, said } = listening();
    end(run, 'finished');
    signal(run, 'SIGTERM');
    expect(said).toEqual(['SIGTERM']);
  });

  test('says what a stop failed with, or that it took too long, and exits only by force', () => {
    const failed = listening();
    end(failed.run, 'finished');
    fails(failed.run, 'stop', new Error('no'));
    ends(failed.run, 'flush');
    const late = listening();
    end(late.run, 'finished');
    late.run.pass(6_000);
    ends(late.run, 'abandon');
    expect([failed.said, late.said]).toEqual([['stop no'], ['forced by overrun', 'exit']]);
  });

  test('says so many faults and counts the others, whenever they come', () => {
    const { run, said } = listening(3);
    for (let n = 0; n < 5; n++) fault(run);
    expect(said).toEqual(Array(3).fill('fault surprise'));
    expect(run.snapshot.context.faults).toBe(5);
  });
});

test('a process stops for the reason that it has', () => {
  for (const [ask, reason] of [
    [(run: Run) => signal(run, 'SIGTERM'), 'SIGTERM'],
    [(run: Run) => end(run, 'usage'), 'usage'],
    [fault, 'failed'],
  ] as const) {
    const run = begun();
    ask(run);
    expect((child(run, 'stop').getSnapshot() as StubSnapshot).input).toEqual({ reason });
  }
});

test('a log that cannot be flushed, or let go of, holds up no end', () => {
  const flushing = begun();
  signal(flushing, 'SIGTERM');
  ends(flushing, 'stop', true);
  fails(flushing, 'flush', new Error('closed'));
  const forced = begun();
  signal(forced, 'SIGTERM');
  signal(forced, 'SIGINT');
  fails(forced, 'abandon', new Error('closed'));
  expect([codeOf(flushing), codeOf(forced)]).toEqual([143, 1]);
});

describe('from every moment', () => {
  test('two signals of two kinds end it with 1 within 300 ms, unless it has ended', () => {
    const others: string[] = [];
    for (const { session, words } of moments(processModel)) {
      const run = session as Run;
      if (isDone(run)) continue;
      signal(run, 'SIGINT');
      signal(run, 'SIGTERM');
      signal(run, 'SIGINT');
      run.pass(300);
      if (!at(run, 'exited') || codeOf(run) !== 1) others.push(words);
    }
    expect(others).toEqual([]);
  });
});
