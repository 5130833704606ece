/** What states say of themselves: the status of a stream is read from it, and people see it on the charts. */
import { expect, test } from 'vitest';
import { StateMachine } from 'xstate';
import * as charts from '../../machines/index.ts';

interface Tagged {
  readonly path: readonly string[];
  readonly tags: readonly string[];
  readonly states: Readonly<Record<string, Tagged>>;
}

const tagged = (node: Tagged): [string, string][] => [
  ...node.tags.map((tag): [string, string] => [node.path.join('.'), tag]),
  ...Object.values(node.states).flatMap(tagged),
];

test('each chart says where it is ready, up, live, mute, repairing, rotating, and where somebody should look', () => {
  const machines = Object.values(charts).filter((it) => it instanceof StateMachine);
  const said = machines.map((machine) => [machine.id, Object.fromEntries(tagged(machine.root as never))]);
  expect(Object.fromEntries(said.filter(([, tags]) => Object.keys(tags as object).length > 0))).toEqual({
    collector: { streaming: 'ready' },
    connection: { 'attached.open.live': 'up' },
    feed: { 'open.up': 'up', 'open.up.rotating': 'rotating', 'open.mending': 'alarm' },
    klineStream: {
      'open.proof.quiet': 'live',
      'open.proof.live': 'live',
      'open.proof.elder': 'live',
      'open.proof.heir': 'live',
      'open.proof.mute': 'mute',
      'open.proof.garbled': 'mute',
      'open.series.repairing': 'repairing',
    },
    restSession: { 'open.banned': 'alarm' },
    store: { open: 'ready', 'open.reopening': 'alarm', 'open.retrying': 'alarm' },
    supervisor: { running: 'ready' },
  });
});
