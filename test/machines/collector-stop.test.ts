import { describe, expect, test } from 'vitest';
import { fresh } from '../../machines/collector.setup.ts';
import { collectorModel } from '../model/collector.model.ts';
import type { StubSnapshot } from '../model/walk/index.ts';
import {
  begun,
  closed,
  dialing,
  feedClosed,
  outcomes,
  PREPARED,
  type Run,
  report,
  started,
  state,
  stop,
  storeClosed,
  streaming,
} from './collector.play.ts';
import { child, ends, fails, moments, received, say } from './play.ts';

/** What is left of the caller's time when the report has to be written. */
const INNER = 10_000 - 250;

/** All that hangs is asked, and then answers. */
function obey(run: Run): void {
  for (const feed of ['feed-1', 'feed-2']) ends(run, feed, feedClosed(feed));
  ends(run, 'rest', closed('rest'));
  ends(run, 'store', storeClosed);
}

describe('STOP', () => {
  test('A05 closes feeds, then REST, then the store, each when the one before has ended', () => {
    const run = streaming();
    stop(run);
    const asked = (): string[] =>
      ['feed-1', 'feed-2', 'rest', 'store'].filter((id) => {
        const known = run.children[id];
        return known !== undefined && (known.getSnapshot() as StubSnapshot).received.length > 0;
      });
    expect(asked()).toEqual(['feed-1', 'feed-2']);
    ends(run, 'feed-1', feedClosed('feed-1'));
    expect(asked()).toEqual(['feed-2']);
    ends(run, 'feed-2', feedClosed('feed-2'));
    expect(asked()).toEqual(['rest']);
    ends(run, 'rest', closed('rest'));
    expect(asked()).toEqual(['store']);
    ends(run, 'store', storeClosed);
    expect(state(run)).toBe('stopped');
    expect(outcomes(run)).toEqual(['feed-1 closed', 'feed-2 closed', 'rest closed', 'store closed']);
    expect(Object.keys(run.children)).toEqual([]);
  });

  test.each([1, 2, 3])('%i times is one stop and one report', (times) => {
    const run = streaming();
    for (let i = 0; i < times; i++) {
      stop(run, 10_000 + i);
      run.pass(10);
    }
    expect(received(run, 'feed-1')).toHaveLength(1);
    obey(run);
    stop(run);
    expect(report(run)).toMatchObject({ reason: 'asked', stopTook: 10 * times, failure: undefined });
    expect(report(run).lines).toHaveLength(4);
  });

  test('before START is a stop that takes no time', () => {
    const run = begun();
    stop(run);
    expect(state(run)).toBe('stopped');
    expect(report(run)).toMatchObject({ reason: 'asked', lines: [], stopTook: 0 });
  });

  test('while the exchange is being asked stops asking', () => {
    const run = started();
    const prepare = child(run, 'prepare');
    stop(run);
    expect(prepare.getSnapshot().status).toBe('stopped');
    expect(outcomes(run)).toEqual([]);
    ends(run, 'rest', closed('rest'));
    expect(state(run)).toBe('stopped');
  });

  test('at every reachable moment forces whoever does not answer, and none is up', () => {
    for (const { session, words } of moments(collectorModel)) {
      const run = session as never as Run;
      if (run.snapshot.value === 'stopped') continue;
      const before = outcomes(run).length;
      stop(run);
      run.pass(INNER);
      const others = outcomes(run)
        .slice(before)
        .filter((line) => !line.endsWith(' forced'));
      expect([words, others, report(run).pending, report(run).up]).toEqual([words, [], [], []]);
    }
  });
});

describe('the time a stop may take', () => {
  test.each([200, 1_000, 10_000, 60_000])('is never exceeded: %i ms', (timeoutMs) => {
    const run = streaming();
    stop(run, timeoutMs);
    const since = run.clock.now();
    while (state(run) !== 'stopped') run.pass(1);
    expect(run.clock.now() - since).toBeLessThanOrEqual(timeoutMs);
    expect(report(run).stopTook).toBe(run.clock.now() - since);
    expect(outcomes(run)).toEqual(['feed-1 forced', 'feed-2 forced', 'rest forced', 'store forced']);
  });

  test('goes to the feeds by two fifths, to REST by one, and what is left to the store', () => {
    const run = streaming();
    stop(run);
    expect(received(run, 'feed-1')).toEqual([{ type: 'CLOSE', withinMs: INNER * 0.36 }]);
    run.pass(INNER * 0.4);
    expect(state(run)).toBe('stopping.rest');
    expect(received(run, 'rest')).toEqual([{ type: 'CLOSE', withinMs: INNER * 0.18 }]);
    run.pass(INNER * 0.2);
    expect(state(run)).toBe('stopping.store');
    expect(received(run, 'store')).toEqual([{ type: 'CLOSE', withinMs: INNER * 0.4 * 0.9 }]);
    run.pass(INNER * 0.4);
    expect(state(run)).toBe('stopped');
  });

  test('that the feeds did not need is left to the store', () => {
    const run = streaming();
    stop(run);
    for (const id of ['feed-1', 'feed-2']) ends(run, id, feedClosed(id));
    ends(run, 'rest', closed('rest'));
    expect(received(run, 'store')).toEqual([{ type: 'CLOSE', withinMs: INNER * 0.9 }]);
  });

  test('is the option’s where STOP brings none', () => {
    const run = streaming({ stopTimeoutMs: 2_000 });
    stop(run);
    run.pass(1_900);
    expect(state(run)).toBe('stopped');
  });
});

