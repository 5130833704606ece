import { describe, expect, test } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { componentMachine } from '../../machines/component.machine.ts';
import { supervisorMachine } from '../../machines/supervisor.machine.ts';
import type { ComponentPlan } from '../../machines/supervisor.types.ts';
import { supervisorModel } from '../model/supervisor.model.ts';
import { type AnyModel, endChild, failChild, model, type Session, stub } from '../model/walk/index.ts';
import { begin, child, ends, fails, moments, received, say } from './play.ts';

type Run = Session<never>;
const STOP = { type: 'STOP', reason: 'asked' };
const CHECKED = [{ name: 'integrity', outcome: 'ok' }];

/** An application whose components do as a test pleases. `orders:prices,state=2000`: what it needs, its deadline. */
function application(text: string): Run {
  const words = text.split(' ').filter((word) => word !== '');
  const components = words.map((word): ComponentPlan => {
    const [left = '', deadline] = word.split('=');
    const [name = '', needed] = left.split(':');
    const plan = { name, dependsOn: needed?.split(',') ?? [] };
    return deadline === undefined ? plan : { ...plan, deadlineMs: Number(deadline) };
  });
  const { input } = supervisorModel;
  return begin({
    ...supervisorModel,
    input: (env: never, clock: never) => ({ ...input!(env, clock), components }),
  } as AnyModel) as Run;
}

const asked = (run: Run, type: 'START' | 'STOP'): string[] =>
  Object.keys(run.children).filter((id) => received(run, id).some((event) => event.type === type));
const timeOf = (run: Run, id: string): unknown =>
  (received(run, id).find(({ type }) => type === 'STOP') as { timeoutMs?: number } | undefined)?.timeoutMs;
const runs = (run: Run, ...ids: string[]): void => {
  for (const id of ids) say(run, { type: 'COMPONENT.RUNNING', id, durationMs: 1 });
};
const closes = (run: Run, ...ids: string[]): void => {
  for (const id of ids) ends(run, id, { name: id, outcome: 'closed', durationMs: 1 });
};
/** All of them run. */
function started(text: string): Run {
  const run = application(text);
  say(run, { type: 'START' });
  runs(run, ...run.snapshot.context['components'].map(({ name }: ComponentPlan) => name));
  expect(run.snapshot.value).toBe('running');
  return run;
}
/** Everybody has nothing to complain of in the end. */
function verified(run: Run): void {
  for (const id of Object.keys(run.children).filter((id) => id.startsWith('verify.'))) ends(run, id, []);
  ends(run, 'resources', CHECKED);
}
const facts = (run: Run) => run.snapshot.context;
const outcomes = (run: Run): string[] =>
  facts(run)['lines'].map(({ name, outcome }: { name: string; outcome: string }) => `${name} ${outcome}`);

describe('starting', () => {
  test('tells a component when all that it depends on run', () => {
    const run = application('d:b,c b:a c:a a');
    say(run, { type: 'START' });
    expect(asked(run, 'START')).toEqual(['a']);
    runs(run, 'a');
    expect(asked(run, 'START')).toEqual(['b', 'c', 'a']);
    runs(run, 'b');
    expect(asked(run, 'START')).not.toContain('d');
    runs(run, 'c');
    expect(asked(run, 'START')).toContain('d');
    expect(run.snapshot.value).toBe('starting');
    runs(run, 'd');
    expect(run.snapshot.value).toBe('running');
  });

  test('of nothing is done at once, and so is its end', () => {
    const run = application('');
    say(run, { type: 'START' });
    expect(run.snapshot.value).toBe('running');
    say(run, STOP);
    ends(run, 'resources', CHECKED);
    expect(run.snapshot.value).toBe('stopped');
  });

  test('that fails stops what has begun, and calls nothing that has not', () => {
    const run = application('a b:a c:b');
    say(run, { type: 'START' });
    runs(run, 'a');
    const error = new Error('no such host');
    say(run, { type: 'COMPONENT.FAILED', id: 'b', message: 'b could not start: no such host', error });
    expect(run.snapshot.value).toBe('stopping');
    // It waits to be started and knows what to do with a STOP.
    expect(asked(run, 'STOP')).toEqual(['c']);
    closes(run, 'c', 'b', 'a');
    expect(Object.keys(run.children)).toEqual(['verify.a', 'verify.b']);
    verified(run);
    expect(facts(run)).toMatchObject({
      reason: 'b could not start: no such host',
      failure: { component: 'b', error },
    });
  });
});

