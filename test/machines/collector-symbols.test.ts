import { describe, expect, test } from 'vitest';
import {
  dialing,
  down,
  PREPARED,
  type Run,
  report,
  started,
  state,
  stop,
  streaming,
  up,
} from './collector.play.ts';
import { child, ends, received, say } from './play.ts';

interface Change {
  readonly add?: readonly string[];
  readonly retire?: readonly { ids: readonly string[]; endTime: number }[];
  readonly news?: readonly { code: string; symbols: readonly string[] }[];
}
const change = (run: Run, { add = [], retire = [], news = [] }: Change): void =>
  say(run, { type: 'SYMBOLS.CHANGED', add: add.map((id) => ({ id })), retire, news });

/** What a feed was told, without its end. */
const told = (run: Run, id: string): unknown[] =>
  received(run, id).map(({ type, ...rest }) => {
    const { streams, ids } = rest as { streams?: { id: string }[]; ids?: string[] };
    return [type, ...(streams ?? []).map((stream) => stream.id), ...(ids ?? [])].join(' ');
  });
const codes = (run: Run): unknown[] => run.emitted.map((notice) => notice['code']);

describe('symbols that are listed', () => {
  test('go to the shards that have room, and no other stream is touched', () => {
    const run = streaming();
    change(run, { add: ['c', 'd'] });
    expect([told(run, 'feed-1'), told(run, 'feed-2')]).toEqual([['ADD c'], ['ADD d']]);
    expect(state(run)).toBe('streaming.full');
  });

  test('get a shard of their own when the others are full; full is only when that is up too', () => {
    const run = streaming();
    change(run, { add: ['c', 'd', 'e'] });
    expect(child(run, 'feed2')).toBeDefined();
    expect(report(run).feeds.map(({ id, streams }) => [id, streams.map((one) => one.id)])).toEqual([
      ['feed-1', ['a', 'c']],
      ['feed-2', ['b', 'd']],
      ['feed2', ['e']],
    ]);
    expect(state(run)).toBe('streaming.partial');
    up(run, 'feed2');
    expect(state(run)).toBe('streaming.full');
  });

  test('while the feeds are dialling, or all of them are down, are taken too', () => {
    for (const run of [dialing(), streaming()]) {
      down(run, 'feed-1');
      down(run, 'feed-2');
      change(run, { add: ['c', 'd', 'e'] });
      expect(told(run, 'feed-1')).toEqual(['ADD c']);
      change(run, { news: [{ code: 'SYMBOL_LISTED', symbols: ['AUSDT'] }] });
      expect(codes(run).at(-1)).toBe('SYMBOL_LISTED');
      expect(child(run, 'feed2')).toBeDefined();
      expect(run.orphans()).toEqual([]);
    }
  });

  test('by a hundred one after the other open no shard that is not needed', () => {
    const run = streaming({ streamsPerSocket: 10 });
    for (let index = 0; index < 100; index++) change(run, { add: [`n${index}`] });
    expect(report(run).feeds).toHaveLength(11);
  });

  test('are stopped with the others', () => {
    const run = streaming();
    change(run, { add: ['c', 'd', 'e'] });
    stop(run);
    expect(told(run, 'feed2')).toEqual(['CLOSE']);
    expect(run.children['watchSymbols']).toBeUndefined();
  });
});

describe('symbols that end', () => {
  test('retire where they are, and nowhere else', () => {
    const run = streaming();
    change(run, { add: ['c'] });
    change(run, {
      retire: [
        { ids: ['a', 'b'], endTime: 60_000 },
        { ids: ['c', 'nobody'], endTime: 120_000 },
      ],
    });
    expect([told(run, 'feed-1'), told(run, 'feed-2')]).toEqual([
      ['ADD c', 'RETIRE a', 'RETIRE c'],
      ['RETIRE b'],
    ]);
    expect(received(run, 'feed-1').at(-1)).toMatchObject({ endTime: 120_000 });
    expect(state(run)).toBe('streaming.full');
  });

  test('and come back, come back to their shard', () => {
    const run = streaming();
    change(run, { add: ['c', 'd'] });
    for (let times = 0; times < 5; times++) {
      change(run, { retire: [{ ids: ['a', 'c'], endTime: 60_000 }] });
      change(run, { add: ['a', 'c'] });
    }
    expect(told(run, 'feed-1').at(-1)).toBe('ADD a c');
    expect(report(run).feeds.map((feed) => feed.streams.length)).toEqual([2, 2]);
  });

  test('and had ended before the start retire as soon as they are there', () => {
    const run = started();
    ends(run, 'prepare', { ...PREPARED, retire: [{ ids: ['b'], endTime: 60_000 }] });
    say(run, { type: 'STORE.READY' });
    expect([told(run, 'feed-1'), told(run, 'feed-2')]).toEqual([[], ['RETIRE b']]);
  });
});

