/** Two signals during a commit: forced out in no time, with a whole store and a whole log. */
import { describe, expect, test } from 'vitest';
import { folder } from '../support/collector.ts';
import { runRounds } from './commit-rounds.ts';
import { collectLogComplaints, numberedLogComplaints } from './log-facts.ts';

test('two signals during a commit end both programs with 1 in under a second, nothing broken, nothing lost', async () => {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const { tookMs, complaints } = await runRounds({ rounds: 2, seed: 7, folder: folder(), say });
  expect(complaints, said.join('\n')).toEqual([]);
  expect(tookMs).toHaveLength(2);
}, 60_000);

describe('what is asked of a log', () => {
  const forced = '12:00:00.000 error Forced exit requested\n';

  test('every number up to the last, in order, whole lines, the forced exit and its stack at the end', () => {
    expect(numberedLogComplaints(`info line 1\ninfo line 2\n${forced}`, 2)).toEqual([]);
    expect(numberedLogComplaints(`info line 1\n${forced}Error: here\n    at run (x.ts:1:2)\n`, 1)).toEqual(
      [],
    );
  });

  test.each([
    ['a line that is missing in the middle', `info line 1\ninfo line 3\n${forced}`, 3],
    ['lines that are missing at the end', `info line 1\n${forced}`, 2],
    ['a forced exit that is missing', 'info line 1\ninfo line 2\n', 2],
    ['a line behind the forced exit', `info line 1\n${forced}info line 2\n`, 2],
    ['a last line that is cut off', 'info line 1\nForced exit requ', 1],
    ['a last line without its end', 'info line 1\nForced exit requested', 1],
  ])('%s is found', (_, log, told) => {
    expect(numberedLogComplaints(log, told)).not.toEqual([]);
  });

  test('a candle that was written and not logged is found', () => {
    const candle = { type: 'candle', symbol: 'BTCUSDT', interval: '1m', openTime: 60_000 };
    const written = `${JSON.stringify(candle)}\n`;
    const logged = 'info closed BTCUSDT 1m 1970-01-01T00:01:00.000Z O 1\n';
    expect(collectLogComplaints(logged + forced, written)).toEqual([]);
    expect(collectLogComplaints(forced, written)).not.toEqual([]);
  });
});
