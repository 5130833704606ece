import { describe, expect, test } from 'vitest';
import { RestRefused, type RestRequest } from '../../machines/rest-session.machine.ts';
import { request, restSessionModel } from '../model/rest-session.model.ts';
import type { Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, moments, say, unended } from './play.ts';

type Run = Session<never>;
const CLOSE = { type: 'CLOSE', withinMs: 3_000 };
const begun = (): Run => begin(restSessionModel) as Run;
function ask(run: Run, path?: string) {
  const asked = request(path);
  say(run, { type: 'REQUEST', request: asked });
  return asked;
}
const underWay = (run: Run): RestRequest =>
  (child(run, 'call').getSnapshot() as StubSnapshot).input as RestRequest;
const refused = (code: string) => expect.objectContaining({ code, retryable: true });

describe('an open session', () => {
  test('has one request under way at a time, in the order they came', () => {
    const run = begun();
    const [first, second] = [ask(run, '/1'), ask(run, '/2')];
    expect(underWay(run)).toBe(first);
    ends(run, 'call', { one: 1 });
    expect([first.settled(), second.settled()]).toEqual([{ one: 1 }, undefined]);
    expect(underWay(run)).toBe(second);
    fails(run, 'call', new Error('400'));
    expect(second.settled()).toEqual(new Error('400'));
    expect(run.children['call']).toBeUndefined();
  });

  test('refuses what has no room, which may be tried again, and has room when one is done', () => {
    const run = begun();
    ask(run);
    ask(run);
    const third = ask(run);
    expect(third.settled()).toEqual(refused('REST_QUEUE_FULL'));
    expect(third.settled()).toBeInstanceOf(RestRefused);
    ends(run, 'call');
    expect(ask(run).settled()).toBeUndefined();
  });
});

describe('CLOSE', () => {
  test('aborts the request under way and rejects all that wait, each once', () => {
    const run = begun();
    const waiting = [ask(run), ask(run)];
    const call = child(run, 'call');
    say(run, CLOSE);
    expect(call.getSnapshot().status).toBe('stopped');
    expect(waiting.map((it) => it.settled())).toEqual([refused('REST_CLOSED'), refused('REST_CLOSED')]);
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

  test('ends it in time at every reachable moment, whatever else happens, and nothing outlives it', () => {
    expect(unended(restSessionModel, { ask: CLOSE, withinMs: 3_000, isOver: isDone })).toEqual([]);
  });
});
