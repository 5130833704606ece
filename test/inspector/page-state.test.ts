import { describe, expect, test } from 'vitest';
import { type Meaning, meaningOf } from '../../src/inspector/page/state/meaning.ts';
import { stateBrief, stateText } from '../../src/inspector/page/state/value.ts';
import type { StateValue } from '../../src/inspector/protocol.ts';

const LIVE: StateValue = { attached: { open: { live: { heartbeat: 'listening', data: 'flowing' } } } };
const kline = (proof: StateValue, series: StateValue): StateValue => ({ open: { proof, series } });

describe('a state in words', () => {
  test.each<[value: StateValue, text: string, brief: string]>([
    ['idle', 'idle', 'idle'],
    [{ streaming: 'full' }, 'streaming.full', 'streaming.full'],
    [{ attached: { open: 'subscribing' } }, 'attached.open.subscribing', 'open.subscribing'],
    [LIVE, 'attached.open.live(heartbeat.listening ∥ data.flowing)', 'live(listening ∥ flowing)'],
    [kline('live', 'whole'), 'open(proof.live ∥ series.whole)', 'live ∥ whole'],
    [
      kline({ mute: 'waiting' }, { repairing: 'fetching' }),
      'open(proof.mute.waiting ∥ series.repairing.fetching)',
      'mute.waiting ∥ repairing.fetching',
    ],
    [{ a: {}, b: {} }, 'a ∥ b', 'a ∥ b'],
  ])('%j is %s, in brief %s', (value, text, brief) => {
    expect([stateText(value), stateBrief(value)]).toEqual([text, brief]);
  });
});

describe('what a state means', () => {
  test.each<[machine: string, value: StateValue, meaning: Meaning]>([
    ['collector', { streaming: 'full' }, 'good'],
    ['collector', { streaming: 'partial' }, 'warn'],
    ['collector', { connecting: 'polling' }, 'warn'],
    ['connection', LIVE, 'good'],
    ['connection', { waiting: 'resting' }, 'warn'],
    ['connection', { attached: 'opening' }, 'going'],
    ['klineStream', kline('live', 'whole'), 'good'],
    ['klineStream', kline('quiet', 'whole'), 'rest'],
    ['klineStream', kline('live', { repairing: 'fetching' }), 'warn'],
    ['klineStream', kline({ mute: 'checking' }, { repairing: 'lacking' }), 'bad'],
    ['component', 'waiting', 'rest'],
    ['some chart of somebody', 'dancing', 'rest'],
  ])('%s in %j: %s', (machine, value, meaning) => {
    expect(meaningOf({ machine, value, status: 'active' })).toBe(meaning);
  });

  test('what has failed is bad, whatever it was doing; what has ended is that', () => {
    expect(meaningOf({ machine: 'feed', value: { open: 'up' }, status: 'error' })).toBe('bad');
    expect(meaningOf({ machine: 'feed', value: 'closed', status: 'done' })).toBe('ended');
    expect(meaningOf({ status: 'active' })).toBe('rest');
  });
});
