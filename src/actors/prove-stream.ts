import { fromPromise } from 'xstate';
import type { ProveStreamInput, StreamProof } from '../../machines/kline-stream.types.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import { newestKlineRequest, readKlines } from '../binance/rest.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { hasTraded, type Witness } from '../pipeline/pulse.ts';
import type { Clock } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import type { RestPort } from './rest-port.ts';
import { SharedWork, Turnstile } from './shared-work.ts';

/** Questions about streams that are with REST at a time: bars that are owed are not to wait behind hundreds. */
const AT_ONCE = 10;
/** The most that costs no more than one, so that bars which began between two readings are seen too. */
const ROWS = 99;
/** How long after the first reading others may join, of a spacing: they have been waiting for longer than that. */
const JOIN_SHARE = 0.1;
/** Frames of one trade are sent on all intervals within this, exchange ms: the venue sends four a second. */
const SAME_TRADE_MS = 1_000;
/** Silence proves nothing until so many trades were to be expected, by how the symbol traded before. */
const EXPECTED_TRADES = 5;
/** Longest time between the first reading and the last, in spacings. */
const SPACINGS_MAX = 20;

export interface ProveStreamPorts {
  readonly rest: RestPort;
  readonly clock: Clock;
  readonly exchangeClock: ExchangeClock;
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
  const silentWith = new SharedWork<Finding & { readonly asOf: number }>();

  const read = (series: Series, rows: number, signal: AbortSignal): Promise<Candle[]> =>
    turnstile.pass(signal, async () =>
      readKlines(series, await ports.rest.ask(newestKlineRequest(series, rows), signal)),
    );

  /** How far the trades are by these bars, read just now. */
  const newest = (series: Series, bars: readonly Candle[]): Witness | undefined => {
    const last = bars.at(-1);
    if (last === undefined) return undefined;
    return { series, openTime: last.openTime, count: last.count, asOf: ports.exchangeClock.now() };
  };

  /**
   * Readings some seconds apart, until there are trades between them or there would have been. Fifteen intervals of
   * one symbol that ask together cost those of one.
   */
  const sinceNow = ({ series, spacingMs }: ProveStreamInput, signal: AbortSignal): Promise<Finding> =>
    bySymbol.join(series.symbol, signal, async (shared, closeDoor) => {
      const first = await read(series, 2, shared);
      // Who comes much later was not subscribed when the first reading was taken.
      const joinMs = spacingMs * JOIN_SHARE;
      await sleep(ports.clock, joinMs, shared);
      closeDoor();
      const before = newest(series, first);
      const windowMs = Math.min(Math.max(spacingMs, expectedMs(first)), SPACINGS_MAX * spacingMs);
      let waitedMs = joinMs;
      for (let pauseMs = spacingMs - joinMs; ; pauseMs = Math.min(waitedMs, windowMs - waitedMs)) {
        await sleep(ports.clock, pauseMs, shared);
        waitedMs += pauseMs;
        const after = await read(series, ROWS, shared);
        const traded = hasTraded(before, after);
        if (traded || waitedMs >= windowMs) return { traded, witness: newest(series, after) };
      }
    });

  /** In what time trades were to be expected if the symbol went on as in these bars, wall ms; 0 if it rests. */
  const expectedMs = (bars: readonly Candle[]): number => {
    const trades = bars.reduce((sum, { count }) => sum + count, 0);
    const tookMs = ports.exchangeClock.now() - (bars[0]?.openTime ?? Number.NaN);
    if (trades === 0 || !(tookMs > 0)) return 0;
    return (EXPECTED_TRADES * tookMs) / trades / ports.exchangeClock.timeScale;
  };

  /** One reading, against the last frame of this connection, or the reading after it. */
  const sinceThen = async (then: Witness, signal: AbortSignal): Promise<Finding> => {
    const after = await read(then.series, ROWS, signal);
    return { traded: hasTraded(then, after), witness: newest(then.series, after) };
  };

  /** The same for all intervals of a symbol that fell silent with the same trade: one reading tells of all. */
  const sinceLast = async (last: Witness, signal: AbortSignal): Promise<Finding> => {
    const shared = await silentWith.join(last.series.symbol, signal, async (over) => ({
      asOf: last.asOf,
      ...(await sinceThen(last, over)),
    }));
    return Math.abs(shared.asOf - last.asOf) <= SAME_TRADE_MS ? shared : sinceThen(last, signal);
  };

  return fromPromise<StreamProof, ProveStreamInput>(async ({ input, signal }) => {
    const pulse = ports.pipeline.cursor(input.series)?.pulse;
    const last = input.since === 'last' ? pulse?.witness : undefined;
    const { traded, witness } = await (last === undefined
      ? sinceNow(input, signal)
      : sinceLast(last, signal));
    if (traded) await sleep(ports.clock, input.spacingMs, signal);
    if (witness !== undefined) pulse?.noteReading(witness);
    ports.pipeline.startNow(input.series);
    return traded ? 'mute' : 'quiet';
  });
};
