import { describe, expect, test } from 'vitest';
import { RestRefused } from '../../machines/rest-session.machine.ts';
import { restSessionModel } from '../model/rest-session.model.ts';
import { child, ends, fails, isDone, moments, say } from './play.ts';
import { ask, begun, heard, http, type Run, refused, state, underWay } from './rest-session.play.ts';

const CLOSE = { type: 'CLOSE', withinMs: 3_000 };

describe('an open session', () => {
  test('has four requests under way at a time, in the order they came', () => {
    const run = begun();
    expect(state(run)).toBe('idle');
    const asked = ['/1', '/2', '/3', '/4', '/5', '/6'].map((path) => ask(run, path));
    expect(underWay(run)).toEqual(['/1', '/2', '/3', '/4']);
    expect(state(run)).toBe('busy');
    ends(run, 'call2', { three: 3 });
    expect(asked.map((it) => it.settled())).toEqual([
      undefined,
      undefined,
      { three: 3 },
      undefined,
      undefined,
      undefined,
    ]);
    expect(underWay(run)).toEqual(['/1', '/2', '/5', '/4']);
    for (const slot of [0, 1, 2, 3]) ends(run, `call${slot}`);
    expect(underWay(run)).toEqual(['/6']);
    ends(run, 'call0');
    expect(state(run)).toBe('idle');
    expect(run.quota.begun).toHaveLength(6);
  });

  test('books each request before the next one is judged', () => {
    const run = begun();
    run.quota.waitMs = () => (run.quota.begun.length < 2 ? 0 : 60_000);
    for (const path of ['/1', '/2', '/3']) ask(run, path);
    expect(underWay(run)).toEqual(['/1', '/2']);
    expect(state(run)).toEqual({ rateLimited: 'spent' });
  });

  test('takes live requests before background ones', () => {
    const run = begun();
    for (const path of ['/a', '/b', '/c', '/d']) ask(run, path);
    ask(run, '/old1', { priority: 'background' });
    ask(run, '/new1');
    ask(run, '/old2', { priority: 'background' });
    ask(run, '/new2', { priority: 'live' });
    for (const slot of [0, 1, 2, 3]) ends(run, `call${slot}`);
    expect(underWay(run)).toEqual(['/new1', '/new2', '/old1']);
  });

  test('keeps a slot for what is live, for background calls may stall', () => {
    const run = begun();
    for (const path of ['/a', '/b', '/c', '/d']) ask(run, path, { priority: 'background' });
    expect(underWay(run)).toEqual(['/a', '/b', '/c']);
    expect(state(run)).toBe('busy');
    ask(run, '/new');
    expect(underWay(run)).toEqual(['/a', '/b', '/c', '/new']);
    ends(run, 'call1');
    expect(underWay(run)).toEqual(['/a', '/d', '/c', '/new']);
  });

  test('refuses what has no room, which may be tried again, and has room when one is done', () => {
    const run = begun();
    for (let n = 0; n < 10; n++) expect(ask(run).settled()).toBeUndefined();
    const late = ask(run);
    expect(late.settled()).toEqual(refused('REST_QUEUE_FULL'));
    expect(late.settled()).toMatchObject({
      message: 'too many REST requests wait; try again later',
      retryAfterMs: 0,
    });
    expect(late.settled()).toBeInstanceOf(RestRefused);
    ends(run, 'call1');
    expect(ask(run).settled()).toBeUndefined();
  });

  test('neither sends nor counts what nobody waits for any more', () => {
    const run = begun();
    for (let n = 0; n < 4; n++) ask(run);
    const gone = new AbortController();
    for (let n = 0; n < 6; n++) ask(run, '/gone', { signal: gone.signal });
    gone.abort();
    expect(ask(run, '/wanted').settled()).toBeUndefined();
    ends(run, 'call0');
    expect(underWay(run)[0]).toBe('/wanted');
    expect(run.snapshot.context.queue).toEqual([]);
  });

  test('tells who asked what can not be cured by asking again', () => {
    const run = begun();
    const [first, second] = [ask(run, '/1'), ask(run, '/2')];
    fails(run, 'call0', http(400));
    expect(first.settled()).toEqual(http(400));
    expect(second.settled()).toBeUndefined();
    expect(state(run)).toBe('busy');
    fails(run, 'call1', 'a text');
    expect(second.settled()).toBe('a text');
  });
});

