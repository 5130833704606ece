/** That what is wrong with bars of a life at scale is found, and how late they came is reckoned as it is. */
import { expect, test } from 'vitest';
import { barsIn, distributionOf, faultsIn, latencyOf } from './judge.ts';
import { Findings } from './say.ts';

/** Three numbers for each bar: of which stream, from which minute, when. */
const sent = barsIn([0, 60_000, 10, 1, 60_000, 10, 0, 120_000, 20]);
const [first, other, second] = sent as [(typeof sent)[0], (typeof sent)[0], (typeof sent)[0]];

test.each([
  ['each once, in the order of its stream', [other, first, second], []],
  ['one that is lost', [other, first], ['1 lost']],
  ['none at all', [], ['3 lost']],
  ['one that comes twice', [first, other, second, second], ['1 twice']],
  ['two in the wrong order', [second, first, other], ['1 unordered']],
  ['one that was never sent', [...sent, { ...other, openTime: 180_000 }], ['1 foreign']],
])('%s', (_, delivered, faults) => {
  expect(faultsIn(sent, delivered)).toEqual(faults);
});

test('latencies are from sending to delivery, of those that were delivered', () => {
  expect(
    latencyOf(sent, [
      { ...first, at: 13 },
      { ...second, at: 21 },
    ]),
  ).toEqual({
    ...{ count: 2, p50: 1, p99: 3, max: 3 },
  });
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(distributionOf(hundred)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
});

test.each([
  ['at its bound', 50],
  ['of which nothing is known', latencyOf(sent, []).p99],
])('a figure %s is beyond it, and the process is to end with 1', (_, value) => {
  const { write } = process.stdout;
  const { exitCode } = process;
  const findings = new Findings();
  try {
    process.stdout.write = () => true;
    findings.below('figure', value, 50, 'ms');
    findings.end();
    expect(process.exitCode).toBe(1);
  } finally {
    process.stdout.write = write;
    process.exitCode = exitCode;
  }
});
