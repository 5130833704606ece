import { describe, expect, test } from 'vitest';
import { type Summarised, summaryLine } from '../../src/supervisor/summary.ts';

const CLOSED: Summarised = {
  reason: 'SIGINT',
  durationMs: 812.4,
  components: [
    { name: 'orders', outcome: 'closed', durationMs: 12 },
    {
      name: 'collector',
      outcome: 'closed',
      durationMs: 610,
      parts: [{ name: 'feed0', outcome: 'closed', durationMs: 600 }],
      lost: 0,
      notes: { buffers: '1000 candles of 2 series', gaps: 'none', rows: '120 received, 120 written' },
    },
    { name: 'store', outcome: 'closed', durationMs: 0 },
  ],
  checks: [
    { name: 'rows', outcome: 'ok', detail: '120 received and written' },
    { name: 'integrity', outcome: 'ok' },
  ],
};

describe('the summary of an end', () => {
  test('in which all is well is one short line', () => {
    expect(summaryLine(CLOSED)).toBe(
      'stopped in 812 ms: SIGINT | orders closed 12 ms | collector closed 610 ms (buffers: 1000 candles of 2 series; ' +
        'gaps: none; rows: 120 received, 120 written) | store closed 0 ms | checks ok',
    );
  });

  test('names what failed, what was forced, what was lost and which checks were not ok, failed ones first', () => {
    const line = summaryLine({
      ...CLOSED,
      components: [
        {
          name: 'collector',
          outcome: 'forced',
          durationMs: 4_750,
          lost: 3,
          parts: [
            { name: 'feed0', outcome: 'forced', durationMs: 300 },
            { name: 'rest', outcome: 'closed', durationMs: 1 },
            { name: 'store', outcome: 'failed', durationMs: 9, error: 'disk\n  full' },
          ],
        },
      ],
      checks: [
        { name: 'timers', outcome: 'ok' },
        { name: 'integrity', outcome: 'skipped', detail: 'no time was left' },
        { name: 'rows', outcome: 'failed', detail: '3 of 120 rows were not written' },
      ],
      failure: { component: 'collector', error: new Error('store ended by itself') },
    });
    expect(line).toBe(
      'stopped in 812 ms: SIGINT | collector had failed: store ended by itself | collector forced 4750 ms (feed0 ' +
        'forced 300 ms; store failed 9 ms "disk full"; 3 rows lost) | checks: rows failed (3 of 120 rows were not ' +
        'written), integrity skipped (no time was left)',
    );
  });

  test('without components and checks says so', () => {
    expect(summaryLine({ reason: 'asked', durationMs: 0, components: [], checks: [] })).toBe(
      'stopped in 0 ms: asked | nothing checked',
    );
  });

  test('is one bounded line, whatever there is to tell', () => {
    const many = <One>(count: number, make: (index: number) => One): One[] =>
      Array.from({ length: count }, (_, i) => make(i));
    const long = 'a line\nand one more '.repeat(1_000);
    const parts = many(200, (part) => ({
      name: `feed${part} ${long}`,
      outcome: 'forced' as const,
      durationMs: 1,
    }));
    const notes = Object.fromEntries(many(10_000, (series) => [`S${series}USDT@1m`, long]));
    const line = summaryLine({
      reason: long,
      durationMs: 5_000,
      components: many(300, (index) => ({
        name: `${index} ${long}`,
        outcome: 'failed' as const,
        durationMs: index,
        error: long,
        lost: 7,
        parts,
        notes,
      })),
      checks: many(100, (index) => ({ name: `check ${index}`, outcome: 'skipped' as const, detail: long })),
      failure: { component: long, error: long },
    });
    expect(line.length).toBeLessThanOrEqual(4_000);
    expect(line).not.toContain('\n');
    // The verdict comes through, however much stands before it.
    expect(line).toMatch(/ \| checks: check 0 skipped .*and 90 more$/);
  });

  test.each([Object.create(null), { toString: 7 }, Object.assign(new Error(), { message: 7 }), Symbol('x')])(
    'can be made of whatever ended it: %o',
    (error) => {
      const failure = { component: 'a', error };
      expect(summaryLine({ reason: 'x', durationMs: 0, components: [], checks: [], failure })).toMatch(
        /^stopped in 0 ms: x \| a had failed: .+ \| nothing checked$/,
      );
    },
  );

  test('of two hundred forced parts names a few and counts the others', () => {
    const parts = Array.from({ length: 200 }, (_, index) => ({
      name: `feed${index}`,
      outcome: 'forced' as const,
      durationMs: 1,
    }));
    const [component] = CLOSED.components;
    const line = summaryLine({ ...CLOSED, components: [{ ...component!, parts }] });
    expect(line).toContain('feed4 forced 1 ms; and 195 more');
    expect(line.length).toBeLessThan(300);
  });
});
