/** What an application's end leaves: a line for each component, how long it took and why, and what is said of it. */
import { describe, expect, test } from 'vitest';
import { type resourcesOrder, supervisorMachine } from '../../machines/index.ts';
import { model, type Session, type StubSnapshot, stub } from '../model/walk/index.ts';
import { begin, child, ends, fails, received, say } from './play.ts';

type Run = Session<never>;
const STOP = { type: 'STOP', reason: 'asked' };

/** Two components, of which `b` needs `a`; the process holds what `held` says. */
const application = (held: () => readonly string[] = () => ['Timeout']): Run =>
  begin(
    model(supervisorMachine.provide({ actors: { component: stub, verify: stub, resources: stub } }))({
      input: (_, clock) => ({
        components: [
          { name: 'a', dependsOn: [] },
          { name: 'b', dependsOn: ['a'], deadlineMs: 1_000 },
        ],
        stopTimeoutMs: 5_000,
        resources: held,
        now: () => clock.now(),
      }),
    }),
  ) as Run;
const runs = (run: Run, id: string): void => say(run, { type: 'COMPONENT.RUNNING', id, durationMs: 40 });
const started = (held?: () => readonly string[]): Run => {
  const run = application(held);
  say(run, { type: 'START' });
  runs(run, 'a');
  runs(run, 'b');
  run.pass(100);
  return run;
};
const closed = (name: string) => ({ name, outcome: 'closed', durationMs: 3 });
const linesOf = (run: Run): unknown => run.snapshot.context['lines'];
const inputOf = (run: Run, id: string): unknown => (child(run, id).getSnapshot() as StubSnapshot).input;

describe('what is said', () => {
  test('of a start and of each end, in the words of the log', () => {
    const run = started();
    say(run, STOP);
    run.pass(7);
    ends(run, 'b', { ...closed('b'), outcome: 'failed', error: 'busy' });
    run.pass(4_868);
    expect(run.emitted).toEqual([
      { type: 'NOTICE', level: 'debug', message: 'a started', fields: { component: 'a', durationMs: 40 } },
      { type: 'NOTICE', level: 'debug', message: 'b started', fields: { component: 'b', durationMs: 40 } },
      {
        type: 'NOTICE',
        level: 'warn',
        message: 'b failed',
        fields: { component: 'b', outcome: 'failed', durationMs: 3, error: 'busy' },
      },
      {
        type: 'NOTICE',
        level: 'warn',
        message: 'a did not stop in time; given up',
        fields: { component: 'a', outcome: 'forced', durationMs: 4_875 },
      },
    ]);
  });

  test('of an end as it should be, for those who look closely', () => {
    const run = started();
    say(run, STOP);
    ends(run, 'b', closed('b'));
    expect(run.emitted.at(-1)).toEqual({
      type: 'NOTICE',
      level: 'debug',
      message: 'b closed',
      fields: { component: 'b', outcome: 'closed', durationMs: 3 },
    });
  });

  test('of a failure, before and while all stop', () => {
    const run = started();
    for (const [id, text] of [
      ['a', '1'],
      ['b', '2'],
    ] as const)
      say(run, { type: 'COMPONENT.FAILED', id, message: `${id}: ${text}`, error: new Error(text) });
    expect(run.emitted.slice(2)).toEqual([
      { type: 'NOTICE', level: 'warn', message: 'a: 1', fields: { component: 'a' } },
      { type: 'NOTICE', level: 'warn', message: 'b: 2', fields: { component: 'b' } },
    ]);
  });
});

describe('a component whose chart is gone while nobody stops it', () => {
  test('by an error has a line that says so, and is the failure', () => {
    const run = started();
    const error = new Error('boom');
    fails(run, 'a', error);
    expect(run.snapshot.value).toBe('stopping');
    expect(linesOf(run)).toEqual([{ name: 'a', outcome: 'failed', durationMs: 0, error: 'boom' }]);
    expect(run.snapshot.context).toMatchObject({
      reason: 'a failed: boom',
      failure: { component: 'a', message: 'a failed: boom', error },
    });
    expect(received(run, 'b').at(-1)).toEqual({ type: 'STOP', timeoutMs: 1_000, reason: 'a failed: boom' });
  });

  test.each([
    ['its own line', closed('a'), closed('a')],
    ['one made for it', [], { name: 'a', outcome: 'closed', durationMs: 0 }],
  ])('by an end has %s, and that is a failure too', (_, output, line) => {
    const run = started();
    ends(run, 'a', output);
    expect(linesOf(run)).toEqual([line]);
    expect(run.snapshot.context).toMatchObject({
      reason: 'a ended by itself',
      failure: { component: 'a', message: 'a ended by itself', error: { message: 'a ended by itself' } },
    });
    expect(run.children['a']).toBeUndefined();
  });
});

