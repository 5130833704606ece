import { fromPromise } from 'xstate';
import type { Proof, ProofInput } from '../../machines/connection.types.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { klinesRequest, newestKlineRequest, readKlines } from '../binance/rest.ts';
import { seriesOfStream } from '../binance/streams.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Clock } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { RestPort } from './rest-port.ts';

/** Symbols asked at most: when that many trade and none of them came, the socket is mute. */
const SYMBOLS_MAX = 20;
/** Of the second reading: the bar of the first one and those that may have begun since. */
const ROWS = 10;

/**
 * Tells a quiet socket from a mute one: reads the newest bar of its symbols twice and compares. Trades
 * between the readings, and no frame, mean mute. Quiet series are told so, for from now on they owe bars.
 */
export const proveActor = (ports: { rest: RestPort; clock: Clock; pipeline: Pipeline }) =>
  fromPromise<Proof, ProofInput>(async ({ input, signal }) => {
    const all = input.streams.map(seriesOfStream).filter((series) => series !== undefined);
    const asked = onePerSymbol(all).slice(0, SYMBOLS_MAX);
    const read = async (series: Series, from?: number): Promise<Candle[]> => {
      const request = from === undefined ? newestKlineRequest(series) : klinesRequest(series, from, ROWS);
      return readKlines(series, await ports.rest.ask(request, signal));
    };
    const before = (await Promise.all(asked.map((series) => read(series)))).map((rows) => rows.at(-1));
    await sleep(ports.clock, input.spacingMs, signal);
    // From the bar that was read, which may have ended meanwhile: its last trades count too.
    const after = await Promise.all(asked.map((series, index) => read(series, before[index]?.openTime)));
    const hasTraded = asked.some((_, index) => traded(before[index], after[index] ?? []));
    if (hasTraded) return 'mute';
    for (const series of all) ports.pipeline.goQuiet(series);
    return 'quiet';
  });

const onePerSymbol = (all: readonly Series[]): Series[] => [
  ...new Map(all.map((series) => [series.symbol, series])).values(),
];

/** Whether trades fell between a reading of the newest bar and one of it and its successors. */
const traded = (before: Candle | undefined, after: readonly Candle[]): boolean =>
  after.some((bar) => bar.count > (bar.openTime === before?.openTime ? before.count : 0));
