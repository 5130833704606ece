import { describe, expect, test } from 'vitest';
import { Roster, type RosterChange, retirements } from '../../src/actors/roster.ts';
import type { ListedSymbol } from '../../src/binance/symbols.ts';
import { at } from '../pipeline/candles.ts';

const NEVER = 4_133_404_800_000;
const listed = (symbol: string, status = 'TRADING', change: Partial<ListedSymbol> = {}): ListedSymbol => ({
  symbol,
  status,
  contractType: 'PERPETUAL',
  onboardDate: 0,
  deliveryDate: NEVER,
  ...change,
});
const BTC = listed('BTCUSDT');
const ETH = listed('ETHUSDT');

/** `+` starts, `-` ends, and what is told, as `+BTCUSDT -ETHUSDT@5 SYMBOL_LISTED(BTCUSDT)`; times in minutes. */
const brief = (change: RosterChange | undefined): string =>
  change === undefined
    ? 'nothing'
    : [
        ...change.start.map(({ symbol }) => `+${symbol}`),
        ...change.retire.map((one) => `-${one.symbol}@${(one.at - at(0)) / 60_000}`),
        ...change.news.map(({ code, symbols }) => `${code}(${symbols.join()})`),
      ].join(' ');

function rosterOf(wanted: 'all' | string[], list: ListedSymbol[]) {
  const time = { now: 0 };
  const roster = new Roster(wanted, () => time.now);
  const first = brief(roster.begin(list, at(0)));
  return {
    roster,
    first,
    time,
    update: (minute: number, ...entries: ListedSymbol[]) => brief(roster.update(entries, at(minute))),
    hear: (minute: number, entry: ListedSymbol) => brief(roster.hear(entry, at(minute))),
  };
}

describe('symbols that are asked for by name', () => {
  test('start when they trade, and nobody else does', () => {
    const { first, update, roster } = rosterOf(['BTCUSDT'], [BTC, ETH]);
    expect(first).toBe('+BTCUSDT SYMBOL_LISTED(BTCUSDT)');
    expect(update(1, BTC, ETH, listed('NEWUSDT'))).toBe('');
    expect(roster.standing('ETHUSDT')).toBeUndefined();
  });

  test('are waited for when they are listed and do not trade yet', () => {
    const pending = listed('NEWUSDT', 'PENDING_TRADING');
    const { first, update, roster } = rosterOf(['NEWUSDT'], [BTC, pending]);
    expect(first).toBe('');
    expect(roster.standing('NEWUSDT')).toBe('waiting');
    expect(update(1, BTC, pending)).toBe('');
    expect(update(2, BTC, listed('NEWUSDT', 'TRADING_CANCEL_ONLY'))).toBe('');
    expect(update(3, BTC, listed('NEWUSDT'))).toBe('+NEWUSDT SYMBOL_LISTED(NEWUSDT)');
  });

  test('that have ended already start and end at once: bars may be owed', () => {
    const over = listed('OMGUSDT', 'SETTLING', { deliveryDate: at(-7) });
    const { first, roster } = rosterOf(['OMGUSDT', 'BTCUSDT'], [over, BTC]);
    expect(first).toBe('+OMGUSDT +BTCUSDT -OMGUSDT@-7 SYMBOL_RETIRED(OMGUSDT) SYMBOL_LISTED(BTCUSDT)');
    expect(roster.standing('OMGUSDT')).toBe('retired');
  });

  test('that wait and are never listed need no end', () => {
    const { update } = rosterOf(['NEWUSDT', 'BTCUSDT'], [BTC, listed('NEWUSDT', 'PENDING_TRADING')]);
    expect(update(1, BTC)).toBe('SYMBOL_RETIRED(NEWUSDT)');
  });

  test('are known anew at the next start', () => {
    const { roster, update } = rosterOf(['BTCUSDT'], [BTC, ETH]);
    update(1, ETH);
    expect(brief(roster.begin([BTC, ETH], at(2)))).toBe('+BTCUSDT SYMBOL_LISTED(BTCUSDT)');
  });
});

describe('all symbols', () => {
  test('are the perpetuals that trade', () => {
    const { first } = rosterOf('all', [
      BTC,
      listed('XAUUSDT', 'TRADING', { contractType: 'TRADIFI_PERPETUAL' }),
      listed('BTCUSDT_261225', 'TRADING', { contractType: 'CURRENT_QUARTER' }),
      listed('OMGUSDT', 'SETTLING'),
      listed('NEWUSDT', 'PENDING_TRADING'),
      listed('HALTUSDT', 'TRADING_HALT'),
    ]);
    expect(first).toBe('+BTCUSDT +XAUUSDT SYMBOL_LISTED(BTCUSDT,XAUUSDT)');
  });

  test('grow by those that begin to trade', () => {
    const { update } = rosterOf('all', [BTC, listed('HALTUSDT', 'TRADING_HALT')]);
    expect(update(1, BTC, ETH, listed('NEWUSDT', 'PENDING_TRADING'))).toBe('+ETHUSDT SYMBOL_LISTED(ETHUSDT)');
    expect(update(2, BTC, ETH, listed('NEWUSDT'), listed('HALTUSDT'))).toBe(
      '+NEWUSDT +HALTUSDT SYMBOL_LISTED(NEWUSDT,HALTUSDT)',
    );
  });
});

