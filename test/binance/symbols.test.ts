import { describe, expect, test } from 'vitest';
import {
  isPerpetual,
  type ListedSymbol,
  phaseOf,
  readContractInfo,
  readSymbols,
} from '../../src/binance/symbols.ts';
import { fixturesMissing } from '../support/fixtures.ts';
import { readJson } from './recorded.ts';

const NOW = Date.UTC(2026, 10, 21);
const NEVER = 4_133_404_800_000;
const listed = (change: Partial<ListedSymbol> = {}): ListedSymbol => ({
  symbol: 'BTCUSDT',
  status: 'TRADING',
  contractType: 'PERPETUAL',
  onboardDate: 1,
  deliveryDate: NEVER,
  ...change,
});

describe('what a status means', () => {
  test.each([
    ['PENDING_TRADING', 'pending'],
    ['TRADING', 'trading'],
    ['TRADING_HALT', 'halted'],
    ['TRADING_CANCEL_ONLY', 'halted'],
    ['PRE_DELIVERING', 'halted'],
    ['PRE_SETTLE', 'halted'],
    ['DELIVERING', 'ended'],
    ['DELIVERED', 'ended'],
    ['SETTLING', 'ended'],
    ['CLOSE', 'ended'],
    ['A_NEW_WORD', 'halted'],
    ['constructor', 'halted'],
  ])('%s: %s', (status, phase) => expect(phaseOf(listed({ status }), NOW)).toBe(phase));

  test('a delivery that is past ends it, whatever the status; one that is not said does not', () => {
    expect(phaseOf(listed({ deliveryDate: NOW }), NOW)).toBe('ended');
    expect(phaseOf(listed({ deliveryDate: NOW + 1 }), NOW)).toBe('trading');
    expect(phaseOf(listed({ deliveryDate: 0 }), NOW)).toBe('trading');
  });

  test('all means perpetuals of either kind, and no quarter', () => {
    const kinds = ['PERPETUAL', 'TRADIFI_PERPETUAL', 'CURRENT_QUARTER', 'PERPETUAL_DELIVERING', ''];
    expect(kinds.map((contractType) => isPerpetual(listed({ contractType })))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe.skipIf(fixturesMissing)('recorded lists', () => {
  test('say when a contract is delivered', () => {
    const entries = readSymbols(readJson('samples/rest-exchangeInfo-excerpt.json'));
    const phases = entries.map((entry) => [entry.symbol, phaseOf(entry, NOW)]);
    expect(phases).toEqual([
      ['BTCUSDT', 'trading'],
      ['XAUUSDT', 'trading'],
      ['币安人生USDT', 'trading'],
      ['OMGUSDT', 'ended'],
      ['BTCUSDT_261225', 'trading'],
    ]);
    expect(entries.find((entry) => entry.symbol === 'OMGUSDT')?.deliveryDate).toBe(1_738_314_000_000);
  });
});

describe('contractInfo events', () => {
  const event = (file: string) => readContractInfo(readJson(`samples/${file}`) as Record<string, unknown>);

  test.skipIf(fixturesMissing)('are read as listings, as recorded', () => {
    expect(event('ws-contractInfo-doc-example.json')).toEqual({
      symbol: 'IOTAUSDT',
      status: 'TRADING',
      contractType: 'PERPETUAL',
      onboardDate: 1_569_398_400_000,
      deliveryDate: NEVER,
    });
    expect(event('ws-contractInfo-pending-trading.json')).toMatchObject({
      symbol: 'BIGTIMEUSDT',
      status: 'PENDING_TRADING',
    });
  });

  test.each([
    {},
    { s: 'A' },
    { cs: 'TRADING' },
    { s: '', cs: 'TRADING' },
    { s: 1, cs: 'TRADING' },
    { s: 'A', cs: 1 },
  ])('without symbol and status say nothing: %j', (fields) =>
    expect(readContractInfo(fields)).toBeUndefined(),
  );

  test('may lack all the rest', () => {
    expect(readContractInfo({ s: 'A', cs: 'NEW', ct: 1, ot: 'x', dt: -1 })).toEqual({
      symbol: 'A',
      status: 'NEW',
      contractType: '',
      onboardDate: 0,
      deliveryDate: 0,
    });
  });
});
