/** A short simulation holds, is the same for the same seed, and turns red when what it looks at is not kept. */
import { describe, expect, test } from 'vitest';
import { drawPlan, KINDS } from './draw/draw.ts';
import { readFlags } from './flags.ts';
import { DAY_MS, type Plan } from './plan.ts';
import { describeVerdict } from './report.ts';
import { simulate } from './run.ts';
import { shrinkPlan } from './shrink.ts';
import { STORE } from './theatre.ts';

/** The store itself changes what it is given. */
const TOLD_OTHERWISE = `CREATE TRIGGER spoil AFTER INSERT ON candles BEGIN
  UPDATE candles SET volume = volume + 1
  WHERE symbol = NEW.symbol AND interval = NEW.interval AND open_time = NEW.open_time; END`;
const SHORT = { days: 1 / 24, streams: 4 };
/** Seconds of processor time; a busy machine takes its time, ms. */
const PATIENCE_MS = 60_000;

describe('a plan', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(drawPlan(7, SHORT)).toEqual(drawPlan(7, SHORT));
    expect(drawPlan(7, SHORT)).not.toEqual(drawPlan(8, SHORT));
    expect(JSON.parse(JSON.stringify(drawPlan(7, SHORT)))).toEqual(drawPlan(7, SHORT));
  });

  test('of a day has dozens of faults of many rows, in the order of their time, and all of them can come', () => {
    const plans = Array.from({ length: 30 }, (_, seed) => drawPlan(seed, { days: 1, streams: 20 }));
    for (const { faults, symbols, intervals } of plans) {
      expect(faults.length).toBeGreaterThan(50);
      expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).sort((a, b) => a - b));
      expect(Math.max(...faults.map(({ atMs }) => atMs))).toBeLessThan(DAY_MS);
      expect(symbols.length * intervals.length).toBe(20);
    }
    const drawn = new Set(plans.flatMap(({ faults }) => faults.map(({ row }) => row)));
    expect(KINDS.filter(({ row }) => !drawn.has(row)).map(({ row }) => row)).toEqual([]);
  });
});

describe('a simulation', () => {
  test(
    'keeps the promise over hours of faults, and is the same once more',
    async () => {
      const plan = drawPlan(1, SHORT);
      const [first, second] = [await simulate(plan), await simulate(plan)];
      expect(first.violations, describeVerdict(1, first)).toEqual([]);
      expect(first.stored).toBeGreaterThan(200);
      expect(first.reconnects).toBeGreaterThan(1);
      expect(Object.keys(first.faults).length).toBeGreaterThan(1);
      expect(second.hash).toBe(first.hash);
      const other = await simulate({ ...calm(2), seed: 2 });
      expect(other.violations).toEqual([]);
      expect(other.hash).not.toBe(first.hash);
    },
    PATIENCE_MS,
  );

  test.each([
    ['I9', 'a bar is gone from the store', 'DELETE FROM candles WHERE open_time = ?'],
    [
      'I3',
      'a digit of a stored bar is another',
      'UPDATE candles SET close = close + 0.5 WHERE open_time = ?',
    ],
    ['I3', 'a bar is stored otherwise than it is told', TOLD_OTHERWISE],
  ] as const)(
    'turns red by %s when %s',
    async (invariant, _, sql) => {
      const { violations } = await simulate(calm(1), {
        spoil: ({ world, exchange, disk }) => {
          const spoilt = exchange.now() - (exchange.now() % 60_000) + 20 * 60_000;
          world.setTimeout(
            () => {
              // Long after it was compared with REST, or as soon as it can be there.
              const statement = disk.database(STORE);
              if (sql.includes('TRIGGER')) statement.exec(sql);
              else statement.prepare(sql).run(spoilt);
            },
            (sql.includes('TRIGGER') ? 2 : 50) * 60_000,
          );
        },
      });
      expect(violations[0]).toMatchObject({ invariant });
    },
    PATIENCE_MS,
  );

  test(
    'does not ask for the code of a force that came when all was over',
    async () => {
      const atMs = 10 * 60_000;
      const cut = { on: 'network', fault: { kind: 'unreachable', forMs: 5 * 60_000 } } as const;
      const drop = { on: 'exchange', fault: { kind: 'drop' } } as const;
      const forced = { kind: 'stop', how: 'forced', downMs: 60_000 } as const;
      const { violations, lives } = await simulate({
        ...calm(1),
        days: 1 / 72,
        faults: [{ atMs, row: 'L03', acts: [cut, drop, { afterMs: 60_000, on: 'process', fault: forced }] }],
      });
      expect(violations).toEqual([]);
      expect(lives).toBe(2);
    },
    PATIENCE_MS,
  );

  test('leaves out what a violation does not need', async () => {
    const plan = drawPlan(3, SHORT);
    const needed = plan.faults[2]!;
    const shrunk = await shrinkPlan(
      plan,
      () => {},
      async (tried) => {
        const isBroken = tried.faults.includes(needed);
        const violation = { invariant: 'I1', name: 'lost', detail: '', atMs: needed.atMs + 1 } as const;
        return { violations: isBroken ? [violation] : [] } as never;
      },
    );
    expect(shrunk?.plan.faults).toEqual([needed]);
  });
});

describe('the command', () => {
  test('says what is wrong with its flags', () => {
    for (const [args, words] of [
      [['--seed', 'x'], '--seed: x'],
      [['--days', '0'], '--days: 0'],
      [['--streams', '1.5'], '--streams: 1.5'],
      [['--nonsense'], '--nonsense'],
      [['--seeds', '2', '--shrink'], '--shrink is for one seed'],
      [['--seed', '2147483647', '--seeds', '2'], '--seeds: 2 from 2147483647 on'],
      [['--trace', ''], '--trace: '],
      [['--trace', '/nowhere/at/all.txt'], '--trace: ENOENT'],
    ] as const)
      expect(() => readFlags(args)).toThrow(words);
    expect(readFlags(['--seed', '7'])).toMatchObject({ seed: 7, seeds: 1, days: 1, streams: 20 });
  });
});

/** An hour in which nothing goes wrong. */
const calm = (seed: number): Plan => ({ ...drawPlan(seed, { days: 1 / 24, streams: 2 }), faults: [] });
