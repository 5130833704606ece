/** One connection replaced by another: made before it breaks, from either slot, and never none by choice. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import { feedModel } from '../model/feed.model.ts';
import type { Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, ends, fails, moments, received, say } from './play.ts';

type Run = Session<never>;
const BTC = 'BTCUSDT@1m';
const { rotateMs, rotateSpreadMs, overlapMs, pongTimeoutMs } = DEFAULT_TIMING;
/** Of the model, whose dice always show one half. */
const AGE = rotateMs - rotateSpreadMs / 2;

const isUp = (run: Run, id: string, openedAt = run.clock.now()): void =>
  say(run, { type: 'CONNECTION.UP', id, proof: 'frame', openedAt });
const isDown = (run: Run, id: string): void =>
  say(run, { type: 'CONNECTION.DOWN', id, reason: 'lost', retryMs: 500, alarming: false });
const up = (): Run => {
  const run = begin(feedModel) as Run;
  isUp(run, 'feed.a');
  return run;
};
/** A feed whose first connection is too old. */
const rotating = (): Run => {
  const run = up();
  run.pass(AGE);
  return run;
};
const connections = (run: Run): string[] => Object.keys(run.children).filter((id) => id.startsWith('feed.'));
const told = (run: Run): string[] => run.heard.map((event) => event.type);
const news = (run: Run): string[] => received(run, BTC).map((event) => event.type);
const commands = (run: Run, id: string) => received(run, id);

