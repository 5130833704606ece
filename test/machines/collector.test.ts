import { describe, expect, test } from 'vitest';
import {
  begun,
  closed,
  dialing,
  down,
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
  up,
} from './collector.play.ts';
import { child, ends, fails, say } from './play.ts';

describe('START', () => {
  test('asks the exchange, opens the store, dials, streams with the first feed that is up', () => {
    const run = begun();
    const seen = [state(run)];
    say(run, { type: 'START' });
    seen.push(state(run));
    ends(run, 'prepare', PREPARED);
    seen.push(state(run));
    say(run, { type: 'STORE.READY' });
    seen.push(state(run));
    up(run, 'feed-2');
    seen.push(state(run));
    up(run, 'feed-1');
    seen.push(state(run));
    expect(seen).toEqual([
      'initialized',
      'connecting.first.preparing',
      'connecting.first.opening',
      'connecting.first.dialing',
      'streaming.partial',
      'streaming.full',
    ]);
  });

  test('twice is starting once', () => {
    const run = started();
    const rest = child(run, 'rest');
    say(run, { type: 'START' });
    expect(child(run, 'rest')).toBe(rest);
    expect(run.orphans()).toEqual([]);
  });

  test('asks the exchange again after a pause when asking again may help', () => {
    const run = started({ connectTimeoutMs: undefined });
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      fails(run, 'prepare', Object.assign(new Error('503'), { retryable: true }));
      run.pass(pauseMs - 1);
      expect(run.children['prepare']).toBeUndefined();
      run.pass(1);
    }
    expect(child(run, 'prepare')).toBeDefined();
    expect(run.emitted).toEqual(
      Array(6).fill(expect.objectContaining({ level: 'warn', code: 'PREPARE_FAILED' })),
    );
  });

  test('is left alone for as long as it asks', () => {
    const run = started({ connectTimeoutMs: undefined });
    fails(run, 'prepare', Object.assign(new Error('418'), { retryable: true, retryAfterMs: 120_000 }));
    run.pass(119_999);
    expect(run.children['prepare']).toBeUndefined();
    run.pass(1);
    expect(child(run, 'prepare')).toBeDefined();
  });

  test('ends with the reason when it may not', () => {
    const run = started();
    const cause = new Error('no such symbol');
    fails(run, 'prepare', cause);
    run.pass(10_000);
    expect(state(run)).toBe('stopped');
    expect(report(run)).toMatchObject({
      reason: 'refused at start',
      failure: { kind: 'prepare', message: 'no such symbol', cause },
    });
  });
});

describe('the connect time-out', () => {
  test.each([
    ['the exchange', started],
    ['the feeds', dialing],
  ])('stops a collector that waits for %s, naming the last trouble', (_, begin) => {
    const run = begin();
    if (begin === dialing) down(run, 'feed-1');
    run.pass(4_999);
    expect(state(run)).toMatch(/^connecting\.first/);
    run.pass(1);
    expect(state(run)).toMatch(/^stopping/);
    expect(report(run)).toMatchObject({
      reason: 'connect timeout',
      failure: { kind: 'connect-timeout', cause: begin === dialing ? 'feed-1 lost' : '' },
    });
  });

  test.each([
    ['the exchange limits', (run: Run) => say(run, { type: 'REST.LIMITED', forMs: 9, reason: '429' }), '429'],
    ['the exchange bans', (run: Run) => say(run, { type: 'REST.BANNED', forMs: 9, reason: '418' }), '418'],
    [
      'the exchange fails',
      (run: Run) => fails(run, 'prepare', Object.assign(new Error('503'), { retryable: true })),
      '503',
    ],
  ])('names the last trouble also when %s', (_, trouble, cause) => {
    const run = started();
    trouble(run);
    run.pass(5_000);
    expect(report(run)).toMatchObject({
      failure: { message: 'no proved connection within 5000 ms', cause },
    });
  });

  test('does not exist unless it is set', () => {
    const run = dialing({ connectTimeoutMs: undefined });
    run.pass(1e9);
    expect(state(run)).toBe('connecting.first.dialing');
  });

  test('counts from START, whatever happens in between', () => {
    const run = started();
    run.pass(2_000);
    fails(run, 'prepare', Object.assign(new Error('418'), { retryable: true }));
    run.pass(1_000);
    ends(run, 'prepare', { ...PREPARED, feeds: PREPARED.feeds.slice(0, 1) });
    say(run, { type: 'STORE.READY' });
    run.pass(2_000);
    expect(state(run)).toMatch(/^stopping/);
  });

  test('is over with the first feed that is up, for good', () => {
    const run = streaming();
    down(run, 'feed-1');
    down(run, 'feed-2');
    run.pass(1e9);
    expect(state(run)).toBe('connecting.polling');
  });

  test('is there again after the next START', () => {
    const run = streaming();
    stop(run);
    run.pass(10_000);
    say(run, { type: 'START' });
    run.pass(5_000);
    expect(report(run).failure).toMatchObject({ kind: 'connect-timeout' });
  });
});

