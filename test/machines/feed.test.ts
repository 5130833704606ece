import { describe, expect, test } from 'vitest';
import { feedModel } from '../model/feed.model.ts';
import type { Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, moments, received, say } from './play.ts';

type Run = Session<never>;
const CLOSE = { type: 'CLOSE', withinMs: 3_000 };
const [BTC, ETH, CONNECTION] = ['BTCUSDT@1m', 'ETHUSDT@1m', 'feed.a'] as const;
const stream = (id: string) => ({ id, stream: `${id.slice(0, 7).toLowerCase()}@kline_1m` });
/** The feed of the model, with one stream more. */
const begun = (): Run =>
  begin({
    ...feedModel,
    input: (env, clock) => ({
      ...feedModel.input!(env, clock),
      streams: [BTC, ETH].map((id) => stream(id) as never),
    }),
  }) as Run;
const up = (): Run => {
  const run = begun();
  say(run, { type: 'CONNECTION.UP', id: CONNECTION, proof: 'frame', openedAt: 0 });
  return run;
};
const down = { type: 'CONNECTION.DOWN', id: CONNECTION, reason: 'lost', retryMs: 500, alarming: true };
const line = (name: string, outcome = 'closed') => ({ name, outcome, durationMs: 1 });

describe('an open feed', () => {
  test('has a connection and its streams, from the start', () => {
    expect(Object.keys(begun().children)).toEqual([BTC, ETH, CONNECTION]);
  });

  test('has its connection carry its streams and what else is wanted', () => {
    const { input } = child(begun(), CONNECTION).getSnapshot() as StubSnapshot;
    expect(input).toMatchObject({
      id: CONNECTION,
      route: '/route',
      streams: ['btcusdt@kline_1m', 'ethusdt@kline_1m', '!contractInfo'],
    });
  });

  test('passes on what its connection reports, under its own name', () => {
    const run = up();
    say(run, down);
    say(run, down);
    const told = { id: 'feed', reason: 'lost', retryMs: 500, alarming: true };
    expect(run.heard).toEqual([
      { type: 'FEED.UP', id: 'feed', proof: 'frame' },
      { type: 'FEED.DOWN', ...told },
      { type: 'FEED.DOWN', ...told },
    ]);
  });

  test('tells its streams when they have a connection and when they lose it, once each time', () => {
    const run = up();
    say(run, down);
    say(run, down);
    for (const id of [BTC, ETH])
      expect(received(run, id)).toEqual([{ type: 'FEED.UP' }, { type: 'FEED.DOWN' }]);
  });
});

test('a stream that comes while the feed is down hears of no connection before there is one', () => {
  const run = begun();
  say(run, { type: 'ADD', streams: [stream('XRPUSDT@1m')] });
  expect(received(run, 'XRPUSDT@1m')).toEqual([]);
  say(run, { type: 'CONNECTION.UP', id: CONNECTION, proof: 'frame', openedAt: 0 });
  expect(received(run, 'XRPUSDT@1m')).toEqual([{ type: 'FEED.UP' }]);
});

