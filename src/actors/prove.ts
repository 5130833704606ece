import { fromPromise } from 'xstate';
import type { Proof, ProofInput } from '../../machines/connection.types.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { klinesRequest, newestKlineRequest, readKlines } from '../binance/rest.ts';
import { seriesOfStream } from '../binance/streams.ts';
import type { Clock } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { RestPort } from './rest-port.ts';

/** Symbols asked at a time: usually one of the first trades, and the others need not be asked. */
const SYMBOLS_AT_ONCE = 20;
/** Of the second reading: the bar of the first one and those that may have begun since. */
const ROWS = 10;

/**
 * Tells a quiet socket from a mute one: reads the newest bar of its symbols twice and compares, some symbols at a
 * time, until one has traded. Trades between the readings, and no frame, mean mute. The verdict is about the socket;
 * its streams prove themselves one by one. A socket without streams has nothing to be mute about.
 */
export const proveActor = (ports: { rest: RestPort; clock: Clock; startNow?: (series: Series) => void }) =>
  fromPromise<Proof, ProofInput>(async ({ input, signal }) => {
    const read = async (series: Series, from?: number): Promise<Candle[]> => {
      const request = from === undefined ? newestKlineRequest(series) : klinesRequest(series, from, ROWS);
      return readKlines(series, await ports.rest.ask(request, signal));
    };
    const haveTraded = async (asked: readonly Series[]): Promise<boolean> => {
      const before = (await Promise.all(asked.map((series) => read(series)))).map((rows) => rows.at(-1));
      await sleep(ports.clock, input.spacingMs, signal);
      // From the bar that was read, which may have ended meanwhile: its last trades count too.
      const after = await Promise.all(asked.map((series, index) => read(series, before[index]?.openTime)));
      return asked.some((_, index) => traded(before[index], after[index] ?? []));
    };
    const carried = input.streams.map(seriesOfStream).filter((series) => series !== undefined);
    const all = onePerSymbol(carried);
    for (let first = 0; first < all.length; first += SYMBOLS_AT_ONCE)
      if (await haveTraded(all.slice(first, first + SYMBOLS_AT_ONCE))) {
        // No stream of it will speak soon: what closes from now on is owed by REST.
        for (const series of carried) ports.startNow?.(series);
        return 'mute';
      }
    return 'quiet';
  });

const onePerSymbol = (all: readonly Series[]): Series[] => [
  ...new Map(all.map((series) => [series.symbol, series])).values(),
];

/** Whether trades fell between a reading of the newest bar and one of it and its successors. */
const traded = (before: Candle | undefined, after: readonly Candle[]): boolean =>
  after.some((bar) => bar.count > (bar.openTime === before?.openTime ? before.count : 0));
