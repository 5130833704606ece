import { describe, expect, test } from 'vitest';
import { flatten, type Line, termsOf } from '../../src/inspector/page/tree/flatten.ts';
import { Forest } from '../../src/inspector/page/tree/forest.ts';
import { act } from '../../src/inspector/page/tree/tree-keys.ts';
import type { ActorRow, Picture, StateValue, Strip } from '../../src/inspector/protocol.ts';

const LIVE: StateValue = { open: { proof: 'live', series: 'whole' } };
const MUTE: StateValue = { open: { proof: { mute: 'waiting' }, series: 'whole' } };

const row = (id: string, parent: string | undefined, more: Partial<ActorRow> = {}): ActorRow => ({
  id,
  name: id,
  status: 'active',
  steps: 0,
  ...(parent === undefined ? {} : { parent }),
  ...more,
});
const stream = (series: string, value: StateValue, feed = 'feed0'): ActorRow =>
  row(`stream.${series}`, feed, { machine: 'klineStream', series, value });

const ROOT = row('collector', undefined, { machine: 'collector', value: { streaming: 'full' } });
const FEED = row('feed0', 'collector', { machine: 'feed', value: { open: { up: 'steady' } } });
const CONNECTION = row('feed0.a', 'feed0', { machine: 'connection', value: { waiting: 'resting' } });

const picture = (...actors: ActorRow[]): Picture => ({
  type: 'picture',
  at: 0,
  version: '',
  actors,
  recent: [],
  strip: {} as Strip,
});

function forestOf(...actors: ActorRow[]): Forest {
  const forest = new Forest();
  forest.apply(picture(...actors), 0);
  return forest;
}

const shown = (
  forest: Forest,
  { query = '', states = [] as string[], told = new Map<string, boolean>() } = {},
): string[] =>
  flatten(forest.roots, told, { terms: termsOf(query), states: new Set(states) }).map(
    ({ entry, level, open, onTheWay }) =>
      `${'  '.repeat(level - 1)}${entry.row.name}${open === false ? ' +' : ''}${onTheWay ? ' …' : ''}`,
  );

const STREAMS = [stream('BTCUSDT@1m', LIVE), stream('ETHUSDT@1m', MUTE), stream('ETHUSDT@15m', LIVE)];
const SMALL = [ROOT, FEED, CONNECTION, ...STREAMS];

describe('the tree of actors', () => {
  test('shows charts before series, series before helpers, the ended last, and numbers by their value', () => {
    const forest = forestOf(
      row('keepTime', 'collector'),
      stream('ETHUSDT@15m', LIVE, 'collector'),
      stream('ETHUSDT@1m', LIVE, 'collector'),
      row('feed10', 'collector', { machine: 'feed' }),
      row('feed9', 'collector', { machine: 'feed' }),
      row('feed1', 'collector', { machine: 'feed', status: 'done' }),
      ROOT,
    );
    expect(shown(forest)).toEqual([
      'collector',
      '  feed9',
      '  feed10',
      '  stream.ETHUSDT@1m',
      '  stream.ETHUSDT@15m',
      '  keepTime',
      '  feed1',
    ]);
  });

  test('a month is not a minute, and case is nothing else', () => {
    const forest = forestOf(
      ROOT,
      ...['BTCUSDT@1m', 'BTCUSDT@1M', '币安人生USDT@15m'].map((key) => stream(key, LIVE)),
    );
    const hits = (query: string): string[] =>
      shown(forest, { query }).filter((line) => line.includes('stream'));
    for (const query of ['btcusdt@1m', 'BTCUSDT@1m']) expect(hits(query)).toEqual(['stream.BTCUSDT@1m']);
    for (const query of ['btcusdt@1M', 'btc 1M']) expect(hits(query)).toEqual(['stream.BTCUSDT@1M']);
    expect(hits('人生')).toEqual(['stream.币安人生USDT@15m']);
  });

  test('an actor with many below it is closed until somebody opens it', () => {
    const many = Array.from({ length: 200 }, (_, i) => stream(`COIN${i}USDT@1m`, LIVE));
    const forest = forestOf(ROOT, FEED, ...many);
    expect(shown(forest)).toEqual(['collector', '  feed0 +']);
    expect(shown(forest, { told: new Map([['feed0', true]]) })).toHaveLength(202);
    expect(shown(forest, { told: new Map([['collector', false]]) })).toEqual(['collector +']);
  });

  test('an actor knows how many live below it, and how many of them are in trouble or being mended', () => {
    const forest = forestOf(...SMALL);
    const root = () => {
      const { below, warnings, troubles } = forest.get('collector') ?? {};
      return [below, warnings, troubles];
    };
    expect(root()).toEqual([5, 1, 1]);
    forest.apply({ type: 'news', at: 1, actors: [stream('BTCUSDT@1m', MUTE)] }, 1);
    expect(root()).toEqual([5, 1, 2]);
    forest.apply({ type: 'news', at: 2, actors: [{ ...CONNECTION, status: 'done' }] }, 2);
    expect(root()).toEqual([4, 0, 2]);
    forest.apply({ type: 'news', at: 3, gone: ['stream.ETHUSDT@1m', 'feed0.a'] }, 3);
    expect(root()).toEqual([3, 0, 1]);
    expect(forest.size).toBe(4);
  });

  test('counts by differences are what counting anew would give, in whatever order actors come and go', () => {
    const forest = forestOf();
    const news = [...SMALL].reverse().map((actor) => ({ type: 'news' as const, at: 0, actors: [actor] }));
    for (const message of news) forest.apply(message, 0);
    const anew = forestOf(...SMALL);
    expect(shown(forest)).toEqual(shown(anew));
    const figures = (of: Forest) =>
      SMALL.map(({ id }) => [of.get(id)?.below, of.get(id)?.warnings, of.get(id)?.troubles]);
    expect(figures(forest)).toEqual(figures(anew));
    expect([...forest.counts.byMachine()]).toEqual([...anew.counts.byMachine()]);
  });

  test('a whole picture replaces all that was known', () => {
    const forest = forestOf(...SMALL);
    forest.apply(picture(ROOT), 1);
    expect(shown(forest)).toEqual(['collector']);
    expect([...forest.counts.byMachine().keys()]).toEqual(['collector']);
  });

  test('only a transition is news of an actor; a picture is none', () => {
    const forest = forestOf(ROOT, FEED);
    expect(forest.get('feed0')?.changedAt).toBe(Number.NEGATIVE_INFINITY);
    forest.apply({ type: 'news', at: 0, actors: [{ ...FEED }, { ...ROOT, steps: 1 }] }, 5);
    expect(forest.get('feed0')?.changedAt).toBe(Number.NEGATIVE_INFINITY);
    expect(forest.get('collector')?.changedAt).toBe(5);
  });

  test('a path of names finds its actor, and of two of one name the one that lives', () => {
    const forest = forestOf(
      ROOT,
      row('1', 'collector', { name: 'feed0', status: 'error' }),
      row('2', 'collector', { name: 'feed0' }),
    );
    expect(forest.path('2')).toEqual(['collector', 'feed0']);
    expect(forest.find(['collector', 'feed0'])?.row.id).toBe('2');
    expect(forest.find(['collector', 'feed1'])).toBeUndefined();
  });
});

