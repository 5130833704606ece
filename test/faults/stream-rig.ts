/** The charts of streams as the collector has them, on an exchange that is a function and a clock moved by hand. */
import { createActor, createMachine } from 'xstate';
import { klineStreamMachine } from '../../machines/kline-stream.machine.ts';
import { nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { type Candle, type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Row } from '../../machines/model/row.ts';
import { cursorActions } from '../../src/actors/cursor.ts';
import { proveStreamActor } from '../../src/actors/prove-stream.ts';
import { repairActor } from '../../src/actors/repair.ts';
import { watchBarsActor } from '../../src/actors/watch-bars.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import { streamName } from '../../src/binance/streams.ts';
import { Delivery } from '../../src/pipeline/delivery.ts';
import { closeGraceMs } from '../../src/pipeline/grace.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { RowBuffer } from '../../src/pipeline/row-buffer.ts';
import { clockSetTo, rowOf } from '../actors/exchange.ts';
import { fakeLogger } from '../actors/harness.ts';
import { BTC, bar, type FrameChange, frame } from '../pipeline/candles.ts';
import { noPast } from '../support/no-past.ts';
import { FakeClock } from '../transport/fake-clock.ts';

/** The default timing of a collector. */
export const TIMING = { proofDelayMs: 2_000, proofSpacingMs: 3_000, silenceMs: 60_000 };

export interface FakeExchange {
  /** Exchange time at the start. */
  readonly startAt: number;
  readonly series?: readonly Series[];
  /** Instead of what the exchange would answer, given its time; throw for an error. */
  answer?(request: VenueRequest, now: number, usual: () => unknown[][]): unknown;
  /** Bars that do not exist. */
  lacks?(openTime: number): boolean;
  /** Trades of the bar that opens then, up to a time. Default: one in six seconds. */
  trades?(openTime: number, now: number): number;
  readonly random?: () => number;
}

const everySixSeconds = (openTime: number, now: number): number => Math.floor((now - openTime) / 6_000);

/** The rows that the exchange has: from `startTime` on or the newest, the open one last. */
function usualRows(exchange: FakeExchange, { params }: VenueRequest, now: number): unknown[][] {
  const series = { symbol: params['symbol'], interval: params['interval'] } as Series;
  const limit = Number(params['limit']);
  const newest = openTimeAt(series.interval, now);
  let openTime = Number(params['startTime'] ?? newest);
  if (params['startTime'] === undefined)
    for (let row = 1; row < limit; row++) openTime = openTimeAt(series.interval, openTime - 1);
  const rows: unknown[][] = [];
  for (; openTime <= newest && rows.length < limit; openTime = nextOpenTime(series.interval, openTime)) {
    if (exchange.lacks?.(openTime)) continue;
    const until = Math.min(now, nextOpenTime(series.interval, openTime));
    const count = (exchange.trades ?? everySixSeconds)(openTime, until);
    rows.push(rowOf(bar(openTime, 'rest', series, { count })));
  }
  return rows;
}

export function streamRig(exchange: FakeExchange) {
  const all = exchange.series ?? [BTC];
  const clock = new FakeClock();
  const exchangeClock = clockSetTo(clock, exchange.startAt);
  const rows = new RowBuffer(50_000);
  const delivery = new Delivery({ bufferSize: 10, queueSize: 10, hasStore: false, series: all });
  const odd: Record<string, unknown>[] = [];
  const { logger, lines } = fakeLogger();
  const pipeline = new Pipeline(all, {
    rows,
    delivery,
    exchangeNow: () => exchangeClock.now(),
    now: () => clock.now(),
    aheadMs: 5_000,
    graceMs: () => closeGraceMs(1, exchange.random?.() ?? 0),
    silenceMs: TIMING.silenceMs,
    onSilent: () => {},
    onOddity: (message, fields) => odd.push({ message, ...fields }),
  });
  const asked: { at: number; request: VenueRequest }[] = [];
  const rest = {
    async ask(request: VenueRequest, signal?: AbortSignal): Promise<unknown> {
      signal?.throwIfAborted();
      asked.push({ at: clock.now(), request });
      const now = exchangeClock.now();
      const usual = (): unknown[][] => usualRows(exchange, request, now);
      return exchange.answer === undefined ? usual() : exchange.answer(request, now, usual);
    },
  };
  const logic = klineStreamMachine.provide({
    actions: cursorActions(
      pipeline,
      () => clock.now(),
      () => 0,
    ),
    actors: {
      repair: repairActor({
        past: noPast,
        whenDrained: async (_signal, work) => work(),
        rest,
        clock,
        exchangeClock,
        pipeline,
        logger,
      }),
      proveStream: proveStreamActor({ rest, clock, exchangeClock, pipeline }),
    },
  });
  const heard: { type: string; [field: string]: unknown }[] = [];
  const parent = createActor(
    createMachine({
      invoke: [
        { src: watchBarsActor({ clock, pipeline }) as never, id: 'watchBars' },
        ...all.map((series) => ({
          src: logic as never,
          id: seriesKey(series),
          input: () => ({
            id: seriesKey(series),
            series,
            stream: streamName(series),
            timing: TIMING,
            random: () => 0,
          }),
        })),
      ],
      on: { '*': { actions: ({ event }) => heard.push(event) } },
    }),
    { clock: clock as never },
  ).start();
  const chart = (series: Series = BTC) =>
    (parent.getSnapshot().children as Record<string, never>)[seriesKey(series)] as unknown as {
      send(event: object): void;
      getSnapshot(): { status: string; output: unknown; value: never; hasTag(tag: string): boolean };
    };
  const taken: Row[] = [];
  /** Everything that has come out, oldest first. */
  const out = (): readonly Row[] => {
    for (let batch = rows.batch(); batch.length > 0; batch = rows.batch()) {
      taken.push(...batch);
      rows.drop(batch.length);
    }
    return taken;
  };
  return {
    clock,
    pipeline,
    delivery,
    asked,
    odd,
    lines,
    heard,
    chart,
    out,
    now: () => exchangeClock.now(),
    candles: (): Candle[] => out().flatMap((row) => ('candle' in row ? [row.candle] : [])),
    gaps: () => out().flatMap((row) => ('gap' in row ? [row.gap] : [])),
    /** A frame as it comes at this moment. */
    take: (openTime: number, change: FrameChange = {}, epoch = 1): boolean =>
      pipeline.take(frame(openTime, { eventTime: Math.round(exchangeClock.now()), ...change }), epoch),
    tell: (type: string, series: Series = BTC): void => chart(series).send({ type }),
    /** Tells all streams at once, as a feed does. */
    tellAll: (type: string): void => {
      for (const series of all) chart(series).send({ type });
    },
    proof: (series: Series = BTC): unknown =>
      (chart(series).getSnapshot().value as { open: { proof: unknown } }).open.proof,
    stop: (): void => void parent.stop(),
  };
}
