import { fromCallback } from 'xstate';
import { describe } from '../../machines/model/cleanup.ts';
import { readServerTime, timeRequest } from '../binance/rest.ts';
import { ExchangeError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { sleep } from '../transport/clock.ts';
import type { ExchangeClock } from '../transport/exchange-clock.ts';
import type { RestPort } from './rest-port.ts';

/** Between two readings of the exchange's time, wall ms. */
const REFRESH_MS = 5 * 60_000;
/** After a reading that failed, wall ms. */
const RETRY_MS = 15_000;
/** Readings at the start: the first opens the connection and takes longer than the others. */
const FIRST_READINGS = 3;
/** More than one of them is asked for only while they come that fast, wall ms: a slow start is no start. */
const FIRST_WITHIN_MS = 1_000;
/** Readings in a row, until two that contradict each other are decided by a third. */
const READINGS_MAX = 6;
/** Between two looks at the local clocks, wall ms. */
const LOOK_MS = 1_000;
/** A look that comes so late: the process stood still, wall ms. */
const LATE_MS = 5_000;
/** Local calendar and monotonic clock may come apart by so much between two looks, ms. */
const APART_MS = 2_000;

export interface TimePorts {
  readonly rest: RestPort;
  readonly clock: Clock;
  readonly exchangeClock: ExchangeClock;
}

/** To the collector: the process slept or a clock jumped, so nothing that was known of the sockets holds. */
export interface TimeReport {
  readonly type: 'TIME.JUMPED';
  readonly reason: string;
}

/** One reading. False when it contradicts what was known and another must decide. */
async function readTime({ rest, clock, exchangeClock }: TimePorts, signal: AbortSignal): Promise<boolean> {
  const sentAt = clock.now();
  const body = await rest.ask(timeRequest, signal);
  return exchangeClock.set(readServerTime(body), sentAt, clock.now());
}

/** As many readings as asked for, and as many more as it takes until the last is beyond doubt. */
async function readTimes(ports: TimePorts, readings: number, signal: AbortSignal): Promise<void> {
  const began = ports.clock.now();
  for (let reading = 1; reading <= READINGS_MAX; reading++) {
    const isSure = await readTime(ports, signal);
    const isEnough = reading >= readings || ports.clock.now() - began > FIRST_WITHIN_MS;
    if (isSure && isEnough) return;
  }
  throw new ExchangeError("the exchange's time contradicts itself from one answer to the next", {
    code: 'TIME_CONTRADICTORY',
    status: 200,
    retryable: true,
  });
}

/** Sets the exchange clock, by the shortest of a few round trips. */
export const setClock = (ports: TimePorts, signal: AbortSignal): Promise<void> =>
  readTimes(ports, FIRST_READINGS, signal);

/**
 * Keeps the exchange clock right: reads the exchange's time every few minutes, so that the drift of the local
 * clock does not matter, and at once when the process slept or the local calendar jumped, which it reports.
 */
export const keepTimeActor = (ports: TimePorts & { readonly logger: Logger }) =>
  fromCallback(({ sendBack }) => {
    const { clock, logger } = ports;
    const over = new AbortController();
    const keep = async (): Promise<void> => {
      let readAt = clock.now() + REFRESH_MS;
      let isReading = false;
      // An answer that is long in coming must not look as if the process had stood still: looks go on meanwhile.
      const read = async (): Promise<void> => {
        isReading = true;
        readAt = Number.POSITIVE_INFINITY;
        const waitMs = (await isRead()) ? REFRESH_MS : RETRY_MS;
        isReading = false;
        // Sooner, when something jumped while it was read.
        readAt = Math.min(readAt, clock.now() + waitMs);
      };
      let looked = { at: clock.now(), wall: clock.wallNow() };
      for (;;) {
        await sleep(clock, LOOK_MS, over.signal);
        const look = { at: clock.now(), wall: clock.wallNow() };
        const reason = jumpBetween(looked, look);
        looked = look;
        if (reason !== undefined) {
          sendBack({ type: 'TIME.JUMPED', reason } satisfies TimeReport);
          readAt = look.at;
        }
        // Only the abort of all of this rejects it.
        if (!isReading && look.at >= readAt) read().catch(() => {});
      }
    };
    const isRead = async (): Promise<boolean> => {
      try {
        await readTimes(ports, 1, over.signal);
        return true;
      } catch (error) {
        over.signal.throwIfAborted();
        const reason = describe(error);
        logger.warn("the exchange's time could not be read", { reason, retryMs: RETRY_MS });
        return false;
      }
    };
    keep().catch(() => {
      // Only the abort of its own sleep ends it: that is the disposer below.
    });
    return () => over.abort();
  });

interface Look {
  /** Monotonic ms, and the local calendar's. */
  readonly at: number;
  readonly wall: number;
}

/** Why what is known of the world is stale; undefined when nothing jumped between two looks. */
function jumpBetween(before: Look, after: Look): string | undefined {
  const passed = after.at - before.at;
  const lateMs = Math.round(passed - LOOK_MS);
  if (lateMs > LATE_MS) return `the process stood still for ${lateMs} ms`;
  const apartMs = Math.round(after.wall - before.wall - passed);
  return Math.abs(apartMs) > APART_MS
    ? `the local clock jumped by ${apartMs} ms, or the machine slept`
    : undefined;
}
