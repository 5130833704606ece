import { fromPromise } from 'xstate';
import type { ProveStreamInput, StreamProof } from '../../machines/kline-stream.types.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { newestKlineRequest, readKlines } from '../binance/rest.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { hasTraded, type Witness } from '../pipeline/pulse.ts';
import type { Clock } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { RestPort } from './rest-port.ts';
import { SharedWork, Turnstile } from './shared-work.ts';

/** Questions about streams that are with REST at a time: bars that are owed are not to wait behind hundreds. */
const AT_ONCE = 10;
/** The most that costs no more than one, so that bars which began between two readings are seen too. */
const ROWS = 99;

export interface ProveStreamPorts {
  readonly rest: RestPort;
  readonly clock: Clock;
  readonly pipeline: Pipeline;
}

interface Finding {
  readonly traded: boolean;
  readonly witness: Witness | undefined;
}

/**
 * Tells a quiet stream from a mute one, by what REST has of its symbol's trades. Trades and no frame mean mute, once
 * a frame has had its time to arrive; the chart leaves this state when one does. Either way the bars of the series
 * are owed from now on: a failure of REST decides nothing and rejects.
 */
export const proveStreamActor = (ports: ProveStreamPorts) => {
  const turnstile = new Turnstile(AT_ONCE);
  const bySymbol = new SharedWork<Finding>();

  const read = (series: Series, rows: number, signal: AbortSignal): Promise<Candle[]> =>
    turnstile.pass(signal, async () =>
      readKlines(series, await ports.rest.ask(newestKlineRequest(series, rows), signal)),
    );

  /** Two readings, some seconds apart. Fifteen intervals of one symbol that ask together cost those of one. */
  const sinceNow = ({ series, spacingMs }: ProveStreamInput, signal: AbortSignal): Promise<Finding> =>
    bySymbol.join(series.symbol, signal, async (shared, closeDoor) => {
      const before = newest(series, await read(series, 1, shared));
      // Who comes later has not been watched from here on.
      closeDoor();
      await sleep(ports.clock, spacingMs, shared);
      const after = await read(series, ROWS, shared);
      return { traded: hasTraded(before, after), witness: newest(series, after) };
    });

  /** One reading, against the last frame of this connection, or the reading after it. */
  const sinceThen = async (then: Witness, signal: AbortSignal): Promise<Finding> => {
    const after = await read(then.series, ROWS, signal);
    return { traded: hasTraded(then, after), witness: newest(then.series, after) };
  };

  return fromPromise<StreamProof, ProveStreamInput>(async ({ input, signal }) => {
    const pulse = ports.pipeline.cursor(input.series)?.pulse;
    const last = input.since === 'last' ? pulse?.witness : undefined;
    const { traded, witness } = await (last === undefined
      ? sinceNow(input, signal)
      : sinceThen(last, signal));
    if (traded) await sleep(ports.clock, input.spacingMs, signal);
    if (witness !== undefined) pulse?.noteReading(witness);
    ports.pipeline.startNow(input.series);
    return traded ? 'mute' : 'quiet';
  });
};

/** How far the trades are by these bars. */
function newest(series: Series, bars: readonly Candle[]): Witness | undefined {
  const last = bars.at(-1);
  return last === undefined ? undefined : { series, openTime: last.openTime, count: last.count };
}