describe('a connection that grows old', () => {
  test('gets a successor, is kept until that is proved and both have overlapped, and closes then', () => {
    const run = up();
    run.pass(AGE - 1);
    expect(connections(run)).toEqual(['feed.a']);
    run.pass(1);
    expect(connections(run)).toEqual(['feed.a', 'feed.b']);
    run.pass(30 * 60_000);
    expect(commands(run, 'feed.a')).toEqual([]);
    isUp(run, 'feed.b');
    run.pass(overlapMs - 1);
    expect(commands(run, 'feed.a')).toEqual([]);
    run.pass(1);
    expect(commands(run, 'feed.a')).toEqual([{ type: 'CLOSE', withinMs: pongTimeoutMs }]);
    ends(run, 'feed.a', { name: 'feed.a', outcome: 'closed', durationMs: 1 });
    expect(connections(run)).toEqual(['feed.b']);
    expect(told(run)).toEqual(['FEED.UP', 'FEED.ROTATED']);
    expect(run.heard.at(-1)).toMatchObject({ reason: 'its age' });
    expect(news(run)).toEqual(['FEED.UP', 'FEED.ROTATING', 'FEED.SWITCHED']);
  });

  test('has its age counted from when it opened, each time anew', () => {
    const run = up();
    run.pass(10_000);
    isDown(run, 'feed.a');
    run.pass(10_000);
    isUp(run, 'feed.a', 15_000);
    run.pass(AGE - 5_001);
    expect(connections(run)).toEqual(['feed.a']);
    run.pass(1);
    expect(connections(run)).toEqual(['feed.a', 'feed.b']);
  });

  test('is replaced a little earlier or later than others are', () => {
    const ages = [0, 0.999].map((dice) => {
      const run = begin({
        ...feedModel,
        input: (env, clock) => {
          const input = feedModel.input!(env, clock);
          return { ...input, connection: { ...input.connection, random: () => dice } };
        },
      }) as Run;
      isUp(run, 'feed.a');
      for (let ms = 0; ms < rotateMs + 60_000; ms += 60_000, run.pass(60_000))
        if (connections(run).length === 2) return ms;
      return Number.NaN;
    });
    expect(ages).toEqual([rotateMs, rotateMs - rotateSpreadMs + 60_000]);
  });

  test('has a successor that carries the same, also what came and went meanwhile', () => {
    const run = rotating();
    const streams = ['btcusdt@kline_1m', '!contractInfo'];
    expect((child(run, 'feed.b').getSnapshot() as StubSnapshot).input).toMatchObject({
      id: 'feed.b',
      streams,
    });
    say(run, { type: 'ADD', streams: [{ id: 'ETHUSDT@1m', stream: 'ethusdt@kline_1m' }] });
    ends(run, BTC, { name: BTC, outcome: 'closed', durationMs: 0, retired: true });
    for (const id of ['feed.a', 'feed.b'])
      expect(commands(run, id)).toEqual([
        { type: 'SUBSCRIBE', streams: ['ethusdt@kline_1m'] },
        { type: 'UNSUBSCRIBE', streams: ['btcusdt@kline_1m'] },
      ]);
  });

  test('is kept for as long as no successor can be had, and every failure is an alarm', () => {
    const run = rotating();
    for (let i = 0; i < 3; i++) isDown(run, 'feed.b');
    isUp(run, 'feed.b');
    isDown(run, 'feed.b');
    fails(run, 'feed.b', new Error('boom'));
    expect(connections(run)).toEqual(['feed.a']);
    run.pass(1_000);
    expect(connections(run)).toEqual(['feed.a', 'feed.b']);
    ends(run, 'feed.b', { name: 'feed.b', outcome: 'failed', durationMs: 1 });
    expect(commands(run, 'feed.a')).toEqual([]);
    expect(told(run)).toEqual(['FEED.UP', ...Array.from({ length: 6 }, () => 'FEED.ALARM')]);
    expect(run.heard[1]).toMatchObject({
      code: 'ROTATION_FAILS',
      fields: { feed: 'feed', reason: 'lost', retryMs: 500 },
    });
  });

  test('and ends first leaves the feed to the successor, however far that has come', () => {
    const early = rotating();
    isDown(early, 'feed.a');
    expect([told(early), news(early)]).toEqual([
      ['FEED.UP', 'FEED.DOWN'],
      ['FEED.UP', 'FEED.ROTATING', 'FEED.DOWN'],
    ]);
    expect(commands(early, 'feed.a')).toMatchObject([{ type: 'CLOSE' }]);
    isDown(early, 'feed.b');
    isUp(early, 'feed.b');
    expect(told(early).slice(2)).toEqual(['FEED.DOWN', 'FEED.UP']);

    const late = rotating();
    isUp(late, 'feed.b');
    isDown(late, 'feed.a');
    expect([told(late), news(late)]).toEqual([
      ['FEED.UP', 'FEED.ROTATED'],
      ['FEED.UP', 'FEED.ROTATING', 'FEED.SWITCHED'],
    ]);
  });
});

