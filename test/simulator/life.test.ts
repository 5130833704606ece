import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generatedSource } from '../../src/simulator/generator.ts';
import { type LifeAction, LivingSource } from '../../src/simulator/life.ts';
import { emptyUnits } from '../../src/simulator/units.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 1, 3, 12);
const SPAN = 40;

type Step = { readonly at: number } & (
  | { readonly action: LifeAction }
  | { readonly outage: readonly [from: number, minutes: number] }
);
const action = fc.constantFrom<LifeAction>('list', 'halt', 'resume', 'settle', 'delist');
const at = fc.oneof(
  fc.integer({ min: 0, max: SPAN * MINUTE - 1 }),
  fc.integer({ min: 0, max: SPAN - 1 }).map((minute) => minute * MINUTE),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ at, action }),
  fc.record({ at, outage: fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 5 })) }),
);

/** Lives through the steps, and says of each minute whether the symbol may trade at its start. */
function live(source: LivingSource, listed: boolean, steps: readonly Step[]): boolean[] {
  const down = new Set<number>();
  const trades = new Map<number, boolean>();
  let isTrading = listed;
  let minute = 0;
  const reach = (time: number): void => {
    for (; minute * MINUTE < time; minute++) trades.set(minute, isTrading);
  };
  for (const it of steps.toSorted((a, b) => a.at - b.at)) {
    reach(it.at);
    if ('outage' in it) {
      const first = Math.floor(it.at / MINUTE) + it.outage[0];
      for (let i = 0; i < it.outage[1]; i++) down.add(first + i);
      source.drop(noon + first * MINUTE, noon + (first + it.outage[1]) * MINUTE - 1);
      continue;
    }
    if (!source.live(it.action, noon + it.at)) continue;
    isTrading = it.action === 'list' || it.action === 'resume';
    // The minute in which a symbol is listed is its first one; it trades again from the next one on.
    if (it.action === 'list') trades.set(Math.floor(it.at / MINUTE), true);
    if (it.action === 'resume' && it.at % MINUTE === 0) trades.set(minute++, false);
  }
  reach(SPAN * MINUTE);
  return Array.from({ length: SPAN }, (_, i) => trades.get(i) === true && !down.has(i));
}

describe('a symbol with a life', () => {
  test('has exactly the minutes in which it could trade, whoever asks', () => {
    const lives = fc.tuple(fc.boolean(), fc.array(step, { maxLength: 8 }));
    fc.assert(
      fc.property(lives, ([listed, steps]) => {
        const inner = generatedSource(1, 'BTCUSDT');
        const source = new LivingSource(inner, listed);
        const expected = live(source, listed, steps);
        const out = emptyUnits();
        const exists = expected.map((_, i) => source.read(noon + i * MINUTE, out));
        expect(exists).toEqual(expected);
        for (let i = 0; i < SPAN; i++) {
          const open = noon + i * MINUTE;
          const next = expected.indexOf(true, i);
          if (next !== -1) expect(source.nextOpen(open)).toBe(noon + next * MINUTE);
          else expect(source.nextOpen(open)).toBeGreaterThanOrEqual(noon + SPAN * MINUTE);
          const last = expected.lastIndexOf(true, i);
          if (last !== -1) expect(source.previousOpen(open)).toBe(noon + last * MINUTE);
          else expect(source.previousOpen(open)).toBeLessThan(noon);
          const trade = source.tradeBetween(open, open + MINUTE);
          if (!expected[i]) expect(trade).toBe(Infinity);
          else expect(trade === Infinity).toBe(source.read(open, out) && out.count === 0);
          source.readForming(open, open + MINUTE, out);
          const formed = { ...out };
          if (source.read(open, out)) expect(formed).toEqual({ ...out });
        }
      }),
      { numRuns: 300 },
    );
  });
});