describe('the report', () => {
  test('of what never began has lines that took no time', () => {
    const run = application();
    run.pass(50);
    say(run, STOP);
    expect(linesOf(run)).toEqual([
      { name: 'a', outcome: 'closed', durationMs: 0 },
      { name: 'b', outcome: 'closed', durationMs: 0 },
    ]);
    expect(run.snapshot.context).toMatchObject({ reason: 'asked', stopTook: 0 });
  });

  test('says how long a component took that broke while it was stopped, and the stop as a whole', () => {
    const run = started();
    say(run, STOP);
    run.pass(20);
    fails(run, 'b', new Error('boom'));
    run.pass(5);
    ends(run, 'a', closed('a'));
    run.pass(10);
    for (const id of ['verify.a', 'verify.b']) ends(run, id, []);
    ends(run, 'resources', []);
    expect(linesOf(run)).toEqual([
      { name: 'b', outcome: 'failed', durationMs: 20, error: 'boom' },
      closed('a'),
    ]);
    expect([run.snapshot.value, run.snapshot.context['stopTook']]).toEqual(['stopped', 35]);
  });

  test('is there without a look at the process where nobody gave one', () => {
    const run = begin(
      model(supervisorMachine.provide({ actors: { component: stub, verify: stub, resources: stub } }))({
        input: (_, clock) => ({
          components: [],
          stopTimeoutMs: 5_000,
          resources: undefined,
          now: () => clock.now(),
        }),
      }),
    ) as Run;
    say(run, { type: 'START' });
    say(run, STOP);
    expect([run.snapshot.value, run.children]).toEqual(['stopped', {}]);
  });
});

describe('the looks', () => {
  test('are told the time that is left, what was held before the start, and whether something was given up', () => {
    const run = started(() => ['Timeout']);
    say(run, STOP);
    run.pass(100);
    ends(run, 'b', { ...closed('b'), parts: [{ name: 'x', outcome: 'forced', durationMs: 1 }] });
    ends(run, 'a', closed('a'));
    expect(inputOf(run, 'verify.a')).toEqual({ name: 'a', timeoutMs: 4_775 });
    run.pass(100);
    for (const id of ['verify.a', 'verify.b']) ends(run, id, []);
    const order = inputOf(run, 'resources') as ReturnType<typeof resourcesOrder>;
    expect(order).toMatchObject({ baseline: ['Timeout'], timeoutMs: 4_737.5, forced: true });
    expect(order.look()).toEqual(['Timeout']);
  });

  test('begin with nothing held where what was held could not be said', () => {
    const run = started(() => {
      throw new Error('EPERM');
    });
    expect(run.snapshot.context['baseline']).toEqual([]);
    say(run, STOP);
    ends(run, 'b', closed('b'));
    ends(run, 'a', closed('a'));
    for (const id of ['verify.a', 'verify.b']) ends(run, id, []);
    expect(inputOf(run, 'resources')).toMatchObject({ baseline: [], forced: false });
  });

  test('that are not done in time say what was missing', () => {
    const run = started();
    say(run, STOP);
    ends(run, 'b', closed('b'));
    ends(run, 'a', closed('a'));
    run.pass(5_000);
    expect(run.snapshot.context['checks']).toEqual([
      { name: 'a', outcome: 'skipped', detail: 'it was not done in time' },
      { name: 'b', outcome: 'skipped', detail: 'it was not done in time' },
      { name: 'resources', outcome: 'skipped', detail: 'there was no time for it' },
    ]);
    expect(run.children).toEqual({});
  });
});

test('components that are registered before the start are started with the others, as often as it starts', () => {
  const run = application();
  say(run, { type: 'REGISTER', components: [{ name: 'c', dependsOn: [] }] });
  for (let twice = 0; twice < 2; twice++) {
    say(run, { type: 'START' });
    expect(run.snapshot.value).toBe('starting');
    expect(Object.keys(run.children)).toEqual(['a', 'b', 'c']);
    for (const id of ['a', 'c']) expect(received(run, id)).toEqual([{ type: 'START' }]);
    say(run, { ...STOP, timeoutMs: 1_000 });
    expect(received(run, 'c').at(-1)).toMatchObject({ type: 'STOP', timeoutMs: 900 });
    run.pass(1_000);
    expect(run.snapshot.value).toBe('stopped');
  }
});