describe('streaming', () => {
  test('is full while every feed is up, partial while some are, and closes bars by REST without any', () => {
    const run = streaming();
    const seen = [state(run)];
    for (const [what, id] of [
      [down, 'feed-1'],
      [down, 'feed-2'],
      [down, 'feed-2'],
      [up, 'feed-1'],
      [up, 'feed-1'],
      [up, 'feed-2'],
    ] as const) {
      what(run, id);
      seen.push(state(run));
    }
    expect(seen).toEqual([
      'streaming.full',
      'streaming.partial',
      'connecting.polling',
      'connecting.polling',
      'streaming.partial',
      'streaming.partial',
      'streaming.full',
    ]);
  });

  test('tells who listens what happens to feeds and store', () => {
    const run = streaming();
    down(run, 'feed-1');
    down(run, 'feed-2', true);
    say(run, { type: 'STORE.TROUBLE', reason: 'busy', retryMs: 500 });
    const told = run.emitted.map((notice) => `${notice['level']} ${notice['code']}`);
    expect(told).toEqual([
      'info FEED_UP',
      'info FEED_UP',
      'warn FEED_DOWN',
      'error FEED_DOWN',
      'error STORE_TROUBLE',
    ]);
  });
});

describe('a component that fails while nobody stops it', () => {
  test.each(['store', 'rest', 'feed-1', 'keepTime', 'watchBars', 'watchSymbols', 'auditBars', 'recheckGaps'])(
    'A01 stops the collector, and the failure is kept: %s',
    (id) => {
      const run = streaming();
      const cause = new Error('boom');
      fails(run, id, cause);
      fails(run, 'feed-2', new Error('another'));
      run.pass(10_000);
      expect(state(run)).toBe('stopped');
      expect(report(run)).toMatchObject({
        reason: `${id} failed`,
        failure: { kind: 'component', message: `${id} failed: boom`, cause },
      });
      expect(outcomes(run).filter((line) => line.startsWith(`${id} `))).toEqual([`${id} failed`]);
    },
  );

  test.each([
    ['store', storeClosed],
    ['rest', closed('rest')],
    ['feed-1', feedClosed('feed-1')],
  ])('or that merely ends does the same: %s', (id, output) => {
    const run = streaming();
    ends(run, id, output);
    run.pass(10_000);
    expect(report(run).failure).toMatchObject({ kind: 'component', message: `${id} ended by itself` });
    expect(outcomes(run).filter((line) => line.startsWith(`${id} `))).toEqual([`${id} closed`]);
  });

  test('by an end is the reason of the stop', () => {
    const run = streaming();
    ends(run, 'rest', closed('rest'));
    expect(report(run).reason).toBe('rest failed');
    expect(report(run).failure?.cause).toBeUndefined();
    run.pass(10_000);
    expect(report(run).reason).toBe('rest failed');
  });

  test('gives as the cause what a store that cannot be opened says', () => {
    const run = started();
    ends(run, 'prepare', { feeds: [], retire: [] });
    const cause = new Error('no such folder');
    ends(run, 'store', { ...storeClosed, outcome: 'failed', unwritten: 3, cause });
    run.pass(10_000);
    expect(report(run)).toMatchObject({ unwritten: 3, failure: { cause } });
  });

  test.each([undefined, null, 'text', 7n, { circle: 1n }])('may throw anything: %s', (thrown) => {
    const run = streaming();
    fails(run, 'keepTime', thrown);
    expect(run.snapshot.status).toBe('active');
    expect(report(run).failure?.message).toMatch(/^keepTime failed: .+/);
  });
});
