import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import { type HistoryOptions, resolveHistoryOptions } from '../../src/options.history.ts';
import { resolveQuery } from '../../src/options.query.ts';

const DAY = 86_400_000;
const FROM = Date.UTC(2026, 1, 1);
const NEEDED: HistoryOptions = { symbol: 'btcusdt', interval: '1m', from: FROM, to: FROM + DAY };
const resolved = (more: Partial<HistoryOptions> = {}) => resolveHistoryOptions({ ...NEEDED, ...more });

/** Options that are refused, in order. */
function refusals(given: unknown): string[] {
  try {
    resolveHistoryOptions(given);
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.issues.map(({ option, allowed }) => `${option}: ${allowed}`);
    throw error;
  }
  return [];
}
const refused = (more: object): string[] => refusals({ ...NEEDED, ...more });

describe('options', () => {
  test('that are not given are those of mainnet, into memory', () =>
    expect(resolved()).toMatchObject({
      symbol: 'BTCUSDT',
      source: 'auto',
      origin: 'mainnet',
      restUrl: 'https://fapi.binance.com',
      visionUrl: 'https://data.binance.vision',
      store: undefined,
      out: undefined,
      isDryRun: false,
      stopTimeoutMs: 5_000,
      timeScale: 1,
    }));

  test('are refused all at once', () =>
    expect(refusals({ symbol: '', interval: '1Mo', from: 'x', cachedir: 'y' })).toEqual([
      'symbol: a symbol as BTCUSDT: letters, digits and _, at most 30 characters',
      expect.stringMatching(/^interval: one of .*; did you mean 1M\?/),
      'from: ms since epoch, a whole number, or a Date, until the year 9999',
      'to: ms since epoch, a whole number, or a Date, until the year 9999',
      'cachedir: there is no such option; did you mean cacheDir?',
    ]));

  test('take a Date, and a range begins and ends with bars', () => {
    const { from, to } = resolved({
      interval: '1h',
      from: new Date(FROM + 1),
      to: new Date(FROM + DAY - 1),
    });
    expect([from, to]).toEqual([FROM + DAY / 24, FROM + DAY]);
    expect(resolved({ interval: '1M', to: Date.UTC(2026, 3, 2) }).to).toBe(Date.UTC(2026, 4, 1));
    expect(resolved({ interval: '3d', from: FROM + 1, to: FROM + 5 * DAY }).from).toBe(FROM + DAY);
  });

  test('of an archive folder alone ask nobody, and are mainnet’s', () =>
    expect(resolved({ archiveDir: 'a' })).toMatchObject({
      archiveDir: 'a',
      origin: 'mainnet',
      restUrl: undefined,
      visionUrl: undefined,
    }));

  test('of an archive folder and a network ask its REST', () =>
    expect(resolved({ archiveDir: 'a', network: 'mainnet' })).toMatchObject({
      restUrl: 'https://fapi.binance.com',
      visionUrl: undefined,
    }));

  test('of testnet have no archive: its prices are others', () => {
    expect(resolved({ network: 'testnet' })).toMatchObject({ visionUrl: undefined, origin: 'testnet' });
    expect(refused({ network: 'testnet', source: 'vision' })).toEqual([
      expect.stringMatching(/^source: .*it has no archive/),
    ]);
  });

  test('of one source do not ask the other', () => {
    expect(resolved({ source: 'vision' }).restUrl).toBeUndefined();
    expect(resolved({ source: 'rest' }).visionUrl).toBeUndefined();
  });

  test('of the simulator run at its time scale', () =>
    expect(resolved({ network: 'simulator' })).toMatchObject({
      isEmbedded: true,
      timeScale: 60,
      origin: 'simulator',
    }));

  test('keep nothing when they say so', () => {
    expect(resolved({ cacheDir: 'c' }).cacheDir).toBe('c');
    expect(resolved({ cacheDir: 'c', noCache: true }).cacheDir).toBeUndefined();
  });

  test.each([
    ['to', { to: FROM }],
    ['to', { interval: '1d', from: FROM + 1, to: FROM + 2 }],
    ['out', { store: 'a.db', out: 'a.csv' }],
    ['out', { out: 'a.txt' }],
    ['replace', { store: 'a.db', replace: true }],
    ['archiveDir', { source: 'rest', network: 'mainnet', archiveDir: 'a' }],
    ['source', { source: 'rest', network: { visionUrl: 'https://a.example' } }],
    ['source', { source: 'vision', network: { restUrl: 'https://a.example' } }],
    ['network', { network: {} }],
    ['network.restUrl', { network: { restUrl: 'http://a.example' } }],
    ['timeScale', { timeScale: 60 }],
    ['origin', { origin: 'custom' }],
    ['origin', { network: { restUrl: 'https://a.example' }, origin: 'mainnet' }],
  ] as const)('that contradict each other are refused: %s', (option, more) =>
    expect(refused(more)).toEqual([expect.stringMatching(`^${option}: `)]),
  );

  test.each(['1m', '1w', '1M'] as const)(
    'of moments that no calendar has are refused with %s',
    (interval) => {
      const later = Date.UTC(10_000, 0);
      expect(resolved({ interval, to: later - 1 }).to).toBeGreaterThan(FROM);
      for (const to of [later, 8.64e15, 8.64e15 + 1, Number.MAX_SAFE_INTEGER]) {
        const named = [expect.stringMatching(/^to: .*until the year 9999/)];
        expect(refused({ interval, to })).toEqual(named);
        const question = () => resolveQuery({ symbol: 'BTCUSDT', interval, from: to, to });
        expect(question).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
      }
    },
  );
});
