import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyBudget,
  ended,
  type Priority,
  sent,
  usedNow,
  type WeightBudget,
  waitFor,
} from '../../../machines/model/weight-budget.ts';

const MINUTE = 60_000;

interface World {
  limit: number;
  /** The exchange's calendar ahead of our monotonic clock, ms. */
  offset: number;
  slots: number;
  minutes: number;
  weight: number;
  priority: Priority;
  /** Uniform in [0, 1). */
  random: () => number;
  /** Longest round trip, ms. */
  latencyMs: number;
  /** Weight that others on the address use in each minute, at its beginning. */
  others?: number;
}

/** An exchange that counts, and as many askers as it can bear: what it counted, minute by minute. */
function play(world: World): { used: Map<number, number>; sends: number[] } {
  const { limit, offset, random } = world;
  const used = new Map<number, number>();
  const sends: number[] = [];
  const count = (at: number, weight: number): number => {
    const minute = Math.floor((at + offset) / MINUTE);
    const before = used.get(minute) ?? world.others ?? 0;
    used.set(minute, before + weight);
    return before + weight;
  };
  let budget: WeightBudget = emptyBudget(limit);
  let now = 1_000 * random();
  const coming: { at: number; run: () => void }[] = [];
  let under = 0;
  while (now < world.minutes * MINUTE) {
    while (under < world.slots && waitFor(budget, world.weight, world.priority, now) === 0) {
      const token = {};
      const tripMs = 1 + world.latencyMs * random();
      const bookAt = now + tripMs * random();
      const dateAt = bookAt + (now + tripMs - bookAt) * random();
      const date = Math.floor((dateAt + offset) / 1_000) * 1_000;
      budget = sent(budget, token, world.weight, now);
      sends.push(now);
      under += 1;
      const answerAt = now + tripMs;
      const book = (): void => {
        const counted = count(bookAt, world.weight);
        const answer = (): void => {
          budget = ended(budget, token, answerAt, { used: counted, date });
          under -= 1;
        };
        coming.push({ at: answerAt, run: answer });
      };
      coming.push({ at: bookAt, run: book });
    }
    const wait =
      under < world.slots ? waitFor(budget, world.weight, world.priority, now) : Number.POSITIVE_INFINITY;
    coming.sort((a, b) => b.at - a.at);
    const next = coming.at(-1);
    if (next !== undefined && next.at <= now + wait) {
      now = next.at;
      coming.pop();
      next.run();
    } else now += wait;
  }
  return { used, sends };
}

const anyWorld = fc.record({
  limit: fc.integer({ min: 40, max: 3_000 }),
  offset: fc.integer({ min: 0, max: 600_000 }),
  slots: fc.integer({ min: 1, max: 8 }),
  weight: fc.constantFrom(1, 2, 5, 10),
  latencyMs: fc.constantFrom(5, 200, 3_000, 9_000),
  seed: fc.integer(),
});
/** Repeatable dice. */
const dice = (seed: number) => {
  let state = seed | 0;
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
};

describe('whatever the exchange answers, and when', () => {
  test('no minute of its calendar has more than it grants, nor more than our share', () => {
    fc.assert(
      fc.property(anyWorld, fc.constantFrom<Priority>('live', 'background'), (given, priority) => {
        const world = { ...given, random: dice(given.seed), minutes: 3, priority };
        const { used } = play(world);
        const share = priority === 'live' ? 0.9 : 0.5;
        for (const weight of used.values()) expect(weight).toBeLessThanOrEqual(given.limit * share);
      }),
      { numRuns: 150 },
    );
  });

  test('an answer overtaken by others near an edge is counted besides them, not as one of them', () => {
    // Six are counted early in a minute, when it may still be the one before. The fifth is answered last,
    // when there is no more doubt; until then the five others were added up without it.
    const world = { limit: 40, offset: 0, slots: 2, weight: 5, latencyMs: 200, minutes: 3 };
    const { used } = play({ ...world, random: dice(509_005_798), priority: 'live' });
    expect(Math.max(...used.values())).toBe(35);
  });

  test('what others use is found out and left to them', () => {
    fc.assert(
      fc.property(anyWorld, fc.double({ min: 0, max: 0.6, noNaN: true }), (given, part) => {
        const others = Math.floor(given.limit * part);
        const world = { ...given, random: dice(given.seed), minutes: 3, priority: 'live' as const, others };
        // What is under way before we hear of them is what we can be wrong by. At the edge of a minute an
        // answer may fit the minute before as well, and nothing is heard by it: then one more may follow.
        const atRisk = 2 * given.slots * given.weight;
        for (const weight of play(world).used.values())
          expect(weight).toBeLessThanOrEqual(Math.max(given.limit * 0.9, others + atRisk));
      }),
      { numRuns: 100 },
    );
  });
});