describe('the filter', () => {
  test.each<[query: string, lines: string[]]>([
    ['eth', ['collector …', '  feed0 …', '    stream.ETHUSDT@1m', '    stream.ETHUSDT@15m']],
    ['KLINESTREAM mute', ['collector …', '  feed0 …', '    stream.ETHUSDT@1m']],
    ['btcusdt@1m', ['collector …', '  feed0 …', '    stream.BTCUSDT@1m']],
    ['up.steady', ['collector …', '  feed0']],
    ['nobody', []],
  ])('%s', (query, lines) => {
    expect(shown(forestOf(...SMALL), { query })).toEqual(lines);
  });

  test('by state takes any of those chosen, of their machine alone, and what is found opens the way to it', () => {
    const forest = forestOf(...SMALL);
    const states = ['connection|waiting.resting', 'klineStream|open(proof.mute.waiting ∥ series.whole)'];
    const told = new Map([['feed0', false]]);
    expect(shown(forest, { states, told })).toEqual([
      'collector …',
      '  feed0 …',
      '    feed0.a',
      '    stream.ETHUSDT@1m',
    ]);
    expect(shown(forest, { states: ['feed|waiting.resting'] })).toEqual([]);
  });

  test('offers the states of each machine with how many are in them', () => {
    const forest = forestOf(...SMALL);
    const counts = () =>
      forest.counts
        .byMachine()
        .get('klineStream')
        ?.map(({ brief, meaning, count }) => [brief, meaning, count]);
    expect(counts()).toEqual([
      ['live ∥ whole', 'good', 2],
      ['mute.waiting ∥ whole', 'bad', 1],
    ]);
    forest.apply({ type: 'news', at: 1, actors: [stream('ETHUSDT@1m', LIVE)] }, 1);
    expect(counts()?.map(([, , count]) => count)).toEqual([3, 0]);
  });
});

describe('the keyboard in the tree', () => {
  const lines = (told?: Map<string, boolean>): Line[] =>
    flatten(forestOf(...SMALL).roots, told ?? new Map(), { terms: [], states: new Set() });
  const does = (key: string, from: number, told?: Map<string, boolean>) => act(key, lines(told), from, 3);

  test('moves by a line, a page, to the ends, and not beyond', () => {
    const at = (key: string, from: number) => {
      const action = does(key, from);
      return action?.do === 'go' ? action.index : undefined;
    };
    expect([at('ArrowDown', -1), at('ArrowDown', 0), at('ArrowDown', 5), at('ArrowUp', 0)]).toEqual([
      0, 1, 5, 0,
    ]);
    expect([at('PageDown', 1), at('PageUp', 4), at('Home', 4), at('End', 1)]).toEqual([4, 1, 0, 5]);
    expect(at('x', 1)).toBeUndefined();
  });

  test('opens and closes with right and left, and goes on from there', () => {
    const closed = new Map([['feed0', false]]);
    expect(does('ArrowRight', 1, closed)).toEqual({ do: 'open', id: 'feed0', isOpen: true });
    expect(does('ArrowRight', 1)).toEqual({ do: 'go', id: 'feed0.a', index: 2 });
    expect(does('ArrowLeft', 1)).toEqual({ do: 'open', id: 'feed0', isOpen: false });
    expect(does('ArrowLeft', 4)).toEqual({ do: 'go', id: 'feed0', index: 1 });
    expect(does('Enter', 4)).toEqual({ do: 'select', id: lines()[4]?.entry.row.id });
  });
});
