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
