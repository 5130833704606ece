import { describe, expect, test } from 'vitest';
import type { StopOrder } from '../../machines/component.machine.ts';
import { componentModel } from '../model/component.model.ts';
import type { Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, moments, received, say } from './play.ts';

type Run = Session<never>;
const STOP = { type: 'STOP', timeoutMs: 3_000, reason: 'asked' };
const begun = (): Run => {
  const run = begin(componentModel) as Run;
  say(run, { type: 'START' });
  return run;
};
const running = (): Run => {
  const run = begun();
  say(run, { type: 'LIFE.STARTED' });
  return run;
};
const heard = (run: Run): string[] => run.heard.map(({ type }) => type);
const stopOrder = (run: Run): StopOrder =>
  (child(run, 'stop').getSnapshot() as StubSnapshot).input as StopOrder;

describe('starting', () => {
  test('waits to be told, and tells when it runs and how long that took', () => {
    const run = begin(componentModel) as Run;
    expect(run.children).toEqual({});
    run.pass(500);
    say(run, { type: 'START' });
    run.pass(40);
    expect(run.heard).toEqual([]);
    say(run, { type: 'LIFE.STARTED' });
    expect(run.heard).toEqual([{ type: 'COMPONENT.RUNNING', id: 'prices', durationMs: 40 }]);
  });

  test.each([
    ['fails', { type: 'LIFE.FAILED', error: new Error('no such host') }, 'no such host'],
    ['ends before it runs', { type: 'LIFE.ENDED' }, 'it ended before it ran'],
    ['ends with an error before it runs', { type: 'LIFE.ENDED', error: 'lost' }, 'lost'],
  ])('that %s is told once, and then waits to be stopped', (_, event, why) => {
    const run = begun();
    say(run, event);
    say(run, event);
    run.pass(60_000);
    expect(run.heard).toEqual([
      expect.objectContaining({ type: 'COMPONENT.FAILED', message: `prices could not start: ${why}` }),
    ]);
    say(run, STOP);
    ends(run, 'stop', {});
    expect(run.snapshot.output).toEqual({ name: 'prices', outcome: 'failed', durationMs: 0, error: why });
  });
});

describe('its own actor', () => {
  test.each([
    ['starts', begun, 'prices could not start: broken'],
    ['runs', running, 'prices ended by itself: broken'],
  ])('that breaks while it %s is a failure like any other', (_, play, message) => {
    const run = play();
    const error = new Error('broken');
    fails(run, 'life', error);
    expect(run.heard.at(-1)).toEqual({ type: 'COMPONENT.FAILED', id: 'prices', message, error });
    say(run, STOP);
    run.pass(7);
    ends(run, 'stop', {});
    expect(run.snapshot.output).toEqual({
      name: 'prices',
      outcome: 'failed',
      durationMs: 7,
      error: 'broken',
    });
  });

  test('that breaks while it is stopped changes nothing', () => {
    const run = running();
    say(run, STOP);
    fails(run, 'life', new Error('broken'));
    ends(run, 'stop', {});
    expect(run.snapshot.output).toEqual({ name: 'prices', outcome: 'closed', durationMs: 0 });
  });

  test('is told its name, and ends with the component', () => {
    const run = running();
    const life = child(run, 'life');
    expect((life.getSnapshot() as StubSnapshot).input).toEqual({ name: 'prices' });
    say(run, STOP);
    expect(life.getSnapshot().status).toBe('active');
    ends(run, 'stop', {});
    expect(life.getSnapshot().status).toBe('stopped');
  });
});

test('what has failed and then is late has failed', () => {
  const run = begun();
  say(run, { type: 'LIFE.FAILED', error: new Error('no such host') });
  say(run, STOP);
  run.pass(3_000);
  expect(run.snapshot.output).toEqual({
    name: 'prices',
    outcome: 'failed',
    durationMs: 3_000,
    error: 'no such host',
  });
});

test('an end without an error is told as one, once', () => {
  const run = running();
  say(run, { type: 'LIFE.ENDED' });
  say(run, { type: 'LIFE.ENDED' });
  expect(run.heard).toHaveLength(2);
  expect(run.heard[1]).toMatchObject({ error: { message: 'prices ended by itself' } });
});