describe('a symbol that is collected', () => {
  test.each([
    'TRADING_HALT',
    'TRADING_CANCEL_ONLY',
    'PRE_SETTLE',
    'PRE_DELIVERING',
    'NEW_WORD',
    'PENDING_TRADING',
  ])('keeps its streams while it is %s, and that is told once', (status) => {
    const { update, roster } = rosterOf('all', [BTC, ETH]);
    expect(update(1, BTC, listed('ETHUSDT', status))).toBe('SYMBOL_HALTED(ETHUSDT)');
    expect(update(2, BTC, listed('ETHUSDT', status))).toBe('');
    expect(roster.standing('ETHUSDT')).toBe('halted');
    expect(update(3, BTC, ETH)).toBe('SYMBOL_RESUMED(ETHUSDT)');
  });

  test.each([
    ['is settled', [BTC, listed('ETHUSDT', 'SETTLING')], 1],
    ['is delivered', [BTC, listed('ETHUSDT', 'DELIVERED')], 1],
    ['is closed', [BTC, listed('ETHUSDT', 'CLOSE')], 1],
    ['is listed no more', [BTC], 1],
    ['was delivered', [BTC, listed('ETHUSDT', 'SETTLING', { deliveryDate: at(-2) })], -2],
    [
      'is past its delivery, whatever the status',
      [BTC, listed('ETHUSDT', 'TRADING', { deliveryDate: at(0) })],
      0,
    ],
    [
      'will be delivered later than it ended',
      [BTC, listed('ETHUSDT', 'SETTLING', { deliveryDate: at(9) })],
      1,
    ],
  ])('ends when it %s, once, and nobody else', (_, list, minute) => {
    const { update, roster } = rosterOf('all', [BTC, ETH]);
    expect(update(1, ...list)).toBe(`-ETHUSDT@${minute} SYMBOL_RETIRED(ETHUSDT)`);
    expect(update(2, ...list)).toBe('');
    expect(roster.standing('ETHUSDT')).toBe('retired');
    expect(roster.standing('BTCUSDT')).toBe('trading');
  });

  test('starts again when it trades again', () => {
    const { update } = rosterOf('all', [BTC, ETH]);
    update(1, BTC);
    expect(update(2, BTC, listed('ETHUSDT', 'TRADING_HALT'))).toBe('');
    expect(update(3, BTC, ETH)).toBe('+ETHUSDT SYMBOL_LISTED(ETHUSDT)');
  });

  test('that was the last one left is told of, once', () => {
    const { update } = rosterOf(['BTCUSDT', 'ETHUSDT'], [BTC, ETH]);
    expect(update(1, BTC, listed('ETHUSDT', 'CLOSE'))).toBe('-ETHUSDT@1 SYMBOL_RETIRED(ETHUSDT)');
    const none = [listed('BTCUSDT', 'CLOSE'), listed('ETHUSDT', 'CLOSE')];
    expect(update(2, ...none)).toBe('-BTCUSDT@2 SYMBOL_RETIRED(BTCUSDT) SYMBOLS_GONE(BTCUSDT,ETHUSDT)');
    expect(update(3, ...none)).toBe('');
  });

  test('is looked at when it is delivered', () => {
    const { roster, update } = rosterOf('all', [BTC, listed('ETHUSDT', 'TRADING', { deliveryDate: at(5) })]);
    expect(roster.nextDelivery(at(1))).toBe(at(5));
    update(6, BTC);
    expect(roster.nextDelivery(at(6))).toBe(NEVER);
  });
});

describe('a list', () => {
  const many = Array.from({ length: 10 }, (_, index) => listed(`S${index}USDT`));

  test('that has lost more than half is not believed, unless it says so three times in a row', () => {
    const { roster } = rosterOf('all', many);
    expect(roster.believes(many.slice(5))).toBe(true);
    expect([roster.believes(many.slice(6)), roster.believes([])]).toEqual([false, false]);
    expect(roster.believes(many)).toBe(true);
    expect([1, 2, 3].map(() => roster.believes(many.slice(9)))).toEqual([false, false, true]);
  });
});

