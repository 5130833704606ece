/** Words and numbers that others read: exit codes, causes of a reconnect, reasons of gaps. */
import { expect, test } from 'vitest';
import { EXIT, exitCodeFor } from '../../../machines/model/exit-code.ts';
import * as reasons from '../../../machines/model/gap-reasons.ts';
import { causeOfClose, noReconnects, RECONNECT_CAUSES } from '../../../machines/model/reconnect.ts';
import { candlesOf, type Row } from '../../../machines/model/row.ts';

test('exit codes are those of the contract, and an end that lost something is a failure', () => {
  expect(EXIT).toEqual({ finished: 0, failed: 1, usage: 2, SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });
  const names = Object.keys(EXIT) as (keyof typeof EXIT)[];
  expect(names.map((reason) => exitCodeFor(reason, true))).toEqual([0, 1, 2, 129, 130, 143]);
  expect(names.map((reason) => exitCodeFor(reason, false))).toEqual([1, 1, 2, 1, 1, 1]);
});

test('a socket that closed did so by an announcement, a refusal, or after or before it had opened', () => {
  expect(causeOfClose({ code: 1006, announced: true, status: 503 }, true)).toBe('announced');
  expect(causeOfClose({ code: 1006, status: 503 }, true)).toBe('refused');
  expect(causeOfClose({ code: 1006 }, true)).toBe('closed');
  expect(causeOfClose({ code: 1006 }, false)).toBe('unreachable');
});

test('reconnects are counted by causes whose names metrics have', () => {
  expect(RECONNECT_CAUSES.join(' ')).toBe(
    'closed announced refused unreachable unacknowledged silent mute garbled failed',
  );
  expect(noReconnects()).toEqual(Object.fromEntries(RECONNECT_CAUSES.map((cause) => [cause, 0])));
});

test('a gap rests on the word of the exchange, or on that it was not asked', () => {
  const { EXCHANGE_LACKS, EXCHANGE_UNREACHED, FOLDER_LACKS, ARCHIVE_LACKS, EXCHANGE_FORGOT, FOLDER_FORGOT } =
    reasons;
  const all = [
    EXCHANGE_LACKS,
    EXCHANGE_UNREACHED,
    FOLDER_LACKS,
    ARCHIVE_LACKS,
    EXCHANGE_FORGOT,
    FOLDER_FORGOT,
  ];
  expect(all.map(reasons.isSaidByExchange)).toEqual([true, false, false, false, true, false]);
  expect(reasons.WORD_HOLDS_MS).toBe(24 * 3_600_000);
  // Stores hold them: a word that changes here is another reason there.
  expect(all).toEqual([
    'the exchange has no such bar',
    'the exchange could not be asked for it',
    'the archive folder has no such bar, and the exchange was not asked',
    'the archive has no such bar, and REST was not asked',
    'the archive has no such bar, and REST does not know the symbol',
    'the archive folder has no such bar, and REST does not know the symbol',
  ]);
});

test('a row brings as many candles into a transaction as it has', () => {
  const rows = [
    { candle: {} },
    { gap: {} },
    { revision: {} },
    { rewind: {} },
    { fill: { candles: [{}, {}] } },
  ];
  expect(rows.map((row) => candlesOf(row as unknown as Row))).toEqual([1, 1, 1, 0, 2]);
});