describe('stopping', () => {
  test('asks a component when all that depend on it have ended', () => {
    const run = started('a b:a c:a d:b,c');
    say(run, STOP);
    expect(asked(run, 'STOP')).toEqual(['d']);
    closes(run, 'd');
    expect(asked(run, 'STOP')).toEqual(['b', 'c']);
    closes(run, 'c');
    expect(asked(run, 'STOP')).toEqual(['b']);
    closes(run, 'b');
    expect(asked(run, 'STOP')).toEqual(['a']);
  });

  test('gives each its deadline, and no more than what is left of the whole less the reserve', () => {
    const run = started('a b=2000 c:b=1000 d=9000');
    say(run, STOP);
    expect(['a', 'c', 'd'].map((id) => timeOf(run, id))).toEqual([4_750, 1_000, 4_750]);
    run.pass(3_500);
    closes(run, 'c');
    expect(timeOf(run, 'b')).toBe(1_250);
  });

  test('takes the time that it is given', () => {
    const run = started('a');
    say(run, { ...STOP, timeoutMs: 1_000 });
    expect(timeOf(run, 'a')).toBe(900);
  });

  test('takes a child that ends of itself, or breaks, for stopped', () => {
    const run = started('a b:a');
    say(run, STOP);
    fails(run, 'b', new Error('boom'));
    closes(run, 'a');
    verified(run);
    expect(outcomes(run)).toEqual(['b failed', 'a closed']);
  });

  test('that nobody answers gives up all of them, and says of whom it was never asked', () => {
    const run = started('a b:a');
    say(run, STOP);
    run.pass(4_875);
    expect(outcomes(run)).toEqual(['a forced', 'b forced']);
    expect(facts(run)['lines'][0].error).toMatch(/no time/);
    run.pass(125);
    expect(run.snapshot.value).toBe('stopped');
    expect(facts(run)['checks'].map((check: { outcome: string }) => check.outcome)).toEqual(
      Array(3).fill('skipped'),
    );
  });

  test('before the start is done at once, and names all as closed', () => {
    const run = application('a b:a');
    say(run, STOP);
    expect(run.snapshot.value).toBe('stopped');
    expect(outcomes(run)).toEqual(['a closed', 'b closed']);
    expect(run.children).toEqual({});
  });

  test('is no reason not to start again, with nothing left of the last run', () => {
    const run = started('a');
    say(run, { type: 'COMPONENT.FAILED', id: 'a', message: 'a ended by itself', error: new Error('x') });
    closes(run, 'a');
    verified(run);
    say(run, { type: 'START' });
    expect(facts(run)).toMatchObject({ reason: '', failure: undefined, lines: [], checks: [] });
    runs(run, 'a');
    expect(run.snapshot.value).toBe('running');
  });

  test('keeps the first failure as the reason, and the second one in its line', () => {
    const run = started('a b');
    say(run, { type: 'COMPONENT.FAILED', id: 'a', message: 'a ended by itself', error: new Error('1') });
    say(run, { type: 'COMPONENT.FAILED', id: 'b', message: 'b ended by itself', error: new Error('2') });
    expect(facts(run)).toMatchObject({ reason: 'a ended by itself', failure: { component: 'a' } });
    expect(run.emitted.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'a ended by itself',
      'b ended by itself',
    ]);
  });
});

describe('the look at the final state', () => {
  const ended = (): Run => {
    const run = started('a b:a');
    say(run, STOP);
    closes(run, 'b', 'a');
    return run;
  };

  test('begins when all have ended, side by side, and at the process last', () => {
    const run = ended();
    expect(Object.keys(run.children)).toEqual(['verify.a', 'verify.b']);
    ends(run, 'verify.b', CHECKED);
    expect(run.children['resources']).toBeUndefined();
    ends(run, 'verify.a', []);
    expect(run.children['resources']).toBeDefined();
    ends(run, 'resources', [{ name: 'timers', outcome: 'failed', detail: '1 × Timeout' }]);
    expect(facts(run)['checks'].map((check: { name: string }) => check.name)).toEqual([
      'b.integrity',
      'timers',
    ]);
  });

  test('that throws is a check that failed, named as its component', () => {
    const run = ended();
    fails(run, 'verify.a', new Error('torn page'));
    ends(run, 'verify.b', []);
    fails(run, 'resources', new Error('EPERM'));
    expect(facts(run)['checks']).toEqual([
      { name: 'a', outcome: 'failed', detail: 'torn page' },
      { name: 'resources', outcome: 'failed', detail: 'EPERM' },
    ]);
  });

  test('that does not come to an end is skipped, and takes the process with it no longer than the deadline', () => {
    const run = ended();
    ends(run, 'verify.a', CHECKED);
    run.pass(4_875);
    expect(run.children['resources']).toBeDefined();
    run.pass(63);
    expect(run.snapshot.value).toBe('stopped');
    expect(facts(run)['checks']).toEqual([
      { name: 'a.integrity', outcome: 'ok' },
      { name: 'b', outcome: 'skipped', detail: expect.any(String) },
      { name: 'resources', outcome: 'skipped', detail: expect.any(String) },
    ]);
  });
});