test('with plenty to ask nearly all of our share is used, and early in each minute', () => {
  for (const offset of [0, 17_123, 59_999]) {
    const { used, sends } = play({
      limit: 100,
      offset,
      slots: 4,
      minutes: 10,
      weight: 1,
      priority: 'live',
      latencyMs: 50,
      random: dice(offset),
    });
    const whole = [...used.values()].slice(1, -1);
    expect(whole.length).toBeGreaterThanOrEqual(8);
    for (const weight of whole) expect([offset, weight >= 85]).toEqual([offset, true]);
    const intoMinute = sends.slice(100).map((at) => (at + offset) % MINUTE);
    expect(Math.max(...intoMinute)).toBeLessThan(10_000);
  }
});

describe('one request after the other', () => {
  /** Server time 0:10 of minute 100 at monotonic 0. */
  const AT = 100 * MINUTE + 10_000;
  const known = (used: number, limit = 100): WeightBudget => {
    const token = {};
    return ended(sent(emptyBudget(limit), token, 1, 0), token, 10, { date: AT, used });
  };

  test('before the first answer there is one under way, and then there may be more', () => {
    const token = {};
    const empty = emptyBudget(2_400);
    expect(waitFor(empty, 1, 'live', 0)).toBe(0);
    const one = sent(empty, token, 1, 0);
    expect(waitFor(one, 1, 'live', 0)).toBeGreaterThan(0);
    expect(waitFor(ended(one, token, 9_000), 1, 'live', 9_000)).toBe(0);
    expect(waitFor(known(1), 1, 'live', 20)).toBe(0);
  });

  test('live may use 90 of 100, background 50', () => {
    expect(waitFor(known(49), 1, 'background', 20)).toBe(0);
    expect(waitFor(known(50), 1, 'background', 20)).toBeGreaterThan(49_000);
    expect(waitFor(known(89), 1, 'live', 20)).toBe(0);
    expect(waitFor(known(90), 1, 'live', 20)).toBeGreaterThan(49_000);
    expect(waitFor(known(86), 5, 'live', 20)).toBeGreaterThan(49_000);
  });

  test('a spent minute is waited out, by the calendar of the exchange and not a moment less', () => {
    const wait = waitFor(known(90), 1, 'live', 20);
    // The exchange was at 10.000 s at the earliest when it answered, at 10.999 s at the latest.
    expect(wait).toBeGreaterThanOrEqual(50_000 - 20);
    expect(wait).toBeLessThan(52_000);
    expect(waitFor(known(90), 1, 'live', 20 + wait)).toBe(0);
  });

  test('a jump of the count, by another program on the address, is followed', () => {
    const token = {};
    const calm = known(5);
    expect(waitFor(calm, 1, 'live', 20)).toBe(0);
    const jumped = ended(sent(calm, token, 1, 20), token, 40, { date: AT, used: 95 });
    expect(waitFor(jumped, 1, 'live', 50)).toBeGreaterThan(49_000);
  });

  test('what is under way counts until its answer tells', () => {
    const token = {};
    const flying = sent(known(80), token, 10, 20);
    const wait = waitFor(flying, 1, 'live', 30);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(500);
    expect(waitFor(ended(flying, token, 100, { date: AT, used: 85 }), 1, 'live', 110)).toBe(0);
    // Without an answer it is taken as counted.
    expect(waitFor(ended(flying, token, 100), 1, 'live', 110)).toBeGreaterThan(49_000);
  });

  test('one that never ends is given up, and counted', () => {
    const leaked = sent(known(1), {}, 80, 20);
    const later = sent(leaked, {}, 1, 61_000);
    expect(later.flights).toHaveLength(1);
    expect(waitFor(later, 10, 'live', 61_000)).toBeGreaterThan(0);
  });

  test('around the edge of a minute a request counts in both', () => {
    // Monotonic 49,900: between 59.9 s and 60.9 s of the exchange.
    const token = {};
    const edge = ended(sent(known(40), token, 10, 49_900), token, 49_950, { date: AT + 49_000, used: 50 });
    expect(edge.uses).toEqual([
      { minute: 100, weight: 50 },
      { minute: 101, weight: 10, guessedAt: 49_950 },
    ]);
    expect(waitFor(edge, 1, 'live', 49_960)).toBe(0);
    // A count that fell began anew.
    const after = ended(sent(edge, token, 1, 50_000), token, 50_050, { date: AT + 50_000, used: 11 });
    expect(after.uses.find((use) => use.minute === 101)?.weight).toBe(11);
  });

  test('a count that grew by less than we asked began anew', () => {
    const token = {};
    const edge = ended(sent(known(40), token, 10, 49_900), token, 49_950, { date: AT + 49_000, used: 45 });
    expect(edge.uses.find((use) => use.minute === 101)?.weight).toBe(45);
  });

  test('a machine that slept takes the count of the minute that is told, not the one it thought', () => {
    const token = {};
    const slept = ended(sent(known(90), token, 1, 60_000), token, 60_050, {
      date: AT + 8 * 3_600_000,
      used: 3,
    });
    expect(slept.uses).toEqual([{ minute: 100 + 480, weight: 3 }]);
    expect(waitFor(slept, 50, 'live', 60_060)).toBe(0);
    const blind = ended(sent(known(90), token, 1, 20), token, 50, { date: AT + 8 * 3_600_000 });
    expect(blind.uses[0]?.weight).toBeGreaterThanOrEqual(90);
  });

  test('what is heavier than the share is sent when nothing else was', () => {
    const token = {};
    const free = { ...known(1, 8), uses: [] };
    expect(waitFor(free, 10, 'live', 20)).toBe(0);
    expect(waitFor(sent(free, token, 1, 20), 10, 'live', 20)).toBeGreaterThan(0);
  });

  test('an end that nobody began changes nothing', () => {
    const budget = known(5);
    expect(ended(budget, {}, 100, { date: AT, used: 90 })).toBe(budget);
  });
});

