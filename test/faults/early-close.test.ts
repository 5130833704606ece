/** A frame that calls a bar closed before it has ended. */
import { test } from 'vitest';
import { until } from '../support/wait.ts';
import { streaming } from './scene.ts';

test('D01 a close that comes before the end of its bar is none: what is stored is the bar at its end', async () => {
  const set = await streaming({ exchange: { timeScale: 120 } });
  set.exchange.inject({ kind: 'closes', mode: 'early', delayMs: 10_000 });
  // On a busy machine some are read so late that their bar has ended by then.
  await until('four of them', () => set.collector.status().counters.insane >= 4);
  set.exchange.clearFaults();
  await set.expectKept(4);
});
