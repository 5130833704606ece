import { fromPromise } from 'xstate';
import type { Proof, ProofInput } from '../../machines/connection.types.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { newestKlineRequest, readKlines } from '../binance/rest.ts';
import { seriesOfStream } from '../binance/streams.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Clock } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { RestPort } from './rest-port.ts';

/** Symbols asked at most: when that many trade and none of them came, the socket is mute. */
const SYMBOLS_MAX = 20;

/**
 * Tells a quiet socket from a mute one: reads the newest bar of its symbols twice and compares. Trades
 * between the readings, and no frame, mean mute. Quiet series are told so, for from now on they owe bars.
 */
export const proveActor = (ports: { rest: RestPort; clock: Clock; pipeline: Pipeline }) =>
  fromPromise<Proof, ProofInput>(async ({ input, signal }) => {
    const all = input.streams.map(seriesOfStream).filter((series) => series !== undefined);
    const asked = onePerSymbol(all).slice(0, SYMBOLS_MAX);
    const read = async (series: Series): Promise<Candle | undefined> =>
      readKlines(series, await ports.rest.ask(newestKlineRequest(series), signal)).at(-1);
    const before = await Promise.all(asked.map(read));
    await sleep(ports.clock, input.spacingMs, signal);
    const after = await Promise.all(asked.map(read));
    const hasTraded = asked.some((_, index) => traded(before[index], after[index]));
    if (hasTraded) return 'mute';
    for (const series of all) ports.pipeline.goQuiet(series);
    return 'quiet';
  });

const onePerSymbol = (all: readonly Series[]): Series[] => [
  ...new Map(all.map((series) => [series.symbol, series])).values(),
];

/** Whether trades fell between two readings of the newest bar; a new bar without trades is none. */
function traded(before: Candle | undefined, after: Candle | undefined): boolean {
  if (after === undefined) return false;
  if (before === undefined || before.openTime !== after.openTime) return after.count > 0;
  return after.count > before.count;
}
