/** Rows H: what is wrong with REST. */
import fc from 'fast-check';
import type { Act, ExchangeFault } from '../plan.ts';
import { aSymbol, between, CANARY, exchange, type Kind, MINUTE, seconds } from './kind.ts';

/** Closes fail meanwhile, so that REST is needed. */
const needed = (forMs: number): Act =>
  exchange({ kind: 'closes', mode: 'omit', times: 30, forMs: Math.max(forMs, 2 * MINUTE) });

type RestFault = Omit<Extract<ExchangeFault, { kind: 'rest' }>, 'kind' | 'times' | 'forMs'>;

/** REST answers so for a number of times, or for a while. */
const failing = (row: string, faults: readonly RestFault[], weight = 1): Kind => ({
  row,
  weight,
  draw: () =>
    fc
      .record({
        fault: fc.constantFrom(...faults),
        times: fc.option(between(1, 8), { nil: undefined }),
        forMs: seconds(10, 240),
      })
      .map(({ fault, times, forMs }) => [
        exchange({ kind: 'rest', ...fault, forMs, ...(times === undefined ? {} : { times }) }),
        needed(forMs),
      ]),
});

const limited = (retryAfter: string | undefined): RestFault => ({
  status: 429,
  headers: {
    'X-Secret': CANARY,
    ...(retryAfter === undefined ? {} : { 'Retry-After': retryAfter }),
  },
  body: { code: -1003, msg: 'Too many requests' },
});

export const REST: readonly Kind[] = [
  failing('H01', [limited('1'), limited('20'), limited('45')]),
  {
    row: 'H02',
    draw: () =>
      fc
        .record({ forMs: seconds(5, 300), retryAfter: fc.boolean(), text: fc.boolean() })
        .map((ban) => [exchange({ kind: 'ban', ...ban }), needed(ban.forMs)]),
  },
  // Not for ever: who is told to wait for years does so, and nothing more is to be seen of that day.
  failing('H03', [limited('0'), limited('-1'), limited('NaN'), limited('soon'), limited(undefined)]),
  failing('H04', [{ hang: 'headers' }, { hang: 'body' }], 2),
  failing('H05', [
    { body: `<html>Bad gateway ${CANARY}</html>`, contentType: 'text/html' },
    { body: '' },
    { body: '[]', path: '/fapi/v1/klines' },
    { cut: true },
    { gzip: 'bad' },
    { body: '[[1,2' },
  ]),
  failing('H06', [{ destroy: true }, { status: 500 }, { status: 502 }, { status: 503 }, { status: 408 }], 2),
  failing('H06', [{ status: 403 }, { status: 451 }]),
  failing('H04', [{ delayMs: 1_500 }, { delayMs: 8_000 }]),
  {
    row: 'H08',
    draw: () => between(500, 2_390).map((used) => [exchange({ kind: 'weight', used }), needed(MINUTE)]),
  },
  {
    row: 'H14',
    draw: (setting) =>
      fc
        .record({
          symbol: aSymbol(setting),
          from: between(-3, 0),
          lasts: between(0, 6),
          forMs: seconds(20, 900),
        })
        .map(({ symbol, from, lasts, forMs }) => [
          exchange({
            kind: 'absent',
            symbol,
            from: from * MINUTE,
            to: (from + lasts) * MINUTE,
            forMs,
          }),
          exchange({ kind: 'closes', mode: 'omit', forMs: (lasts + 1) * MINUTE }),
        ]),
  },
  {
    row: 'H14',
    draw: () =>
      fc
        .record({ lagMs: seconds(5, 90), forMs: seconds(30, 240) })
        .map((lag) => [exchange({ kind: 'lag', show: 'nothing', ...lag }), needed(lag.forMs)]),
  },
];
