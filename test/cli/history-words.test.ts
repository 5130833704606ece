import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProgressView, rateOf, remaining } from '../../src/cli/history-progress.ts';
import { OPEN_END } from '../../src/cli/history-settings.ts';
import { planJson, planText } from '../../src/cli/history-words.ts';
import type { HistoryPlan, Piece } from '../../src/history/types.ts';

const DAY_MS = 86_400_000;
const FROM = Date.UTC(2026, 1, 1);
const piece = (by: Piece['by'], fromDay: number, toDay: number): Piece => ({
  by,
  from: FROM + fromDay * DAY_MS,
  to: FROM + toDay * DAY_MS,
});
const planOf = (pieces: readonly Piece[]): HistoryPlan => ({
  query: { symbol: 'BTCUSDT', interval: '1m', from: FROM, to: FROM + 4 * DAY_MS, source: 'auto' },
  range: { from: FROM, to: FROM + 4 * DAY_MS },
  pieces,
  bars: 5_760,
  notes: [],
});

describe('a plan', () => {
  test('is a line for each stretch of one source', () => {
    const plan = planOf([piece('day', 0, 1), piece('day', 1, 2), piece('rest', 2, 4)]);
    expect(planText(plan).split('\n')).toEqual([
      'BTCUSDT 1m from 2026-02-01T00:00Z to 2026-02-05T00:00Z: 5,760 bars to load',
      '  2026-02-01T00:00Z … 2026-02-03T00:00Z  day files: 2',
      '  2026-02-03T00:00Z … 2026-02-05T00:00Z  REST',
      '',
    ]);
  });

  test('that has nothing to do says so', () => {
    expect(planText(planOf([]))).toContain('nothing: all of it is there');
  });

  test('without an end does not say where that was cut, unless nothing is left', () => {
    const note = {
      symbol: 'BTCUSDT',
      interval: '1m',
      kind: 'outside',
      found: 'not ended',
      done: 'not asked for',
    } as const;
    const plan = { ...planOf([]), notes: [{ ...note, from: FROM, to: OPEN_END }] };
    expect(planText(plan)).not.toContain('not ended');
    expect(planText({ ...plan, range: { from: FROM, to: FROM } })).toContain('not ended; not asked for');
  });

  test('for programs names every piece', () => {
    const { pieces, ...rest } = JSON.parse(planJson(planOf([piece('day', 0, 1), piece('rest', 1, 4)])));
    expect(pieces.map(({ by }: Piece) => by)).toEqual(['day', 'rest']);
    expect(rest).toMatchObject({ symbol: 'BTCUSDT', interval: '1m', bars: 5_760, from: FROM });
  });
});

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const shown = { done: 30_000, planned: 120_000, where: 'archive 2026-02-03', elapsedMs: 20_000 };
  const scene = (isLive: boolean) => {
    let text = '';
    const stream = Object.assign(
      new Writable({
        write(chunk, _, done) {
          text += String(chunk);
          done();
        },
      }),
      { isTTY: isLive, columns: 120, cursorTo: () => {}, clearLine: () => {}, moveCursor: () => {} },
    );
    const lines: unknown[] = [];
    const info = (message: string, fields?: object) => void lines.push([message, fields]);
    const logger = { debug: info, info, warn: info, error: info };
    return { view: new ProgressView(stream as never, isLive), logger, lines, text: () => text };
  };

  test('says the pace and what is left of it', () => {
    expect(rateOf(shown)).toBe(1_500);
    expect(remaining(shown)).toBe('1m 0s');
    expect(remaining({ ...shown, planned: 12_000_000 })).toBe('2h 13m 0s');
    expect(remaining({ ...shown, done: 120_000 })).toBe('0s');
    expect([remaining({ ...shown, done: 0 }), remaining({ ...shown, planned: undefined })]).toEqual([
      '?',
      '?',
    ]);
  });

  test('in a pipe is a line every five seconds, and none behind the end', () => {
    const { view, logger, lines } = scene(false);
    view.begin(() => shown, logger);
    vi.advanceTimersByTime(4_999);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(10_001);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toEqual([
      'history',
      {
        bars: 30_000,
        of: 120_000,
        percent: 25,
        rowsPerSecond: 1_500,
        left: '1m 0s',
        source: 'archive 2026-02-03',
      },
    ]);
    view.end();
    vi.advanceTimersByTime(20_000);
    expect(lines).toHaveLength(3);
  });

  test('on a terminal is a bar; lines of the log go above it, and straight through when it has ended', () => {
    const { view, logger, lines, text } = scene(true);
    view.begin(() => shown, logger);
    vi.advanceTimersByTime(500);
    expect(text()).toContain('25% | 30000/120000 bars | 1500 rows/s | 1m 0s left | archive 2026-02-03');
    view.write('a line of the log\n', () => {});
    vi.advanceTimersByTime(500);
    expect(text()).toContain('a line of the log\n');
    view.end();
    view.write('the last line\n', () => {});
    expect(text().endsWith('the last line\n')).toBe(true);
    expect(lines).toEqual([]);
  });
});