describe('the weight of this minute', () => {
  const at = (second: number): number => Date.UTC(2026, 0, 1, 10, 0, second);
  test('is what is under way before the first answer, and then what the exchange said with what is under way', () => {
    const [one, two] = [{}, {}];
    expect(usedNow(emptyBudget(2_400), 0)).toBe(0);
    const asked = sent(emptyBudget(2_400), one, 40, 0);
    expect(usedNow(asked, 10)).toBe(40);
    const told = ended(asked, one, 100, { used: 55, date: at(20) });
    expect(usedNow(told, 200)).toBe(55);
    expect(usedNow(sent(told, two, 5, 300), 400)).toBe(60);
    expect(usedNow(ended(sent(told, two, 5, 300), two, 400, { used: 60, date: at(20) }), 500)).toBe(60);
  });

  test('begins anew with the next minute of the exchange, and forgets a request that never ended', () => {
    const [one, two] = [{}, {}];
    const told = ended(sent(emptyBudget(2_400), one, 40, 0), one, 100, { used: 55, date: at(20) });
    expect(usedNow(told, 38_000)).toBe(55);
    expect(usedNow(told, 42_000)).toBe(0);
    const hanging = sent(told, two, 7, 42_000);
    expect([usedNow(hanging, 100_000), usedNow(hanging, 103_000)]).toEqual([7, 0]);
  });
});
