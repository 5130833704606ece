/** What a REST session does while the exchange wants to be left alone. */
import { describe, expect, test } from 'vitest';
import { ends, fails } from './play.ts';
import { ask, begun, heard, http, state, underWay } from './rest-session.play.ts';

describe('a pause that the exchange imposes', () => {
  const KINDS = [
    ['limited', 429, { rateLimited: 'told' }, 'REST.LIMITED'],
    ['banned', 418, 'banned', 'REST.BANNED'],
    ['forbidden', 403, 'banned', 'REST.BANNED'],
    ['restricted', 451, 'banned', 'REST.BANNED'],
  ] as const;

  test.each(KINDS)('%s: sends nothing before its end, then what met it first', (kind, status, name, edge) => {
    const run = begun();
    const [first] = [ask(run, '/1'), ask(run, '/2')];
    run.quota.impose(kind, 10_000);
    fails(run, 'call0', http(status));
    expect(state(run)).toEqual(name);
    ask(run, '/3');
    ends(run, 'call1');
    run.pass(9_999);
    expect(underWay(run)).toEqual([]);
    expect(run.heard).toEqual([{ type: edge, forMs: 10_000, reason: `${kind}!` }]);
    run.pass(2);
    expect(underWay(run)).toEqual(['/1', '/3']);
    expect(first.settled()).toBeUndefined();
    expect(heard(run)).toEqual([edge, 'REST.FREE']);
  });

  test.each(KINDS)('%s for long: who waits and who comes is told how long, at once', (kind, status) => {
    const run = begun();
    const [first, second, third] = [ask(run, '/1'), ask(run, '/2'), ask(run, '/3')];
    run.quota.impose(kind, 90_000);
    fails(run, 'call0', http(status));
    const told = { code: 'REST_PAUSED', retryable: true, retryAfterMs: 90_000 };
    expect(first.settled()).toMatchObject(told);
    expect(first.settled()).toMatchObject({ message: expect.stringContaining('90 s') });
    // Under way when it came, and met it as well.
    fails(run, 'call1', http(status));
    expect(second.settled()).toMatchObject(told);
    // And this one was served.
    ends(run, 'call2', 'fine');
    expect(third.settled()).toBe('fine');
    run.pass(30_000);
    expect(ask(run).settled()).toMatchObject({ ...told, retryAfterMs: 60_000 });
    run.pass(60_001);
    expect(heard(run).at(-1)).toBe('REST.FREE');
    ask(run, '/4');
    expect(underWay(run)).toEqual(['/4']);
  });

  test('of fifteen seconds is waited for in the queue, of more it is not', () => {
    for (const [forMs, isWaitedFor] of [
      [15_000, true],
      [15_001, false],
    ] as const) {
      const run = begun();
      run.quota.impose('limited', forMs);
      expect([forMs, ask(run).settled() === undefined]).toEqual([forMs, isWaitedFor]);
    }
  });

  test('that another session met is obeyed and shown as soon as something is asked', () => {
    const run = begun();
    run.quota.impose('banned', 60_000);
    expect(ask(run).settled()).toMatchObject({ code: 'REST_PAUSED', retryAfterMs: 60_000 });
    expect(state(run)).toBe('banned');
    expect(run.quota.begun).toEqual([]);
  });

  test('that is made longer meanwhile is obeyed to its new end', () => {
    const run = begun();
    run.quota.impose('limited', 5_000);
    ask(run, '/1');
    run.pass(3_000);
    run.quota.impose('banned', 10_000);
    run.pass(9_999);
    expect(state(run)).toBe('banned');
    expect(underWay(run)).toEqual([]);
    run.pass(10);
    expect(underWay(run)).toEqual(['/1']);
    expect(heard(run)).toEqual(['REST.LIMITED', 'REST.BANNED', 'REST.FREE']);
  });

  test('of one kind that is made longer meanwhile ends at its new end, and is said again', () => {
    for (const kind of ['limited', 'banned'] as const) {
      const run = begun();
      run.quota.impose(kind, 5_000);
      ask(run, '/1');
      run.pass(3_000);
      run.quota.impose(kind, 10_000);
      run.pass(9_999);
      expect(underWay(run)).toEqual([]);
      run.pass(10);
      expect(underWay(run)).toEqual(['/1']);
      const edge = `REST.${kind.toUpperCase()}`;
      expect(run.heard).toEqual([
        { type: edge, forMs: 5_000, reason: `${kind}!` },
        { type: edge, forMs: expect.closeTo(7_999), reason: `${kind}!` },
        { type: 'REST.FREE' },
      ]);
    }
  });

  test('T04 of a hundred million seconds is slept in pieces that a timer takes, none too early', () => {
    const run = begun();
    ask(run, '/1');
    run.quota.impose('limited', 1e11);
    fails(run, 'call0', http(429));
    for (const day of [1, 30, 400, 1_000]) {
      run.pass(day * 86_400_000 - run.clock.now());
      expect([day, state(run), run.quota.begun.length]).toEqual([day, { rateLimited: 'told' }, 1]);
      expect(run.timers()[0]!.due - run.clock.now()).toBeLessThanOrEqual(2 ** 31 - 1);
    }
    run.pass(1e11 - run.clock.now() - 1);
    expect([state(run), run.quota.begun.length]).toEqual([{ rateLimited: 'told' }, 1]);
  });

  test('met again and again is told to who asked after some tries', () => {
    const run = begun();
    const asked = ask(run);
    for (let tries = 0; tries < 4; tries++) {
      expect(asked.settled()).toBeUndefined();
      run.quota.impose('limited', 2_000);
      fails(run, 'call0', http(429));
      run.pass(2_001);
    }
    expect(asked.settled()).toEqual(http(429));
  });
});
