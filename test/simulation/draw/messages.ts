/** Rows P and D: what is wrong with messages, and with what they say. */
import fc from 'fast-check';
import type { Act } from '../plan.ts';
import { aSymbol, between, DROP, exchange, type Kind, MINUTE, seconds, someStreams } from './kind.ts';

/** Minutes, in ms. */
const minutes = (from: number, to: number): fc.Arbitrary<number> =>
  between(from, to).map((count) => count * MINUTE);
/** A bar of the longest interval that is collected may close under it. */
const CLOSE_MS = { from: 60, to: 420 };

type CloseMode = Extract<Parameters<typeof exchange>[0], { kind: 'closes' }>['mode'];

const closes = (row: string, mode: CloseMode, weight = 1): Kind => ({
  row,
  weight,
  draw: (setting) =>
    fc
      .record({
        streams: fc.option(someStreams(setting), { nil: undefined }),
        times: between(1, 20),
        delayMs: seconds(1, 150),
        forMs: seconds(CLOSE_MS.from, CLOSE_MS.to),
      })
      .map(({ streams, ...rest }) => [
        exchange({ kind: 'closes', mode, ...rest, ...(streams === undefined ? {} : { streams }) }),
      ]),
});

const texts = (row: string, pieces: readonly string[]): Kind => ({
  row,
  draw: () =>
    fc
      .record({ text: fc.constantFrom(...pieces), every: between(3, 40), forMs: seconds(10, 180) })
      .map((garbage) => [exchange({ kind: 'malformed', ...garbage })]),
});

const foreign = (stream: string, symbol: string, interval: string): string =>
  JSON.stringify({
    stream,
    data: {
      e: 'kline',
      E: 1_772_000_000_000,
      s: symbol,
      k: { t: 1_772_000_000_000, T: 1_772_000_059_999, s: symbol, i: interval, x: true },
    },
  });

export const MESSAGES: readonly Kind[] = [
  {
    row: 'P01',
    draw: () => minutes(1, 12).map((forMs) => [exchange({ kind: 'mute', forMs }), DROP]),
  },
  {
    row: 'P02',
    weight: 2,
    draw: (setting) =>
      fc
        .record({
          streams: someStreams(setting),
          until: fc.constantFrom('resubscribe' as const, 'reconnect' as const, undefined),
          forMs: minutes(1, 15),
          drops: fc.boolean(),
        })
        .map(({ drops, until, ...rest }) => [
          ...(drops ? [DROP] : []),
          exchange({ kind: 'mute', ...rest, ...(until === undefined ? {} : { until }) }),
        ]),
  },
  {
    row: 'P03',
    draw: () =>
      fc.oneof(
        seconds(5, 60).map((forMs) => [exchange({ kind: 'noAck', forMs }), DROP]),
        between(1, 4).map((times) => [
          exchange({ kind: 'errorAck', code: 2, msg: 'Invalid request', times, forMs: 2 * MINUTE }),
          DROP,
        ]),
      ),
  },
  texts('P07', ['{"e":"news","E":1,"what":{}}', '{"stream":"btcusdt@news","data":{"e":"news"}}']),
  {
    row: 'P08',
    weight: 2,
    draw: () =>
      fc.oneof(
        between(1, 30).map((times) => [exchange({ kind: 'malformed', times })]),
        fc
          .record({ every: between(2, 30), forMs: seconds(10, 180) })
          .map((garbage) => [exchange({ kind: 'malformed', ...garbage })]),
      ),
  },
  texts('P09', ['{"stream":"btcusdt@kline_1m","data":{"e":"kline","s":"BTCUSDT","k":[]}}']),
  texts('P10', [
    foreign('nobodyusdt@kline_1m', 'NOBODYUSDT', '1m'),
    foreign('btcusdt@kline_3m', 'BTCUSDT', '3m'),
  ]),
  closes('D01', 'omit', 3),
  closes('D02', 'duplicate'),
  closes('D03', 'conflict'),
  closes('D04', 'swap'),
  closes('D01', 'delay', 2),
  {
    row: 'D05',
    draw: (setting) =>
      fc
        .record({ streams: someStreams(setting), bars: between(1, 60) })
        .map((replay) => [exchange({ kind: 'replay', ...replay })]),
  },
  closes('D06', 'early'),
  closes('D07', 'insane'),
  {
    row: 'D09',
    draw: (setting) =>
      fc
        .record({
          symbol: fc.option(aSymbol(setting), { nil: undefined }),
          from: minutes(2, 10),
          lasts: minutes(0, 15),
        })
        .map(({ symbol, from, lasts }) => [
          exchange({
            kind: 'outage',
            from,
            to: from + lasts,
            ...(symbol === undefined ? {} : { symbol }),
          }),
        ]),
  },
  {
    row: 'D12',
    draw: () =>
      fc
        .record({ lagMs: seconds(1, 60), forMs: seconds(30, 300) })
        .map((lag) => [
          exchange({ kind: 'lag', show: 'open', ...lag }),
          exchange({ kind: 'closes', mode: 'omit', forMs: lag.forMs }),
        ]),
  },
  closes('D13', 'alter'),
  {
    row: 'D13',
    draw: (setting) =>
      fc
        .record({ symbol: aSymbol(setting), interval: fc.constantFrom(...setting.intervals) })
        .map((bar) => [exchange({ kind: 'revise', openTime: 'last', ...bar })]),
  },
  { row: 'D14', draw: (setting) => fc.tuple(aSymbol(setting), minutes(1, 40)).map(halt) },
];

/** A symbol does not trade for a while. */
function halt([symbol, forMs]: [string, number]): readonly Act[] {
  return [
    exchange({ kind: 'symbol', symbol, action: 'halt' }),
    exchange({ kind: 'symbol', symbol, action: 'resume' }, forMs),
  ];
}
