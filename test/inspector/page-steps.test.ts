/** What of the transitions the page keeps and lists, and what of the streams' states has room in the strip. */
import { describe, expect, test } from 'vitest';
import { keptWith } from '../../src/inspector/page/steps/kept.ts';
import { isChatter, listed } from '../../src/inspector/page/steps/listed.ts';
import { fitting, ordered } from '../../src/inspector/page/strip/fitting.ts';
import type { RecentStep } from '../../src/inspector/protocol.ts';

let seq = 0;
const step = (of: Partial<RecentStep>): RecentStep => ({
  seq: seq++,
  at: 0,
  actor: '0/x:1',
  name: of.machine ?? 'feed0',
  machine: 'feed',
  event: 'CONNECTION.UP',
  value: { up: 'steady' },
  edges: ['feed.open.down|CONNECTION.UP|0'],
  ...of,
});

describe('transitions are kept', () => {
  test('four hundred of each chart, whatever the others do', () => {
    const rare = step({});
    let kept: readonly RecentStep[] = [rare];
    for (let batch = 0; batch < 20; batch++)
      kept = keptWith(
        kept,
        Array.from({ length: 100 }, () => step({ machine: 'store' })),
      );
    expect(kept).toHaveLength(401);
    expect(kept[0]).toBe(rare);
    expect(kept.at(-1)!.seq - kept[1]!.seq).toBe(399);
  });

  test('five thousand of all, however many charts there are', () => {
    const many = Array.from({ length: 9_000 }, (_, number) => step({ machine: `chart${number % 100}` }));
    const kept = keptWith([], many);
    expect(kept).toEqual(many.slice(-5_000));
  });
});

describe('of the busy ones', () => {
  const open = (state: string) => ({ open: state });
  test.each<[what: string, chatters: boolean, of: Partial<RecentStep>]>([
    ['a commit', true, { machine: 'store', event: 'xstate.done.actor.commit', value: open('empty') }],
    ['a request', true, { machine: 'restSession', event: 'REQUEST', value: open('busy') }],
    ['a call that failed', false, { machine: 'restSession', event: 'xstate.error.actor.call0' }],
    ['a ban', false, { machine: 'restSession', value: open('banned') }],
    ['what any other does', false, { machine: 'klineStream', value: open('idle') }],
    ['the way out of trouble', false, { machine: 'store', edges: ['store.open.retrying|x|0'] }],
  ])('%s is chatter: %s', (_, chatters, of) => {
    const edges = [`${of.machine}.open.busy|x|0`];
    expect(isChatter(step({ value: open('busy'), edges, ...of }))).toBe(chatters);
  });
});

describe('a list of transitions', () => {
  test('has the newest first, and the same step of many as one line', () => {
    const fall = (name: string) => step({ machine: 'klineStream', name, event: 'FEED.DOWN' });
    const [before, a, b, c, after] = [step({}), fall('a'), fall('b'), fall('a'), step({})];
    expect(listed([before, a, b, c, after])).toEqual([
      { step: after, key: after.seq, times: 1, names: ['feed0'] },
      { step: c, key: a.seq, times: 3, names: ['a', 'b'] },
      { step: before, key: before.seq, times: 1, names: ['feed0'] },
    ]);
  });

  test.each<[differs: string, of: Partial<RecentStep>]>([
    ['event', { event: 'CONNECTION.DOWN' }],
    ['reason', { reason: 'closed by the peer: 1006' }],
    ['state', { value: { up: 'rotating' } }],
    ['edge', { edges: ['feed.open.down|CONNECTION.UP|1'] }],
    ['chart', { machine: 'connection' }],
  ])('has two lines where the %s differs', (_, of) => {
    expect(listed([step({}), step({ name: 'feed0', ...of })])).toHaveLength(2);
  });
});

describe('states of streams in the strip', () => {
  const all = ordered({ awaiting: 69, quiet: 5, repairing: 6, live: 410, retired: 0, mute: 2 });

  test('begin with what lives, then the worst', () => {
    expect(all.map(({ state }) => state)).toEqual(['live', 'mute', 'repairing', 'awaiting', 'quiet']);
  });

  test('are all there where there is room, and never cut: what is left out is a sum', () => {
    expect(fitting(all, 1_000)).toEqual({ shown: all, left: 0 });
    expect(fitting(all, 220)).toEqual({ shown: all.slice(0, 3), left: 74 });
    expect(fitting(all, 10)).toEqual({ shown: all.slice(0, 1), left: 82 });
    expect(fitting([], 200)).toEqual({ shown: [], left: 0 });
  });
});