describe('a connection born of a rotation', () => {
  const born = (): Run => {
    const run = rotating();
    isUp(run, 'feed.b');
    run.pass(overlapMs);
    return run;
  };

  test('is reported as the first was when it is lost and comes back', () => {
    const run = born();
    isDown(run, 'feed.b');
    isUp(run, 'feed.b');
    expect(told(run)).toEqual(['FEED.UP', 'FEED.ROTATED', 'FEED.DOWN', 'FEED.UP']);
  });

  test('is not touched by what its predecessor says, nor by how that ends', () => {
    for (const end of [
      (run: Run) => fails(run, 'feed.a', new Error('boom')),
      (run: Run) => ends(run, 'feed.a', { name: 'feed.a', outcome: 'forced', durationMs: 1 }),
    ]) {
      const run = born();
      isDown(run, 'feed.a');
      end(run);
      expect(told(run)).toEqual(['FEED.UP', 'FEED.ROTATED']);
      expect(connections(run)).toEqual(['feed.b']);
    }
  });

  test('is mended with everything else when it fails', () => {
    const run = born();
    fails(run, 'feed.b', new Error('boom'));
    expect(connections(run)).toEqual([]);
    run.pass(1_000);
    expect(connections(run)).toEqual(['feed.b']);
  });

  test('that is told to go before it carries on alone is replaced as soon as it does', () => {
    const run = up();
    run.pass(AGE);
    say(run, { type: 'CONNECTION.LEAVING', id: 'feed.b', reason: 'serverShutdown' });
    isUp(run, 'feed.b');
    say(run, { type: 'CONNECTION.LEAVING', id: 'feed.b', reason: 'serverShutdown' });
    run.pass(overlapMs);
    expect(run.heard.at(-1)).toMatchObject({ type: 'FEED.ROTATED', reason: 'its age' });
    isUp(run, 'feed.a');
    run.pass(overlapMs);
    expect(run.heard.at(-1)).toMatchObject({
      type: 'FEED.ROTATED',
      reason: 'the server said serverShutdown',
    });
  });

  test('whose former socket was told to go, before a new one came up, stays', () => {
    const run = rotating();
    say(run, { type: 'CONNECTION.LEAVING', id: 'feed.b', reason: 'serverShutdown' });
    isDown(run, 'feed.b');
    isUp(run, 'feed.b');
    run.pass(overlapMs);
    ends(run, 'feed.a', { name: 'feed.a', outcome: 'closed', durationMs: 1 });
    expect(connections(run)).toEqual(['feed.b']);
    expect(run.snapshot.matches({ open: { up: 'steady' } } as never)).toBe(true);
  });

  test('is not proved by what the old one says once more', () => {
    const run = rotating();
    isUp(run, 'feed.a');
    expect(run.snapshot.matches({ open: { up: { rotating: 'connecting' } } } as never)).toBe(true);
  });

  test('is replaced in its turn, though its predecessor still closes', () => {
    const run = born();
    const old = child(run, 'feed.a');
    say(run, { type: 'CONNECTION.LEAVING', id: 'feed.b', reason: 'serverShutdown' });
    expect(old.getSnapshot().status).toBe('stopped');
    expect(connections(run).sort()).toEqual(['feed.a', 'feed.b']);
    isUp(run, 'feed.a');
    run.pass(overlapMs);
    expect(run.heard.at(-1)).toMatchObject({
      type: 'FEED.ROTATED',
      reason: 'the server said serverShutdown',
    });
    ends(run, 'feed.b', { name: 'feed.b', outcome: 'closed', durationMs: 1 });
    run.pass(AGE - overlapMs);
    expect(connections(run)).toEqual(['feed.a', 'feed.b']);
  });
});

const mute = { type: 'STREAM.MUTE', id: BTC, stream: 'btcusdt@kline_1m', again: false };

