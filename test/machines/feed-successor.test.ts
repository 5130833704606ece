/** A successor that was proved and is lost again before it carries on alone; notices that go with their sockets. */
import { expect, test } from 'vitest';
import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import { feedModel } from '../model/feed.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, ends, fails, say } from './play.ts';

type Run = Session<never>;
const BTC = 'BTCUSDT@1m';
const { overlapMs } = DEFAULT_TIMING;
const isUp = (run: Run, id: string): void =>
  say(run, { type: 'CONNECTION.UP', id, proof: 'frame', openedAt: run.clock.now() });
const isDown = (run: Run, id: string): void =>
  say(run, { type: 'CONNECTION.DOWN', id, reason: 'lost', retryMs: 500, alarming: false });
const isLeaving = (run: Run, id: string): void =>
  say(run, { type: 'CONNECTION.LEAVING', id, reason: 'serverShutdown' });
const at = (run: Run, state: object): boolean => run.snapshot.matches({ open: state } as never);
/** The server of the first connection has said that it will go. */
const rotating = (): Run => {
  const run = begin(feedModel) as Run;
  isUp(run, 'feed.a');
  isLeaving(run, 'feed.a');
  return run;
};

test('a proved successor that is lost while both overlap has to be proved again', () => {
  const run = rotating();
  isUp(run, 'feed.b');
  isDown(run, 'feed.b');
  expect(at(run, { up: { rotating: 'connecting' } })).toBe(true);
  run.pass(overlapMs);
  expect(run.heard.map(({ type }) => type)).toEqual(['FEED.UP', 'FEED.ALARM']);
  isUp(run, 'feed.b');
  run.pass(overlapMs);
  expect(run.heard.at(-1)).toMatchObject({ type: 'FEED.ROTATED' });
});

test('what its lost socket had been told is no notice of the next one', () => {
  const run = rotating();
  isUp(run, 'feed.b');
  isLeaving(run, 'feed.b');
  isDown(run, 'feed.b');
  isUp(run, 'feed.b');
  run.pass(overlapMs);
  ends(run, 'feed.a', { name: 'feed.a', outcome: 'closed', durationMs: 1 });
  expect(at(run, { up: 'steady' })).toBe(true);
});

test('nor is it after all connections were dropped for a fault of ours', () => {
  const run = rotating();
  fails(run, BTC, new Error('boom'));
  run.pass(1_000);
  isUp(run, 'feed.a');
  expect(at(run, { up: 'steady' })).toBe(true);
});

test('nor is it when the feed itself was lost, once or twice, before a connection came up again', () => {
  const run = begin(feedModel) as Run;
  isLeaving(run, 'feed.a');
  isDown(run, 'feed.a');
  isUp(run, 'feed.a');
  expect(at(run, { up: 'steady' })).toBe(true);
});

test('a feed that is down hears nothing from another connection than its own', () => {
  const run = begin(feedModel) as Run;
  isUp(run, 'feed.b');
  isDown(run, 'feed.b');
  expect([run.snapshot.matches({ open: 'down' } as never), run.heard]).toEqual([true, []]);
});

test('a successor that breaks is made anew after the pause, not before', () => {
  for (const gone of [
    (run: Run) => fails(run, 'feed.b', new Error('boom')),
    (run: Run) => ends(run, 'feed.b', { name: 'feed.b', outcome: 'closed', durationMs: 1 }),
  ]) {
    const run = rotating();
    gone(run);
    run.pass(999);
    expect(run.children['feed.b']).toBeUndefined();
    run.pass(1);
    expect(run.children['feed.b']).toBeDefined();
  }
});

test('what is said of a connection that is lost while its successor dials, or of a successor, is what it said', () => {
  const lost = rotating();
  isDown(lost, 'feed.a');
  expect(lost.heard.at(-1)).toEqual({
    type: 'FEED.DOWN',
    id: 'feed',
    reason: 'lost',
    retryMs: 500,
    alarming: false,
  });
  const overlapping = rotating();
  isUp(overlapping, 'feed.b');
  isDown(overlapping, 'feed.b');
  expect(overlapping.heard.at(-1)).toMatchObject({ fields: { feed: 'feed', reason: 'lost', retryMs: 500 } });
});

test('a predecessor that goes while both overlap leaves the successor in its place', () => {
  const run = rotating();
  isUp(run, 'feed.b');
  isDown(run, 'feed.a');
  isDown(run, 'feed.b');
  expect(run.heard.at(-1)).toMatchObject({ type: 'FEED.DOWN', reason: 'lost' });
});