describe('the report', () => {
  test('counts the rows of a store that had to be forced', () => {
    const run = streaming();
    stop(run);
    run.pass(INNER);
    expect(report(run).unwritten).toBe(2);
  });

  test('counts no row for what is no store, whether it failed or had to be forced', () => {
    const failing = streaming();
    fails(failing, 'rest', new Error('boom'));
    expect(report(failing).unwritten).toBe(0);
    fails(failing, 'feed-1', new Error('boom'));
    failing.pass(INNER * 0.4);
    ends(failing, 'store', storeClosed);
    expect([state(failing), report(failing).unwritten]).toEqual(['stopped', 0]);
    expect(outcomes(failing)).toEqual(['rest failed', 'feed-1 failed', 'feed-2 forced', 'store closed']);
  });

  test('counts the rows of a store that failed, and what one that closed says', () => {
    const failing = streaming();
    fails(failing, 'store', new Error('boom'));
    const saying = streaming();
    stop(saying);
    ends(saying, 'store', { ...storeClosed, unwritten: 5 });
    expect([failing, saying].map((run) => report(run).unwritten)).toEqual([2, 5]);
  });

  test('names what failed while it was being stopped, without calling that the reason', () => {
    const run = streaming();
    stop(run);
    run.pass(30);
    fails(run, 'rest', new Error('boom'));
    expect(report(run).lines).toEqual([{ name: 'rest', outcome: 'failed', durationMs: 30, error: 'boom' }]);
    expect(report(run)).toMatchObject({ reason: 'asked', failure: undefined });
  });

  test('contains what each part of a feed had to say', () => {
    const run = streaming();
    stop(run);
    const lines = [closed('feed-1'), { name: 'socket', outcome: 'forced', durationMs: 9 }];
    ends(run, 'feed-1', { name: 'feed-1', lines });
    expect(report(run).lines).toEqual(lines);
  });
});

test('a stop knows when its caller wants the report, by its own time or by the usual', () => {
  for (const [timeoutMs, withinMs] of [
    [undefined, 10_000],
    [700, 700],
  ] as const) {
    const run = streaming();
    run.pass(50);
    stop(run, timeoutMs);
    expect(report(run).stopBy).toBe(run.clock.now() + withinMs);
  }
});

test('a stop of what has lived for a while takes its own time, and the store has what is left of it', () => {
  const run = streaming();
  run.pass(1_000_000);
  stop(run);
  run.pass(INNER * 0.1);
  for (const feed of ['feed-1', 'feed-2']) ends(run, feed, feedClosed(feed));
  ends(run, 'rest', { ...closed('rest'), error: 'late' });
  expect(received(run, 'store')).toEqual([{ type: 'CLOSE', withinMs: expect.closeTo(INNER * 0.9 * 0.9) }]);
  ends(run, 'store', storeClosed);
  expect(report(run)).toMatchObject({ stopTook: INNER * 0.1, unwritten: 0 });
  expect(report(run).lines).toEqual([
    closed('feed-1'),
    closed('feed-2'),
    { ...closed('rest'), error: 'late' },
    closed('store'),
  ]);
});

test('a store that breaks while it is stopped leaves its rows unwritten', () => {
  const run = streaming();
  stop(run);
  fails(run, 'store', new Error('boom'));
  expect(report(run).unwritten).toBe(2);
});

describe('START after a stop', () => {
  test('begins with a fresh report and fresh components', () => {
    const run = streaming();
    fails(run, 'rest', new Error('boom'));
    run.pass(INNER);
    expect(report(run).failure).toBeDefined();
    say(run, { type: 'START' });
    expect(state(run)).toBe('connecting.first.preparing');
    expect(report(run)).toMatchObject({ ...fresh, pending: ['rest'] });
  });

  test('leads to the same life again', () => {
    const lives = [1, 2, 3];
    const run = begun();
    for (const _ of lives) {
      say(run, { type: 'START' });
      ends(run, 'prepare', PREPARED);
      say(run, { type: 'STORE.READY' });
      for (const id of ['feed-1', 'feed-2']) say(run, { type: 'FEED.UP', id, proof: 'frame' });
      expect(state(run)).toBe('streaming.full');
      stop(run);
      obey(run);
      expect(state(run)).toBe('stopped');
      expect(report(run).lines).toHaveLength(4);
      expect(run.survivors()).toEqual([]);
    }
  });
});

test('a stop of a collector that dials closes what dials', () => {
  const run = dialing();
  stop(run);
  obey(run);
  expect(outcomes(run)).toEqual(['feed-1 closed', 'feed-2 closed', 'rest closed', 'store closed']);
});
