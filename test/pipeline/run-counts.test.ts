import { expect, test } from 'vitest';
import { RowBuffer } from '../../src/pipeline/row-buffer.ts';
import { RunCounts } from '../../src/pipeline/run-counts.ts';
import { at, bar } from './candles.ts';

/** Counters of a collector, and rows that come and are written. */
function rig() {
  const rows = new RowBuffer(1_000);
  const counters = { gaps: 0 };
  const openGaps = { size: 0 };
  const run = new RunCounts(rows, counters, openGaps);
  let index = 0;
  const come = (count: number): void => {
    for (const end = index + count; index < end; index++) rows.offer({ candle: bar(at(index)) });
  };
  return { rows, counters, openGaps, run, come };
}

test('a run counts what came and was written in it, and what the run before had left', () => {
  const { rows, run, come } = rig();
  run.begin();
  come(10);
  rows.drop(4);
  expect(run.read().rows).toEqual({ received: 10, written: 4 });
  run.begin();
  expect(run.read().rows).toEqual({ received: 6, written: 0 });
  come(3);
  rows.drop(9);
  expect(run.read().rows).toEqual({ received: 9, written: 9 });
  run.begin();
  expect(run.read().rows).toEqual({ received: 0, written: 0 });
});

test('a row that is turned away was not received', () => {
  const { run, come } = rig();
  run.begin();
  come(1_200);
  expect(run.read().rows.received).toBe(1_000);
});

test('gaps are those that were named in the run, and those of any run that are open', () => {
  const { counters, openGaps, run } = rig();
  counters.gaps = 5;
  openGaps.size = 2;
  run.begin();
  expect(run.read().gaps).toEqual({ named: 0, open: 2 });
  counters.gaps += 3;
  openGaps.size += 1;
  expect(run.read().gaps).toEqual({ named: 3, open: 3 });
});
