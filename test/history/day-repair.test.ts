import { expect, test } from 'vitest';
import { blockOf } from '../../machines/model/block.ts';
import { checkBlock } from '../../machines/model/block-check.ts';
import { ExchangeError } from '../../src/errors.ts';
import { mend } from '../../src/history/day-repair.ts';
import { RestPages } from '../../src/history/rest/rest-pages.ts';
import { fakeRest } from '../actors/harness.ts';
import { bar } from '../pipeline/candles.ts';
import { BTC, DAY, MINUTE, time } from './rig.ts';

const HERE = time('2026-02-03');
/** A busy day of minutes with a bar without trades. */
const day = (nth: number) => {
  const [from, to] = [HERE + nth * DAY, HERE + (nth + 1) * DAY];
  const candles = Array.from({ length: 1_440 }, (_, at) =>
    bar(from + at * MINUTE, 'vision', BTC, at === 7 ? { count: 0, volume: 0 } : { count: 100 }),
  );
  return { span: { from, to }, check: checkBlock(blockOf(BTC, 'vision', candles), { from, to }) };
};

test('days that are only in doubt do not insist on a REST that can not be reached: they stay as they are', async () => {
  const down = new ExchangeError('down', { code: 'HTTP_UNREACHABLE', status: 0, retryable: true });
  const { rest, asked } = fakeRest(() => {
    throw down;
  });
  const pages = new RestPages(rest, BTC);
  for (let nth = 0; nth < 10; nth++) {
    const { span, check } = day(nth);
    const { blocks, unreached } = await mend(check, span, pages);
    expect(blocks.map(({ source, rows }) => [source, rows])).toEqual([['vision', 1_440]]);
    expect(unreached).toEqual([]);
  }
  // The pages of one question alone, which are under way together.
  expect(asked.length).toBeLessThanOrEqual(3);
});