describe('what is told of it', () => {
  test('names the symbols, and counts where they are many', () => {
    const run = streaming();
    run.emitted.splice(0);
    const many = Array.from({ length: 700 }, (_, index) => `S${index}USDT`);
    change(run, {
      news: [
        { code: 'SYMBOL_LISTED', symbols: ['AUSDT'] },
        { code: 'SYMBOL_RETIRED', symbols: many },
        { code: 'SYMBOL_HALTED', symbols: ['BUSDT'] },
      ],
    });
    expect(run.emitted).toMatchObject([
      { type: 'NOTICE', level: 'info', code: 'SYMBOL_LISTED', fields: { count: 1, symbols: ['AUSDT'] } },
      { level: 'warn', code: 'SYMBOL_RETIRED', fields: { count: 700, symbols: { length: 20 } } },
      { level: 'warn', code: 'SYMBOL_HALTED', fields: { symbols: ['BUSDT'] } },
    ]);
  });

  test('of feeds and REST has its own words', () => {
    const run = streaming();
    run.emitted.splice(0);
    const fields = { stream: 'btcusdt@kline_1m', route: '/market' };
    say(run, { type: 'FEED.ALARM', id: 'feed-1', code: 'STREAM_MUTE', message: 'mute', fields });
    say(run, { type: 'FEED.ROTATED', id: 'feed-1', reason: 'old' });
    say(run, { type: 'REST.LIMITED', forMs: 500, reason: '429' });
    say(run, { type: 'REST.BANNED', forMs: 120_000, reason: '418' });
    say(run, { type: 'REST.FREE' });
    expect(run.emitted).toMatchObject([
      { level: 'error', code: 'STREAM_MUTE', message: 'mute', fields: { feed: 'feed-1', ...fields } },
      { level: 'info', code: 'FEED_ROTATED', fields: { feed: 'feed-1', reason: 'old' } },
      { level: 'warn', code: 'REST_LIMITED', fields: { forMs: 500, reason: '429' } },
      { level: 'error', code: 'REST_BANNED', fields: { forMs: 120_000, reason: '418' } },
      { level: 'info', code: 'REST_FREE' },
    ]);
    expect(state(run)).toBe('streaming.full');
  });
});

test('each notice has its level, and says that it is one', () => {
  const run = streaming();
  run.emitted.splice(0);
  const CODES = ['SYMBOL_LISTED', 'SYMBOL_HALTED', 'SYMBOL_RESUMED', 'SYMBOL_RETIRED', 'SYMBOLS_GONE'];
  change(run, { news: CODES.map((code) => ({ code, symbols: [] })) });
  say(run, { type: 'TIME.JUMPED', reason: 'slept' });
  expect(run.emitted.map(({ type, level, code }) => [type, level, code].join(' '))).toEqual([
    'NOTICE info SYMBOL_LISTED',
    'NOTICE warn SYMBOL_HALTED',
    'NOTICE info SYMBOL_RESUMED',
    'NOTICE warn SYMBOL_RETIRED',
    'NOTICE warn SYMBOLS_GONE',
    'NOTICE warn CLOCK_JUMPED',
  ]);
});

test('symbols that end while all feeds are down retire all the same', () => {
  const run = dialing();
  change(run, { retire: [{ ids: ['a'], endTime: 60_000 }] });
  expect(told(run, 'feed-1')).toEqual(['RETIRE a']);
});

test('a clock that jumped has every connection proved anew', () => {
  const run = streaming();
  change(run, { add: ['c', 'd', 'e'] });
  say(run, { type: 'TIME.JUMPED', reason: 'slept' });
  for (const id of ['feed-1', 'feed-2', 'feed2']) expect(told(run, id).at(-1)).toBe('PROBE');
  expect(codes(run).at(-1)).toBe('CLOCK_JUMPED');
});