/** Over, whatever came before: everything has a line, once, and a reason is named. */
const isOver = (run: Session<never>): boolean => {
  const { value, context } = run.snapshot;
  const names = context['components'].map(({ name }: ComponentPlan) => name).sort();
  const lines = context['lines'].map(({ name }: { name: string }) => name).sort();
  return value === 'stopped' && context['reason'] !== '' && String(names) === String(lines);
};

/** The real components below the real supervisor; only what is the users' own is a stub. */
const component = componentMachine.provide({ actors: { life: stub, stop: stub } });
const treeModel = model(supervisorMachine.provide({ actors: { component, verify: stub, resources: stub } }))({
  input: (_, clock) => ({
    components: [
      { name: 'state', dependsOn: [], deadlineMs: 2_000 },
      { name: 'prices', dependsOn: [], deadlineMs: 1_000 },
      { name: 'orders', dependsOn: ['state', 'prices'], deadlineMs: 2_000 },
    ],
    stopTimeoutMs: 5_000,
    resources: () => [],
    now: () => clock.now(),
  }),
});

const leaves = (run: Run): AnyActorRef[] => run.living().filter((it) => ['life', 'stop'].includes(it.id));
const lives = (run: Run, type: string, error?: unknown): void => {
  for (const leaf of leaves(run)) leaf._parent?.send({ type, error } as never);
};
const MOMENTS: Readonly<Record<string, (run: Run) => void>> = {
  'before the start': () => {},
  'while the first ones start': (run) => say(run, { type: 'START' }),
  'while the last one starts': (run) => {
    say(run, { type: 'START' });
    lives(run, 'LIFE.STARTED');
  },
  'while all run': (run) => {
    say(run, { type: 'START' });
    lives(run, 'LIFE.STARTED');
    lives(run, 'LIFE.STARTED');
  },
  'after one could not start': (run) => {
    say(run, { type: 'START' });
    leaves(run)[0]?._parent?.send({ type: 'LIFE.FAILED', error: new Error('no') } as never);
  },
  'after one has ended by itself': (run) => {
    MOMENTS['while all run']?.(run);
    leaves(run)[2]?._parent?.send({ type: 'LIFE.ENDED' } as never);
  },
};
const WAYS: Readonly<Record<string, (run: Run) => void>> = {
  silent: () => {},
  failing: (run) => {
    for (let left = leaves(run); left.length > 0 && run.snapshot.value === 'stopping'; left = leaves(run))
      for (const leaf of left) failChild(leaf, new Error('boom'));
  },
  ending: (run) => {
    for (let i = 0; i < 10; i++)
      for (const leaf of leaves(run)) {
        if (leaf.id === 'stop') endChild(leaf, {});
        else leaf._parent?.send({ type: 'LIFE.STARTED' } as never);
      }
  },
};

describe.each(Object.keys(MOMENTS))('the whole tree, stopped %s', (moment) => {
  test.each(Object.keys(WAYS))('with children %s: over in time, a line for each, nothing alive', (way) => {
    const run = begin(treeModel) as Run;
    MOMENTS[moment]?.(run);
    say(run, STOP);
    WAYS[way]?.(run);
    run.pass(5_000);
    expect([isOver(run), run.living().map(({ id }) => id), run.survivors()]).toEqual([true, [], []]);
    const { context } = run.snapshot;
    const lines = [...context['lines']];
    say(run, STOP);
    expect(run.snapshot.context['lines']).toEqual(lines);
  });
});

test('in time, whoever hangs: each deadline by itself, and then those that it held', () => {
  const run = begin(treeModel) as Run;
  MOMENTS['while all run']?.(run);
  say(run, STOP);
  run.pass(1_999);
  expect(outcomes(run)).toEqual([]);
  run.pass(1);
  expect(outcomes(run)).toEqual(['orders forced']);
  run.pass(1_000);
  expect(outcomes(run)).toEqual(['orders forced', 'prices forced']);
  run.pass(1_000);
  expect(outcomes(run)).toEqual(['orders forced', 'prices forced', 'state forced']);
});

test('nothing that it has told to start is left out when it ends', () => {
  for (const { session, words } of moments(supervisorModel)) {
    const run = session as never as Run;
    if (run.snapshot.value !== 'stopped') continue;
    expect([words, isOver(run), run.survivors()]).toEqual([words, true, []]);
  }
});

test('a component has no other child than itself', () => {
  const run = started('resources verify');
  expect(child(run, 'resources')).not.toBe(child(run, 'verify'));
  say(run, STOP);
  closes(run, 'resources', 'verify');
  expect(Object.keys(run.children)).toEqual(['verify.resources', 'verify.verify']);
});