describe('an event', () => {
  test('starts a symbol at once, and is confirmed by the list', () => {
    const { hear, update, roster } = rosterOf('all', [BTC]);
    expect(hear(1, ETH)).toBe('+ETHUSDT SYMBOL_LISTED(ETHUSDT)');
    expect(roster.isUnsettled).toBe(true);
    expect(update(2, BTC, ETH)).toBe('');
    expect(roster.isUnsettled).toBe(false);
  });

  test('starts a symbol that is waited for', () => {
    const { hear } = rosterOf(['NEWUSDT'], [BTC, listed('NEWUSDT', 'PENDING_TRADING')]);
    expect(hear(1, listed('NEWUSDT'))).toBe('+NEWUSDT SYMBOL_LISTED(NEWUSDT)');
  });

  test('that the list has not heard of yet holds for a minute, then the list is right', () => {
    const { hear, update, time, roster } = rosterOf('all', [BTC]);
    hear(1, ETH);
    time.now = 59_999;
    expect(update(2, BTC)).toBe('');
    expect(update(2, BTC, listed('ETHUSDT', 'PENDING_TRADING'))).toBe('');
    expect(roster.isUnsettled).toBe(true);
    time.now = 60_000;
    expect(update(2, BTC)).toBe('-ETHUSDT@2 SYMBOL_RETIRED(ETHUSDT)');
    expect(roster.isUnsettled).toBe(false);
  });

  test('ends a symbol at once, when the event says', () => {
    const { hear, update, roster } = rosterOf('all', [BTC, ETH]);
    expect(hear(3, listed('ETHUSDT', 'SETTLING', { deliveryDate: at(2) }))).toBe(
      '-ETHUSDT@2 SYMBOL_RETIRED(ETHUSDT)',
    );
    expect(roster.isUnsettled).toBe(true);
    expect(update(4, BTC, ETH)).toBe('');
    expect(update(5, BTC, listed('ETHUSDT', 'SETTLING'))).toBe('');
    expect(roster.isUnsettled).toBe(false);
  });

  test('of an end that is none is taken back after a minute', () => {
    const { hear, update, time } = rosterOf(['ETHUSDT'], [ETH]);
    expect(hear(1, listed('ETHUSDT', 'CLOSE'))).toBe(
      '-ETHUSDT@1 SYMBOL_RETIRED(ETHUSDT) SYMBOLS_GONE(ETHUSDT)',
    );
    time.now = 60_000;
    expect(update(2, ETH)).toBe('+ETHUSDT SYMBOL_LISTED(ETHUSDT)');
  });

  test('does not keep a symbol that the list says has ended', () => {
    const { hear, update } = rosterOf('all', [BTC, ETH]);
    hear(1, listed('ETHUSDT', 'TRADING_HALT'));
    expect(update(2, BTC, listed('ETHUSDT', 'SETTLING'))).toBe('-ETHUSDT@2 SYMBOL_RETIRED(ETHUSDT)');
  });

  test('of a halt is noted at once', () => {
    const { hear, update } = rosterOf('all', [BTC, ETH]);
    expect(hear(1, listed('ETHUSDT', 'TRADING_HALT'))).toBe('SYMBOL_HALTED(ETHUSDT)');
    expect(update(2, BTC, ETH)).toBe('');
    expect(update(3, BTC, listed('ETHUSDT', 'TRADING_HALT'))).toBe('');
    expect(update(4, BTC, ETH)).toBe('SYMBOL_RESUMED(ETHUSDT)');
  });

  test.each([
    ['of what is known', ['BTCUSDT'], BTC],
    ['of a symbol that nobody asked for', ['BTCUSDT'], ETH],
    [
      'of a quarter',
      'all' as const,
      listed('BTCUSDT_261225', 'TRADING', { contractType: 'CURRENT_QUARTER' }),
    ],
    ['of a listing that is to come', 'all' as const, listed('NEWUSDT', 'PENDING_TRADING')],
  ])('%s says nothing', (_, wanted, entry) => {
    const { hear, roster } = rosterOf(wanted as 'all', [BTC]);
    expect(hear(1, entry)).toBe('nothing');
    expect(roster.isUnsettled).toBe(false);
  });

  test('that is repeated is one', () => {
    const { hear } = rosterOf('all', [BTC, ETH]);
    hear(1, listed('ETHUSDT', 'SETTLING'));
    expect(hear(1, listed('ETHUSDT', 'SETTLING'))).toBe('nothing');
  });
});

test('the streams of a symbol end with the bar that its end falls into, each by its interval', () => {
  const ended = [
    { symbol: 'AUSDT', at: at(2) },
    { symbol: 'BUSDT', at: at(1) + 1 },
  ];
  expect(retirements(ended, ['1m', '1h'])).toEqual([
    { ids: ['stream.AUSDT@1m', 'stream.BUSDT@1m'], endTime: at(2) },
    { ids: ['stream.AUSDT@1h', 'stream.BUSDT@1h'], endTime: at(47) },
  ]);
});
