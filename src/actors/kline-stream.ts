import { fromCallback, fromPromise } from 'xstate';
import type { RepairResult } from '../../machines/kline-stream.machine.ts';
import { describe } from '../../machines/model/cleanup.ts';
import { countBars } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { klinesRequest, readKlines } from '../binance/rest.ts';
import type { Cursor } from '../pipeline/cursor.ts';
import { finalOnly, type Pipeline } from '../pipeline/pipeline.ts';
import type { Clock, Logger } from '../ports.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import type { RestPort } from './rest-port.ts';

/** Brings the edges of a cursor to the chart of its stream. */
export const cursorActor = (pipeline: Pipeline, now: () => number) =>
  fromCallback<{ type: never }, Series>(({ input, sendBack }) => {
    const cursor = pipeline.add(input);
    const onEdge = sendBack;
    cursor.onEdge = onEdge;
    cursor.heardSince = now();
    return () => {
      if (cursor.onEdge === onEdge) cursor.onEdge = undefined;
    };
  });

export interface RepairPorts {
  readonly rest: RestPort;
  readonly clock: Clock;
  readonly exchangeClock: ExchangeClock;
  readonly pipeline: Pipeline;
  readonly logger: Logger;
}

/** Pages of one repair; what is left is the next one's, after the others of the queue had their turn. */
const PAGES_MAX = 20;
/** One row more than is missing: the open bar, which comes unmarked as the last. */
const OPEN_ROW = 1;

/** Fetches what is owed to a series, in order. Only bars that had certainly ended when REST was asked count. */
export const repairActor = (ports: RepairPorts) =>
  fromPromise<RepairResult, Series>(async ({ input: series, signal }) => {
    try {
      return await repair(ports, series, signal);
    } catch (error) {
      if (!signal.aborted)
        ports.logger.warn('bars that are owed could not be fetched', {
          series: seriesKey(series),
          reason: describe(error),
        });
      throw error;
    }
  });

async function repair(ports: RepairPorts, series: Series, signal: AbortSignal): Promise<RepairResult> {
  const { clock, exchangeClock, pipeline } = ports;
  const cursor = pipeline.add(series);
  const endedBefore = (at: number): number => cursor.endedBefore(exchangeClock.earliestAt(at), 0);
  let taken = 0;
  for (let page = 0; page < PAGES_MAX && cursor.due !== undefined; page++) {
    const sentAt = clock.now();
    const until = Math.max(endedBefore(sentAt), cursor.firstHeld ?? 0);
    const missing = countBars(series.interval, cursor.due, until);
    if (missing === 0) break;
    const body = await ports.rest.ask(klinesRequest(series, cursor.due, missing + OPEN_ROW), signal);
    const candles = readKlines(series, body);
    // The request may have waited in the queue: what had ended by now is judged by when it left, at the earliest.
    const final = finalOnly(candles, exchangeClock.earliestAt(sentAt));
    const fresh = pipeline.fill(cursor, final, endedBefore(sentAt), exchangeClock.now());
    taken += fresh;
    if (fresh === 0) break;
  }
  // Without the grace: what has ended but may yet come by the stream is not owed.
  return { owed: cursor.due === undefined ? 0 : owedNow(ports, cursor, cursor.due), taken };
}

/** Bars still missing, as far as that can be blamed on a hole and not on a frame under way. */
function owedNow(ports: RepairPorts, cursor: Cursor, due: number): number {
  const { firstHeld } = cursor;
  const { interval } = cursor.series;
  if (firstHeld !== undefined && firstHeld > due) return countBars(interval, due, firstHeld);
  return countBars(interval, due, cursor.endedBefore(ports.exchangeClock.now(), ports.pipeline.graceMs));
}