describe('the streams of a feed', () => {
  test('that come while it is up are told so, after they were subscribed', () => {
    const run = up();
    const added = { id: 'ETHUSDT@1m', stream: 'ethusdt@kline_1m' };
    for (let twice = 0; twice < 2; twice++) say(run, { type: 'ADD', streams: [added] });
    expect(commands(run, 'feed.a')[0]).toEqual({ type: 'SUBSCRIBE', streams: ['ethusdt@kline_1m'] });
    expect(received(run, 'ETHUSDT@1m')).toEqual([{ type: 'FEED.UP' }]);
  });

  test('are told that their symbol ends, also when they are started afresh; their end is no fault', () => {
    const run = up();
    const retire = { type: 'RETIRE', endTime: 7 };
    say(run, { ...retire, ids: [BTC, 'XRPUSDT@1m'] });
    expect(received(run, BTC)).toEqual([{ type: 'FEED.UP' }, retire]);
    fails(run, BTC, new Error('boom'));
    run.pass(1_000);
    expect(received(run, BTC)).toEqual([retire]);
    ends(run, BTC, { name: BTC, outcome: 'closed', durationMs: 0, retired: true });
    expect(told(run)).toEqual(['FEED.UP', 'FEED.DOWN']);
    expect(Object.keys(run.children)).toEqual(['feed.a']);
  });

  test('that are mute are subscribed once more, then cost the socket, once in ten silences', () => {
    const run = up();
    say(run, mute);
    for (let twice = 0; twice < 2; twice++) say(run, { ...mute, again: true });
    const recycle = {
      type: 'RECYCLE',
      reason: 'mute: btcusdt@kline_1m trades, but no frame of it came on /route',
    };
    expect(commands(run, 'feed.a')).toEqual([
      { type: 'RESUBSCRIBE', streams: ['btcusdt@kline_1m'] },
      recycle,
    ]);
    expect(run.heard.at(-1)).toMatchObject({
      type: 'FEED.ALARM',
      code: 'STREAM_MUTE',
      fields: { count: 1, streams: ['btcusdt@kline_1m'], route: '/route' },
    });
    run.pass(10 * DEFAULT_TIMING.silenceMs - 1);
    say(run, { ...mute, again: true });
    expect(commands(run, 'feed.a')).toHaveLength(2);
    run.pass(1);
    say(run, { ...mute, again: true });
    expect(commands(run, 'feed.a').at(-1)).toEqual(recycle);
  });

  test('that are mute by the hundred are one alarm a minute', () => {
    const run = up();
    const muted = (n: number) => ({ ...mute, stream: `s${n}usdt@kline_1m`, again: true });
    // The first costs the socket; the others are told.
    for (let n = 0; n < 100; n++) say(run, muted(n));
    const alarms = () => run.heard.filter((event) => event['code'] === 'STREAM_MUTE');
    expect(alarms()).toHaveLength(1);
    run.pass(60_000);
    say(run, muted(7));
    expect(alarms()).toHaveLength(2);
    const { count, streams } = alarms()[1]!['fields'] as { count: number; streams: string[] };
    expect(count).toBe(98);
    expect(streams).toHaveLength(20);
  });

  test('hear nothing of a probe; both connections do', () => {
    const run = rotating();
    say(run, { type: 'PROBE' });
    for (const id of ['feed.a', 'feed.b']) expect(commands(run, id)).toEqual([{ type: 'PROBE' }]);
    expect(news(run)).toEqual(['FEED.UP', 'FEED.ROTATING']);
  });
});

test('at every reachable moment a feed that is open, and not being mended, has a connection that nobody asked to go', () => {
  let seen = 0;
  for (const { session, words } of moments(feedModel)) {
    const { snapshot, children } = session;
    if (!snapshot.matches('open' as never) || snapshot.matches({ open: 'mending' } as never)) continue;
    const active = children[`feed.${(snapshot.context as { active: string }).active}`];
    const { status, received: told = [] } = (active?.getSnapshot() ?? {}) as Partial<StubSnapshot>;
    expect([words, status, told.some(({ type }) => type === 'CLOSE')]).toEqual([words, 'active', false]);
    seen += 1;
  }
  expect(seen).toBeGreaterThan(50);
});

test('CLOSE goes to both connections', () => {
  const run = rotating();
  say(run, { type: 'CLOSE', withinMs: 1_000 });
  for (const id of ['feed.a', 'feed.b'])
    expect(commands(run, id)).toEqual([{ type: 'CLOSE', withinMs: 900 }]);
});

test('CLOSE goes to a predecessor too that was lost before its successor was proved, and the feed waits for it', () => {
  const run = rotating();
  isDown(run, 'feed.a');
  say(run, { type: 'CLOSE', withinMs: 1_000 });
  expect(commands(run, 'feed.a').at(-1)).toEqual({ type: 'CLOSE', withinMs: 900 });
  for (const id of [BTC, 'feed.b']) ends(run, id, { name: id, outcome: 'closed', durationMs: 1 });
  expect(run.snapshot.status).toBe('active');
  ends(run, 'feed.a', { name: 'feed.a', outcome: 'closed', durationMs: 1 });
  expect(run.snapshot.status).toBe('done');
});
