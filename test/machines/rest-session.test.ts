import { describe, expect, test } from 'vitest';
import { type RestCall, RestRefused, type RestRequest } from '../../machines/rest-session.machine.ts';
import { type FakeQuota, request, restSessionModel } from '../model/rest-session.model.ts';
import type { Model, Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, moments, say } from './play.ts';

const CLOSE = { type: 'CLOSE', withinMs: 3_000 };

/** As a collector has it: four slots, three retries, some room. */
const roomy: typeof restSessionModel = {
  ...restSessionModel,
  input: (env, clock) => ({
    ...restSessionModel.input!(env, clock),
    queueMax: 6,
    callsMax: 4,
    retriesMax: 3,
  }),
};
type Env = typeof restSessionModel extends Model<infer _, infer E> ? E : never;
const begun = () => {
  const run = begin<Env>(roomy);
  return Object.assign(run as Session<never>, { quota: run.env.quota as FakeQuota });
};
type Run = ReturnType<typeof begun>;
type Asked = ReturnType<typeof request>;

function ask(run: Session<never>, path?: string, more?: Pick<RestRequest, 'priority' | 'signal'>): Asked {
  const asked = request(path, more);
  say(run, { type: 'REQUEST', request: asked });
  return asked;
}
const inSlot = (run: Run, slot: number): RestCall =>
  (child(run, `call${slot}`).getSnapshot() as StubSnapshot).input as RestCall;
/** Paths under way, by slot. */
const underWay = (run: Run): string[] =>
  [0, 1, 2, 3].flatMap((slot) => (run.children[`call${slot}`] ? [inSlot(run, slot).request.path] : []));
const state = (run: Run): unknown => (run.snapshot.value as { open: unknown }).open;
const heard = (run: Run): unknown[] => run.heard.map((event) => event.type);
const refused = (code: string) => expect.objectContaining({ code, retryable: true });
const http = (status: number): Error => Object.assign(new Error(`HTTP ${status}`), { status });

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
