/** The command, stopped, missed for three bars, and killed at random moments: the store is whole in the end. Many more kills (S01) by `npm run restart`. */
import { expect, test } from 'vitest';
import { describeViolations } from '../oracle/judge.ts';
import { folder } from '../support/collector.ts';
import { runLives } from './lives.ts';

test('S01 interrupted, then killed twice, each time started again: no hole, no double, all as on the exchange', async () => {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const { violations, bars } = await runLives({ seed: 4, kills: 2, folder: folder(), say });
  expect(describeViolations(violations), said.join('\n')).toBe('');
  expect(bars).toBeGreaterThan(40);
}, 60_000);