describe('a child that fails or ends by itself', () => {
  test.each([BTC, ETH, CONNECTION])('%s is started afresh after the pause, not before', (id) => {
    const run = up();
    const first = child(run, id);
    fails(run, id, new Error('boom'));
    run.pass(999);
    expect(run.children[id]).toBeUndefined();
    run.pass(1);
    expect(child(run, id)).not.toBe(first);
    expect(Object.keys(run.children).sort()).toEqual([BTC, ETH, CONNECTION].sort());
  });

  test.each([BTC, ETH, CONNECTION])('%s is started afresh also when it merely ends', (id) => {
    const run = up();
    const first = child(run, id);
    ends(run, id, line(id));
    expect(run.children[id]).toBeUndefined();
    run.pass(1_000);
    expect(child(run, id)).not.toBe(first);
    expect(Object.keys(run.children).sort()).toEqual([BTC, ETH, CONNECTION].sort());
    expect(run.orphans()).toEqual([]);
  });

  test('is named in what the feed reports', () => {
    const run = up();
    fails(run, BTC, new Error('boom'));
    run.pass(1_000);
    ends(run, ETH, line(ETH, 'failed'));
    expect(run.heard.slice(1)).toEqual([
      { type: 'FEED.DOWN', id: 'feed', reason: `${BTC} failed: boom`, retryMs: 1_000, alarming: true },
      { type: 'FEED.DOWN', id: 'feed', reason: `${ETH} ended: failed`, retryMs: 1_000, alarming: true },
    ]);
  });

  test('takes the connection along, and leaves the other streams', () => {
    const run = up();
    const [other, connection] = [child(run, ETH), child(run, CONNECTION)];
    fails(run, BTC, new Error('boom'));
    expect(connection.getSnapshot().status).toBe('stopped');
    expect(received(run, ETH)).toEqual([{ type: 'FEED.UP' }, { type: 'FEED.DOWN' }]);
    run.pass(1_000);
    expect(child(run, ETH)).toBe(other);
    expect(child(run, CONNECTION)).not.toBe(connection);
  });

  test('while another is being mended waits for the pause from then on', () => {
    const run = up();
    fails(run, BTC, new Error('boom'));
    run.pass(600);
    fails(run, ETH, new Error('boom'));
    run.pass(600);
    expect(Object.keys(run.children)).toEqual([]);
    run.pass(400);
    expect(Object.keys(run.children)).toEqual([BTC, ETH, CONNECTION]);
  });

  test('leads to a whole feed at every reachable moment', () => {
    for (const { session, words } of moments(feedModel)) {
      if (isDone(session as never) || session.snapshot.matches('closing' as never)) continue;
      for (const id of Object.keys(session.children)) {
        if (session.children[id] === undefined) continue;
        fails(session as never, id, new Error('boom'));
      }
      session.pass(1_000);
      const { active, streams } = session.snapshot.context as { active: string; streams: { id: string }[] };
      const whole = [...streams.map((one) => one.id), `feed.${active}`].sort();
      expect([words, Object.keys(session.children).sort()]).toEqual([words, whole]);
    }
  });
});

describe('CLOSE', () => {
  const closing = (): Run => {
    const run = up();
    run.pass(11);
    say(run, CLOSE);
    return run;
  };

  test('is passed on to the connection once, with a little less time', () => {
    const run = closing();
    say(run, CLOSE);
    expect(received(run, CONNECTION).filter(({ type }) => type === 'CLOSE')).toEqual([
      { type: 'CLOSE', withinMs: 2_700 },
    ]);
  });

  test('ends the feed as soon as the connection has ended, and with it the streams, which have nothing to close', () => {
    const run = closing();
    run.pass(20);
    const streams = [BTC, ETH].map((id) => child(run, id));
    expect(streams.map((stream) => (stream.getSnapshot() as StubSnapshot).received)).toEqual([
      [{ type: 'FEED.UP' }],
      [{ type: 'FEED.UP' }],
    ]);
    fails(run, BTC, new Error('late, and nobody is interested'));
    ends(run, CONNECTION, line(CONNECTION));
    expect(streams[1]?.getSnapshot().status).toBe('stopped');
    expect(run.snapshot.output).toEqual({
      name: 'feed',
      lines: [{ name: 'feed', outcome: 'closed', durationMs: 20 }],
    });
  });

  test('names who had to be forced', () => {
    const run = closing();
    run.pass(3_000);
    expect(run.snapshot.output).toEqual({
      name: 'feed',
      lines: [
        { name: 'feed', outcome: 'forced', durationMs: 3_000 },
        { name: CONNECTION, outcome: 'forced', durationMs: 3_000 },
      ],
    });
  });

  test('names who failed instead of closing, and does not call that forced', () => {
    const run = closing();
    fails(run, CONNECTION, new Error('boom'));
    expect(run.snapshot.output).toEqual({
      name: 'feed',
      lines: [
        { name: 'feed', outcome: 'failed', durationMs: 0 },
        { name: CONNECTION, outcome: 'failed', durationMs: 0, error: 'boom' },
      ],
    });
    const other = closing();
    ends(other, CONNECTION, line(CONNECTION, 'failed'));
    expect(other.snapshot.output).toMatchObject({ lines: [{ outcome: 'failed' }, { durationMs: 1 }] });
  });

  test('reaches a connection that was lost once', () => {
    const run = up();
    say(run, down);
    say(run, CLOSE);
    expect(received(run, CONNECTION).filter(({ type }) => type === 'CLOSE')).toHaveLength(1);
  });

  test('while mending asks only those that are there', () => {
    const run = up();
    fails(run, BTC, new Error('boom'));
    say(run, CLOSE);
    expect(run.snapshot.status).toBe('done');
  });
});
