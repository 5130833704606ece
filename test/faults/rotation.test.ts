/** The exchange ends every socket at 24 h: it is replaced before that, make before break. */
import { expect, test } from 'vitest';
import { QUICK } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { scene } from './scene.ts';

/** In place of 24 hours. */
const ROTATION = { rotateMs: 700, rotateSpreadMs: 100, overlapMs: 300 };

test('C10 a socket is replaced before its time is over: the next one speaks before the old one ends', async () => {
  const set = await scene({ collector: { timing: { ...QUICK, ...ROTATION } } });
  await set.collector.startStreaming();
  await until('three rotations', () => set.proxy.dialled() >= 4, 15_000);
  await until(
    'the third old one is gone',
    () => set.wire.events.filter(({ kind }) => kind === 'ended').length >= 3,
  );
  const { events } = set.wire;
  for (const { link, wallMs } of events.filter(({ kind }) => kind === 'ended').slice(0, 3)) {
    const spoke = events.some((one) => one.kind === 'frame' && one.link === link + 1 && one.wallMs < wallMs);
    expect(spoke, `socket ${link + 1} spoke before socket ${link} ended`).toBe(true);
  }
  expect(set.course()).toBe('connecting streaming');
  await set.expectKept(4);
  // Nothing was doubtful for a moment.
  const { samples } = set.observed.evidence();
  const since = samples.findIndex((sample) => sample.isConnected);
  const stopping = samples.findIndex((sample) => sample.state === 'stopping' || sample.state === 'stopped');
  expect(samples.slice(since, stopping).every((sample) => sample.isConnected)).toBe(true);
  expect(set.collector.status().counters.closedByRest).toBe(0);
});
