import { describe, expect, test } from 'vitest';
import { OPEN_END, planHistoryCommand } from '../../src/cli/history-settings.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { HistoryLoad } from '../../src/history-load.ts';

const NOW = Date.UTC(2026, 10, 1);
const DAY_MS = 86_400_000;
const NEEDED = { symbol: 'btcusdt', interval: '1m', from: '2026-02-03' };
const plan = (flags: object, env: NodeJS.ProcessEnv = {}) => planHistoryCommand({ ...NEEDED, ...flags }, env);

/** What is refused, as `option: allowed`. */
function refused(flags: object): readonly string[] {
  try {
    plan(flags);
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.issues.map(({ option, allowed }) => `${option}: ${allowed}`);
    throw error;
  }
  return [];
}

describe('a load is told', () => {
  test('by three flags: from mainnet into its own store, up to what has ended there, with a cache', () => {
    const { options, target } = plan({});
    expect(options).toMatchObject({
      symbol: 'btcusdt',
      interval: '1m',
      from: Date.UTC(2026, 1, 3),
      to: OPEN_END,
      store: 'data/mainnet.db',
      cacheDir: 'data/cache',
    });
    expect(options.network).toBeUndefined();
    expect(target).toBe('data/mainnet.db');
  });

  test('where: URLs are an exchange of one’s own, with a store of its own', () => {
    const { options } = plan({ restUrl: 'http://127.0.0.1:1', visionUrl: 'http://127.0.0.1:2' });
    expect(options.store).toBe('data/custom.db');
    expect(options.network).toEqual({ restUrl: 'http://127.0.0.1:1', visionUrl: 'http://127.0.0.1:2' });
    expect(plan({ network: 'testnet' }).options.store).toBe('data/testnet.db');
  });

  test('what to keep: a file in place of a store, a folder or nothing for the cache', () => {
    const { options } = plan({ out: 'btc.parquet', noCache: true });
    expect(options).toMatchObject({ out: 'btc.parquet', cacheDir: undefined });
    expect('store' in options).toBe(false);
    expect(plan({ cacheDir: 'kept', cacheGb: '0.5' }).options).toMatchObject({
      cacheDir: 'kept',
      cacheMaxBytes: 500_000_000,
    });
  });

  test('by the environment only what is not about the range', () => {
    const env = {
      CANDLESTATE_CACHE_DIR: 'elsewhere',
      CANDLESTATE_FROM: '2001-01-01',
      CANDLESTATE_SYMBOL: 'ETHUSDT',
    };
    const { options } = plan({ to: String(NOW - DAY_MS) }, env);
    expect(options).toMatchObject({
      symbol: 'btcusdt',
      from: Date.UTC(2026, 1, 3),
      to: NOW - DAY_MS,
      cacheDir: 'elsewhere',
    });
    expect(plan({ noCache: true }, env).options.cacheDir).toBeUndefined();
  });
});

test.each([
  [
    'nothing at all',
    { symbol: undefined, interval: undefined, from: undefined },
    /--symbol.*--interval.*--from/,
  ],
  [
    'a network and URLs',
    { network: 'mainnet', restUrl: 'http://127.0.0.1:1' },
    /--network: either --network or URLs/,
  ],
  ['a store and a file', { db: 'a.db', out: 'b.csv' }, /--out: either --db or --out/],
  ['a cache and none', { cacheDir: 'a', noCache: true }, /--no-cache: not together with --cache-dir/],
  ['JSON of nothing', { json: true }, /--json: only with --dry-run/],
  ['a time without its zone', { from: '2026-02-03T10:00' }, /--from: .*zone/],
  ['a year', { from: '2026' }, /--from/],
  ['a source that is none', { source: 'archive' }, /--source: one of auto, vision, rest/],
  ['a folder that is not there', { db: '/no/such/folder/a.db' }, /--db: .*make \/no\/such\/folder first/],
  ['a negative cache', { cacheGb: '-1' }, /--cache-gb: gigabytes/],
])('refuses %s, by the flag', (_, flags, message) => {
  expect(refused(flags).join(' ')).toMatch(message);
});

test('what the load itself refuses was begun by nobody: no store, no folder', () => {
  const { options } = plan({ interval: '1mo', to: '2026-02-02' });
  expect(() => new HistoryLoad(options)).toThrow(/interval.*1M is a month/);
});
