/** The part of the composition root through which candles go: cursors, rows that wait, store, consumers. */
import { closeOnFault } from '../machines/close-on-fault.ts';
import { type Series, seriesKey } from '../machines/model/kline.ts';
import { type StoreInput, storeMachine } from '../machines/store.machine.ts';
import { oddityLog } from './actors/oddities.ts';
import { commitActor, openStoreActor, sealStoreActor } from './actors/store.ts';
import type { ResolvedOptions } from './options.ts';
import { Audits } from './pipeline/audits.ts';
import { CommitTimes } from './pipeline/commit-times.ts';
import { Delivery } from './pipeline/delivery.ts';
import { Durations } from './pipeline/durations.ts';
import { closeGraceMs } from './pipeline/grace.ts';
import { OpenGaps } from './pipeline/open-gaps.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { BATCH_ROWS_MAX, RowBuffer } from './pipeline/row-buffer.ts';
import { RunCounts } from './pipeline/run-counts.ts';
import type { Clock, Logger, Random } from './ports.ts';
import type { StoredSeries, Watermark } from './store/marks.ts';
import { MemoryWriter } from './store/writer.ts';
import type { DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import type { ExchangeClock } from './transport/exchange-clock.ts';
import type { StoreDisk } from './world.ts';

/** Rows that may wait for a store that does not keep up; beyond, bars are left to be fetched later. */
const ROWS_MAX = 50_000;
/** How long the first row of a batch waits for company, ms: well below the 50 ms of the contract. */
const FLUSH_MS = 5;
/** A bar may be this far ahead of our idea of the exchange's time, wall ms. */
const AHEAD_WALL_MS = 5_000;

export function wireData(ports: {
  readonly options: ResolvedOptions;
  readonly series: readonly Series[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly exchangeNow: () => number;
  readonly exchangeClock: ExchangeClock;
  readonly disk: StoreDisk;
}) {
  const { options, series, clock, random, logger, exchangeNow, exchangeClock, disk } = ports;
  const { bufferSize, queueSize, timeScale, store: path } = options;
  const now = (): number => clock.now();
  const rows = new RowBuffer(ROWS_MAX);
  const delivery = new Delivery({ bufferSize, queueSize, hasStore: path !== undefined, series });
  const openGaps = new OpenGaps({ random });
  const audits = new Audits({
    timeScale,
    random,
    held: (one, openTime) => delivery.held(one, openTime),
    stored: (one, openTime) => delivery.stored(one, openTime),
  });
  const onOddity = oddityLog(logger, clock);
  const closeLag = new Durations();
  const commitTimes = new CommitTimes();
  const pipeline = new Pipeline(series, {
    rows,
    delivery,
    exchangeNow,
    onStamp: (eventTime, at) => exchangeClock.stamped(eventTime, at),
    now,
    aheadMs: AHEAD_WALL_MS * timeScale,
    graceMs: () => closeGraceMs(timeScale, random()),
    silenceMs: options.timing.silenceMs,
    onClose: ({ closeTime }, exchangeTime) => {
      if (!Number.isNaN(exchangeTime)) closeLag.observe((exchangeTime - closeTime - 1) / timeScale);
    },
    onSecondClose: (candle) => {
      audits.secondClose(candle, now());
      openGaps.hint(candle, now());
    },
    onSilent: (one) =>
      onOddity('no frame came for a series; its bars come from REST', { series: seriesKey(one) }),
    onOddity,
  });
  const onLongWal = (walBytes: number): void =>
    onOddity('the WAL grows: another program keeps an old state of the store open', { walBytes });
  const writer =
    path === undefined ? new MemoryWriter() : disk.writer({ path, origin: options.origin, clock, onLongWal });

  const read = (one: Series, after: number, max: number) =>
    path === undefined ? [] : disk.read(path, one, after, max);
  let watermarks: readonly Watermark[] = [];
  /** Makes the store's machine; `onOpen` is called when it is open and can be read. */
  const storeOf = (onOpen: (stored: readonly StoredSeries[]) => void) => {
    const storePorts = {
      writer,
      rows,
      delivery,
      pipeline,
      audits,
      openGaps,
      commitTimes,
      exchangeNow,
      now,
      onOpen: (stored: readonly StoredSeries[]) => {
        watermarks = stored;
        onOpen(stored);
        if (path !== undefined) delivery.setReader({ read });
      },
    };
    return closeOnFault(
      storeMachine.provide({
        actors: {
          open: openStoreActor(storePorts),
          commit: commitActor(storePorts),
          seal: sealStoreActor(storePorts),
        },
      }),
    );
  };
  const input: StoreInput = { id: 'store', rows, flushMs: FLUSH_MS, now };
  return {
    rows,
    delivery,
    openGaps,
    audits,
    pipeline,
    closeLag,
    commitTimes,
    run: new RunCounts(rows, pipeline.counters, openGaps),
    onOddity,
    storeOf,
    input,
    read,
    /** Does it when few rows wait: the next batch is there, and what closes now is in the one after. */
    whenDrained: <Result>(signal: AbortSignal, work: () => Result): Promise<Result> =>
      rows.whenBelow(2 * BATCH_ROWS_MAX, signal, work),
    /** Where each series stood in the store when it was opened. */
    watermarks: () => watermarks,
    /** Ends the writer's thread, also where a forced stop has left it. */
    release(cleanup: DeadlineCleanup): void {
      if (path !== undefined) cleanup.add('store.thread', () => writer.terminate());
    },
  };
}
