/** The verdict on a figure can fail, and does not fail for what is no leak. */
import { expect, test } from 'vitest';
import { seeded } from '../support/seeded.ts';
import { FIGURE_IDS, FIGURES, type Figure } from './figures.ts';
import { type Point, verdictOf, warmUpMs } from './slope.ts';

const LENGTH_MS = 600_000;
const SINCE_MS = warmUpMs(LENGTH_MS);

/** A reading each two seconds; `value` of the hours that have passed, and of noise in [-1, 1). */
function measured(value: (hours: number, noise: number) => number, lengthMs = LENGTH_MS): Point[] {
  const random = seeded(11);
  return Array.from({ length: lengthMs / 2_000 }, (_, index) => {
    const atMs = index * 2_000;
    return { atMs, value: value(atMs / 3_600_000, 2 * random() - 1) };
  });
}
const outcome = (figure: Figure, points: Point[]): string => verdictOf(figure, points, SINCE_MS).outcome;

test.each(FIGURE_IDS.filter((id) => FIGURES[id].perHour !== undefined))('a leak of %s turns it red', (id) => {
  const figure: Figure = FIGURES[id];
  // In the seven and a half minutes behind the warm-up twice what is allowed.
  const leak = 2 * figure.perHour! + 16 * figure.once;
  expect(
    outcome(
      figure,
      measured((hours, noise) => 30 + leak * hours + 0.5 * figure.once * noise),
    ),
  ).toBe('grows');
});

test('a descriptor left behind by each second reconnect is found in ten minutes', () => {
  const points = measured((hours, noise) => 35 + Math.floor(50 * hours) + Math.round(3 * Math.abs(noise)));
  expect(outcome(FIGURES.descriptors, points)).toBe('grows');
});

test.each<[string, (hours: number, noise: number) => number]>([
  ['noise', (_, noise) => 40 + 3 * noise],
  ['what fills in the warm-up and is then full', (hours) => 40 - 20 * Math.exp(-hours * 300)],
  ['spikes of single faults, more of them at the end', (hours, noise) => 40 + (noise > 0.9 - hours ? 60 : 0)],
  ['what comes and goes', (hours) => 40 + 2 * Math.sin(hours * 150)],
  ['what shrinks', (hours) => 40 - 30 * hours],
])('%s is no leak of memory', (_, value) => {
  expect(outcome(FIGURES.heap, measured(value))).toBe('flat');
});

test('what is above its bound, was not measured, or too short, is said to be so', () => {
  expect(
    outcome(
      FIGURES.heap,
      measured((hours) => (hours > 0.1 && hours < 0.102 ? 1_000 : 40)),
    ),
  ).toBe('too much');
  expect(outcome(FIGURES.heap, [])).toBe('not measured');
  const short = measured((hours) => 40 + 100 * hours, 90_000);
  expect(verdictOf(FIGURES.heap, short, warmUpMs(90_000)).outcome).toBe('too short');
});
