import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { progressOf, type ViewInput, viewLines } from '../../src/cli/table.ts';
import type { CollectorStatus } from '../../src/status.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 0, 30);
const BAR = { openTime: NOW - 30_000, closeTime: NOW + 29_999, close: 67_000.5 };

const statusOf = (count: number): CollectorStatus => ({
  state: 'streaming',
  isConnected: true,
  mode: 'sockets',
  exchangeTime: NOW,
  series: Array.from({ length: count }, (_, index) => ({
    symbol: `SYM${index}USDT`,
    interval: '1m',
    state: index === 1 ? 'repairing' : 'live',
    closed: index + 3,
    stored: index + 2,
  })),
  timeScale: 1,
  rowsWaiting: 0,
  counters: {
    frames: 1234,
    klines: 0,
    ignored: 0,
    foreign: 0,
    malformed: 2,
    late: 0,
    ended: 0,
    duplicates: 0,
    insane: 0,
    refused: 0,
    closedByStream: 0,
    closedByRest: 0,
    closedByArchive: 0,
    gaps: 0,
    compared: 0,
    revised: 0,
    uncompared: 0,
  },
});

const viewOf = (change: Partial<ViewInput> = {}): string[] =>
  viewLines({
    network: 'testnet',
    page: undefined,
    timeScale: 1,
    db: 'data/testnet.db',
    status: statusOf(3),
    forming: new Map([['SYM0USDT@1m', BAR]]),
    width: 100,
    height: 24,
    paint: (_, text) => text,
    ...change,
  });

describe('progress of a bar', () => {
  test.each([
    [NOW - 30_000, 0],
    [NOW, 0.5],
    [NOW + 30_000, 1],
    [NOW + 999_999, 1],
    [NOW - 999_999, 0],
  ])('at %i it is %f', (time, share) => {
    expect(progressOf(BAR, time)).toBeCloseTo(share);
  });
  test('is unknown without a clock or a bar', () => {
    expect(progressOf(BAR, undefined)).toBeUndefined();
    expect(progressOf(undefined, NOW)).toBeUndefined();
  });
});

describe('the view', () => {
  test('tells where the page is, once it is served', () => {
    const page = 'http://127.0.0.1:8787/';
    expect(viewOf({ page })[1]).toBe(`2026-11-21 12:00:30 UTC · data/testnet.db · ${page}`);
  });

  test('shows network, state, exchange time, store, each series, counters and how to stop', () => {
    const [head, facts, , heads, first, ...rest] = viewOf();
    expect(head).toBe('testnet · streaming');
    expect(facts).toBe('2026-11-21 12:00:30 UTC · data/testnet.db');
    expect(heads?.trim().split(/\s+/)).toEqual([
      'symbol',
      'interval',
      'last',
      'bar',
      '%',
      'closed',
      'stored',
      'state',
    ]);
    expect(first?.trim().split(/\s+/)).toEqual([
      'SYM0USDT',
      '1m',
      '67000.5',
      '█████░░░░░',
      '50',
      '3',
      '2',
      'live',
    ]);
    expect(rest.at(-1)).toBe('Ctrl+C stops · frames 1234 · malformed 2');
  });

  test('names a time scale that is not 1', () => {
    expect(viewOf({ timeScale: 60 })[1]).toContain('60× time');
  });

  test('says that the exchange time is unknown until it is known', () => {
    const { exchangeTime: _, ...status } = statusOf(1);
    expect(viewOf({ status })[1]).toContain('time unknown');
  });

  test('shows the first series when there are more than lines, and how many more there are', () => {
    const lines = viewOf({ status: statusOf(500), height: 20 });
    expect(lines.filter((line) => line.startsWith('SYM'))).toHaveLength(12);
    expect(lines).toContain('… 488 more');
    expect(lines.length).toBeLessThan(20);
  });

  test('shows thousands of series in a few lines, and counts those that are not well', () => {
    const status = statusOf(12_000);
    const series = status.series.map((one, index) =>
      index % 1_000 === 999 ? { ...one, state: 'awaiting' as const } : one,
    );
    const lines = viewOf({ status: { ...status, series }, height: 24 });
    expect(lines.length).toBeLessThan(24);
    expect(lines).toContain('… 11984 more · 12 awaiting');
  });

  test('says that a symbol is halted, waited for or over', () => {
    const { series, ...status } = statusOf(3);
    const [one, two, three] = series.map((each, index) =>
      index === 0
        ? { ...each, isHalted: true as const }
        : { ...each, state: index === 1 ? ('waiting' as const) : ('retired' as const) },
    );
    const lines = viewOf({ status: { ...status, series: [one!, two!, three!] } });
    expect(
      lines
        .filter((line) => line.startsWith('SYM'))
        .map((line) => /\S+(?:, halted)?$/.exec(line.trim())?.[0]),
    ).toEqual(['live, halted', 'waiting', 'retired']);
  });

  test('says when bars close by REST', () => {
    const status = statusOf(1);
    const heads = (['sockets', 'mixed', 'rest', 'none'] as const).map(
      (mode) => viewOf({ status: { ...status, mode } })[0],
    );
    expect(heads).toEqual([
      'testnet · streaming',
      'testnet · streaming · some bars close by REST',
      'testnet · streaming · bars close by REST',
      'testnet · streaming',
    ]);
  });

  test.each([200, 80, 60, 40, 20, 5, 1])('fits into %i columns', (width) => {
    for (const line of viewOf({ width })) {
      if (width >= 9) expect(line.trimEnd().length).toBeLessThanOrEqual(width);
    }
  });

  test('keeps symbol, price and state longest when it is narrow', () => {
    expect(viewOf({ width: 40 })[3]?.trim().split(/\s+/)).toEqual(['symbol', 'interval', 'last', 'state']);
  });

  test('a height of nothing still shows one series', () => {
    expect(viewOf({ height: 0 }).some((line) => line.startsWith('SYM0USDT'))).toBe(true);
  });

  test('colours change nothing but the colour', () => {
    const painted = viewOf({ paint: (_, text) => `\u001b[32m${text}\u001b[39m` });
    expect(painted.map(stripVTControlCharacters).map((line) => line.trimEnd())).toEqual(
      viewOf().map((line) => line.trimEnd()),
    );
  });

  test('X13 no control character of a path reaches the terminal', () => {
    expect(viewOf({ db: 'a\u001b[2Jb\n' }).join('')).not.toMatch(/\p{Cc}/u);
  });
});