describe('running', () => {
  test('ends by itself with an error: told, and failed', () => {
    const run = running();
    const error = new Error('lost');
    say(run, { type: 'LIFE.ENDED', error });
    say(run, { type: 'LIFE.ENDED' });
    expect(run.heard.slice(1)).toEqual([
      { type: 'COMPONENT.FAILED', id: 'prices', message: 'prices ended by itself: lost', error },
    ]);
    say(run, STOP);
    ends(run, 'stop', {});
    expect(run.snapshot.output).toMatchObject({ outcome: 'failed', error: 'lost' });
  });

  test('ends by itself without one: told, and closed', () => {
    const run = running();
    say(run, { type: 'LIFE.ENDED' });
    expect(run.heard[1]).toMatchObject({ message: 'prices ended by itself' });
    say(run, STOP);
    ends(run, 'stop', {});
    expect(run.snapshot.output).toEqual({ name: 'prices', outcome: 'closed', durationMs: 0 });
  });
});

describe('stopping', () => {
  test('what never began calls nothing', () => {
    const run = begin(componentModel) as Run;
    run.pass(100);
    say(run, STOP);
    expect(run.snapshot.output).toEqual({ name: 'prices', outcome: 'closed', durationMs: 0 });
  });

  test('what runs is told its time and the reason, and its answer is passed on', () => {
    const run = running();
    say(run, STOP);
    expect(stopOrder(run)).toEqual({ name: 'prices', timeoutMs: 3_000, reason: 'asked' });
    run.pass(20);
    ends(run, 'stop', { lost: 2, notes: { gaps: 1 } });
    expect(run.snapshot.output).toEqual({
      name: 'prices',
      outcome: 'closed',
      durationMs: 20,
      lost: 2,
      notes: { gaps: 1 },
    });
  });

  test('what fails to stop has failed', () => {
    const run = running();
    say(run, STOP);
    run.pass(20);
    fails(run, 'stop', new Error('busy'));
    expect(run.snapshot.output).toMatchObject({ outcome: 'failed', durationMs: 20, error: 'busy' });
  });

  test('what could not start and fails to stop keeps the first reason', () => {
    const run = begun();
    say(run, { type: 'LIFE.FAILED', error: new Error('no such host') });
    say(run, STOP);
    fails(run, 'stop', new Error('nothing to stop'));
    expect(run.snapshot.output).toMatchObject({ outcome: 'failed', error: 'no such host' });
  });

  test('what is late is given up at its deadline, and its stop is left alone', () => {
    const run = running();
    say(run, STOP);
    const stop = child(run, 'stop');
    run.pass(2_999);
    expect(isDone(run)).toBe(false);
    run.pass(1);
    expect(run.snapshot.output).toEqual({ name: 'prices', outcome: 'forced', durationMs: 3_000 });
    expect(stop.getSnapshot().status).toBe('stopped');
  });

  test('a second STOP changes nothing', () => {
    const run = running();
    say(run, STOP);
    const stop = child(run, 'stop');
    say(run, { ...STOP, timeoutMs: 1 });
    expect(child(run, 'stop')).toBe(stop);
    run.pass(2_999);
    expect(isDone(run)).toBe(false);
  });
});

describe('stopping what is half started', () => {
  const broken = (): Run => {
    const run = begun();
    say(run, STOP);
    return run;
  };

  test('breaks the start off and waits for it', () => {
    const run = broken();
    expect(received(run, 'life')).toEqual([{ type: 'ABORT' }]);
    expect(run.children['stop']).toBeUndefined();
  });

  test.each([
    ['it starts after all', { type: 'LIFE.STARTED' }],
    ['it fails, as it was broken off', { type: 'LIFE.FAILED', error: new Error('aborted') }],
  ])('stops it then, when %s, with what is left of its time', (_, event) => {
    const run = broken();
    run.pass(100);
    say(run, event);
    expect(stopOrder(run).timeoutMs).toBe(2_900);
    ends(run, 'stop', {});
    expect(run.snapshot.output).toEqual({ name: 'prices', outcome: 'closed', durationMs: 100 });
    expect(heard(run)).toEqual([]);
  });

  test('waits no longer than half its time', () => {
    const run = broken();
    run.pass(1_499);
    expect(run.children['stop']).toBeUndefined();
    run.pass(1);
    expect(stopOrder(run).timeoutMs).toBe(1_500);
    run.pass(1_500);
    expect(run.snapshot.output).toMatchObject({ outcome: 'forced', durationMs: 3_000 });
  });
});

test('whatever happens it tells one failure at most', () => {
  for (const { session, words } of moments(componentModel)) {
    const failures = session.heard.filter(({ type }) => type === 'COMPONENT.FAILED').length;
    expect([words, failures <= 1]).toEqual([words, true]);
  }
});
