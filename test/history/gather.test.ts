/** A range of the past, put together of what is stored and of what is loaded. */
import { expect, test } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import { gather } from '../../src/history/gather.ts';
import { bars, part, ScriptedSource, SERIES, span } from './scripted-source.ts';

const never = new AbortController().signal;
const HALF = 50_000;

test('what is stored wins, and a hundred thousand bars are put together in many turns of the loop', async () => {
  const stored = [...candlesIn(bars(0, HALF, 'stream'))];
  const source = new ScriptedSource(part(HALF - 1, 2 * HALF));
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  let turnsLoaded = 0;
  const { load } = source;
  source.load = async function* (plan, signal) {
    yield* load.call(source, plan, signal);
    setImmediate(count);
    turnsLoaded = turns;
  };
  const { candles } = await gather(
    () => source,
    { ...SERIES, ...span(0, 2 * HALF), source: 'auto' },
    stored,
    never,
  );
  isOver = true;
  expect(turns - turnsLoaded).toBeGreaterThanOrEqual(8);
  expect(candles).toHaveLength(2 * HALF);
  expect(candles.every(({ openTime }, nth) => openTime === span(nth, nth).from)).toBe(true);
  expect(candles.slice(HALF - 1, HALF + 1).map((candle) => candle.source)).toEqual(['stream', 'vision']);
});
