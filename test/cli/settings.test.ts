import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planCollect } from '../../src/cli/collect-plan.ts';
import { COLLECT_READERS, readCollectSettings } from '../../src/cli/collect-settings.ts';
import { environmentNameOf, flagOf } from '../../src/cli/settings.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { emptyFolder } from './child.ts';

function configFile(content: object): string {
  const path = join(emptyFolder(), 'config.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const LOCAL = { wsUrl: 'ws://127.0.0.1:9', restUrl: 'http://127.0.0.1:9' };

describe('precedence', () => {
  const env = { CANDLESTATE_INTERVALS: '1h', CANDLESTATE_SYMBOLS: 'LTCUSDT', CANDLESTATE_STOP_TIMEOUT: '9s' };

  test('O02 flags win over the file, the file over the environment', () => {
    const config = configFile({ intervals: ['15m'], symbols: 'ADAUSDT' });
    const { values } = readCollectSettings({ config, symbols: 'DOTUSDT' }, env);
    expect(values).toMatchObject({ symbols: ['DOTUSDT'], intervals: ['15m'], stopTimeout: 9_000 });
  });

  test('a wrong value that is not used does no harm', () => {
    const { values } = readCollectSettings({ intervals: '1m' }, { CANDLESTATE_INTERVALS: '' });
    expect(values.intervals).toEqual(['1m']);
  });

  test('an empty variable counts as absent', () => {
    expect(readCollectSettings({}, { CANDLESTATE_DB: '', BINANCE_API_KEY: '' }).values).toEqual({});
  });

  test('the environment may name the file', () => {
    const config = configFile({ duration: '90s' });
    expect(readCollectSettings({}, { CANDLESTATE_CONFIG: config }).values.duration).toBe(90_000);
  });

  test('a network by flag is not contradicted by URLs from elsewhere, nor the other way round', () => {
    const config = configFile(LOCAL);
    expect(readCollectSettings({ config, network: 'testnet' }, {}).values).toEqual({ network: 'testnet' });
    expect(readCollectSettings({ ...LOCAL }, { CANDLESTATE_NETWORK: 'testnet' }).values).toEqual(LOCAL);
  });

  test('--no-http by flag is not contradicted by a page from elsewhere, nor the other way round', () => {
    const page = { port: 1, host: 'localhost', allowHosts: ['a.lan'], inspect: 'stately' };
    const config = configFile(page);
    expect(readCollectSettings({ config, noHttp: true }, {}).values).toEqual({ noHttp: true });
    expect(readCollectSettings({ noHttp: true }, { CANDLESTATE_PORT: '1' }).values).toEqual({ noHttp: true });
    const without = configFile({ noHttp: true });
    for (const [setting, value] of Object.entries(page)) {
      const given = Array.isArray(value) ? value.join() : String(value);
      const { values } = readCollectSettings({ config: without, [setting]: given }, {});
      expect(values).toEqual({ [setting]: value });
    }
    const undone = configFile({ noHttp: false });
    expect(readCollectSettings({ config: undone }, { CANDLESTATE_PORT: '1' }).values).toEqual({
      noHttp: false,
      port: 1,
    });
  });

  test('URLs of one exchange may come from two places', () => {
    const config = configFile({ restUrl: LOCAL.restUrl });
    expect(readCollectSettings({ config, wsUrl: LOCAL.wsUrl }, {}).values).toEqual(LOCAL);
  });

  test('secrets come from the environment or the file and have no flag', () => {
    const settings = readCollectSettings({}, { BINANCE_API_KEY: 'k', BINANCE_API_SECRET: 's' });
    expect(settings.values).toEqual({ apiKey: 'k', apiSecret: 's' });
    expect(flagOf('apiSecret')).toBe('apiSecret');
  });

  test('every setting can be in a file, under its name in camel case', () => {
    const content = {
      symbols: ['BTCUSDT'],
      intervals: '1m,5m',
      network: 'simulator',
      timeScale: 30,
      db: 'x.db',
      duration: '1m',
      backfill: '2h',
      stopTimeout: '5s',
      stdout: 'jsonl',
      noHttp: true,
      host: 'localhost',
      port: 1,
      allowHosts: ['a.lan'],
      inspect: 'stately',
      logLevel: 'debug',
      logFormat: 'json',
      apiKey: 'k',
      apiSecret: 's',
    };
    const { values } = readCollectSettings({ config: configFile(content) }, {});
    expect(Object.keys(values).sort()).toEqual(Object.keys(content).sort());
  });

  test('names in the environment follow the flags', () => {
    expect(environmentNameOf('stopTimeout')).toBe('CANDLESTATE_STOP_TIMEOUT');
    expect(Object.keys(COLLECT_READERS).map(environmentNameOf)).toContain('CANDLESTATE_LOG_FORMAT');
  });

  test('all wrong settings are told at once, each with where it came from', () => {
    const config = configFile({ port: -1 });
    try {
      readCollectSettings({ config, duration: 'x' }, { CANDLESTATE_TIME_SCALE: '-1' });
      expect.unreachable();
    } catch (error) {
      const issues = error instanceof ConfigurationError ? error.issues : [];
      expect(issues.map((issue) => issue.option.replace(/".*"/, 'FILE'))).toEqual([
        '--time-scale (CANDLESTATE_TIME_SCALE)',
        '--duration',
        '--port (port in FILE)',
      ]);
    }
  });
});

describe('the plan', () => {
  const plan = (flags: object) => planCollect(readCollectSettings({ ...flags }, {}));

  test('without anything it is the embedded exchange, three symbols and two intervals', () => {
    const { embedded, origin, db, resolved } = plan({});
    expect({ embedded, origin, db }).toEqual({
      embedded: true,
      origin: 'simulator',
      db: join('data', 'simulator.db'),
    });
    expect(resolved).toMatchObject({
      symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
      intervals: ['1m', '5m'],
      timeScale: 60,
      connectTimeoutMs: undefined,
    });
  });

  test.each(['all', 'ALL', ' All '])('%j alone is every symbol, from wherever it comes', (symbols) => {
    expect(plan({ symbols }).resolved.symbols).toBe('all');
    const config = configFile({ symbols: [symbols] });
    expect(planCollect(readCollectSettings({ config }, {})).resolved.symbols).toBe('all');
    const env = { CANDLESTATE_SYMBOLS: symbols };
    expect(planCollect(readCollectSettings({}, env)).resolved.symbols).toBe('all');
  });

  test.each([
    [{ network: 'testnet' }, 'testnet'],
    [{ network: 'mainnet' }, 'mainnet'],
    [{ network: 'simulator' }, 'simulator'],
    [LOCAL, 'custom'],
  ])('%o has the origin %s and a store named after it', (flags, origin) => {
    expect(plan(flags)).toMatchObject({ origin, db: join('data', `${origin}.db`) });
  });

  test('settings arrive in the options', () => {
    const { options } = plan({
      ...LOCAL,
      backfill: '2h',
      stopTimeout: '3s',
      timeScale: '20',
      symbols: 'btcusdt',
    });
    expect(options).toMatchObject({
      network: LOCAL,
      backfillMs: 7_200_000,
      stopTimeoutMs: 3_000,
      timeScale: 20,
    });
    expect(options.connectTimeoutMs).toBe('never');
  });
});