describe('a failure in passing', () => {
  test('is tried again after 200, 400 and 800 ms, and then told', () => {
    const run = begun();
    const asked = ask(run, '/1');
    for (const ms of [200, 400, 800]) {
      fails(run, 'call0', http(503));
      expect(state(run)).toBe('retrying');
      run.pass(ms - 1);
      expect(underWay(run)).toEqual([]);
      run.pass(1);
      expect(underWay(run)).toEqual(['/1']);
    }
    fails(run, 'call0', http(503));
    expect(asked.settled()).toEqual(http(503));
    expect(state(run)).toBe('idle');
  });

  test('holds back what is new, not what is under way; the one that failed goes first', () => {
    const run = begun();
    const [, second] = [ask(run, '/1'), ask(run, '/2')];
    fails(run, 'call0', Object.assign(new Error('reset'), { code: 'HTTP_BROKEN', status: 0 }));
    ask(run, '/3');
    expect(underWay(run)).toEqual(['/2']);
    ends(run, 'call1', 'fine');
    expect(second.settled()).toBe('fine');
    run.pass(200);
    expect(underWay(run)).toEqual(['/1', '/3']);
  });

  test('of what nobody waits for any more leaves a session busy that still has something under way', () => {
    const run = begun();
    const gone = new AbortController();
    ask(run, '/gone', { signal: gone.signal });
    ask(run, '/2');
    fails(run, 'call0', http(503));
    gone.abort();
    run.pass(200);
    expect(underWay(run)).toEqual(['/2']);
    expect(state(run)).toBe('busy');
    ends(run, 'call1');
    expect(state(run)).toBe('idle');
  });

  test.each([
    ['HTTP_TIMEOUT', 0, true],
    ['HTTP_BROKEN', 0, true],
    ['HTTP_MALFORMED', 200, true],
    ['HTTP_TOO_LARGE', 200, true],
    ['HTTP_408', 408, true],
    ['-1001', 502, true],
    // Nobody listens there: a quick retry does not change that.
    ['HTTP_UNREACHABLE', 0, false],
    ['HTTP_404', 404, false],
    ['-1121', 400, false],
  ])('%s with status %i is retried: %s', (code, status, isRetried) => {
    const run = begun();
    ask(run);
    fails(run, 'call0', Object.assign(new Error('x'), { code, status }));
    expect(state(run)).toBe(isRetried ? 'retrying' : 'idle');
  });
});

describe('the own budget', () => {
  test('when it is spent, waits until there is some, and goes on by itself', () => {
    const run = begun();
    run.quota.spend(20_000);
    const asked = ask(run, '/1');
    expect(state(run)).toEqual({ rateLimited: 'spent' });
    run.pass(19_999);
    expect(underWay(run)).toEqual([]);
    run.pass(1);
    expect(underWay(run)).toEqual(['/1']);
    ends(run, 'call0', 'fine');
    expect(asked.settled()).toBe('fine');
    expect(heard(run)).toEqual([]);
  });

  test('that lacks a millisecond is waited for a millisecond', () => {
    const run = begun();
    const until = run.clock.now() + 1;
    run.quota.waitMs = () => Math.max(0, until - run.clock.now());
    ask(run, '/1');
    expect(state(run)).toEqual({ rateLimited: 'spent' });
    run.pass(1);
    expect(underWay(run)).toEqual(['/1']);
  });

  test('of the background holds nothing live back', () => {
    const run = begun();
    run.quota.spend(20_000, false);
    ask(run, '/old', { priority: 'background' });
    expect(state(run)).toEqual({ rateLimited: 'spent' });
    ask(run, '/new');
    expect(underWay(run)).toEqual(['/new']);
    run.pass(20_000);
    expect(underWay(run)).toEqual(['/new', '/old']);
  });
});

describe('CLOSE', () => {
  test('aborts the requests under way and rejects all that wait, each once', () => {
    const run = begun();
    const waiting = Array.from({ length: 7 }, () => ask(run));
    const calls = [0, 1, 2, 3].map((slot) => child(run, `call${slot}`));
    say(run, CLOSE);
    expect(calls.map((call) => call.getSnapshot().status)).toEqual(Array(4).fill('stopped'));
    expect(waiting.map((it) => it.settled())).toEqual(Array(7).fill(refused('REST_CLOSED')));
  });

  test('refuses what comes later', () => {
    const run = begun();
    say(run, CLOSE);
    expect(ask(run).settled()).toEqual(refused('REST_CLOSED'));
  });

  test.each([
    ['released', (run: Run) => ends(run, 'release'), { outcome: 'closed', durationMs: 10 }],
    [
      'failing to release',
      (run: Run) => fails(run, 'release', new Error('boom')),
      { outcome: 'failed', durationMs: 10, error: 'boom' },
    ],
    ['hanging', (run: Run) => run.pass(60_000), { outcome: 'forced', durationMs: 3_000 }],
  ])('reports how it went: %s', (_, finish, line) => {
    const run = begun();
    say(run, CLOSE);
    run.pass(10);
    finish(run);
    expect(run.snapshot.output).toEqual({ name: 'rest', ...line });
  });

  test('at every reachable moment settles every request that was ever taken', () => {
    for (const { session, words } of moments(restSessionModel)) {
      const run = session as never;
      if (isDone(run)) continue;
      const asked = [ask(run), ask(run), ask(run)];
      say(run, CLOSE);
      expect([words, asked.filter((it) => it.settled() === undefined)]).toEqual([words, []]);
    }
  });
});
