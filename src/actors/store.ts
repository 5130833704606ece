import { fromPromise } from 'xstate';
import type { Audits } from '../pipeline/audits.ts';
import type { CommitTimes } from '../pipeline/commit-times.ts';
import type { Delivery } from '../pipeline/delivery.ts';
import type { OpenGaps } from '../pipeline/open-gaps.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { RowBuffer } from '../pipeline/row-buffer.ts';
import type { StoredSeries } from '../store/marks.ts';
import type { StoreWriter } from '../store/writer.ts';

export interface StorePorts {
  readonly writer: StoreWriter;
  readonly rows: RowBuffer;
  readonly delivery: Delivery;
  readonly pipeline: Pipeline;
  /** Hear of what is committed. */
  readonly audits: Audits;
  readonly openGaps: OpenGaps;
  readonly commitTimes: CommitTimes;
  readonly exchangeNow: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
  /** The store is open and can be read; where each series stands in it. */
  readonly onOpen: (watermarks: readonly StoredSeries[]) => void;
}

/** Opens the store and puts every cursor behind what is stored. */
export const openStoreActor = (ports: StorePorts) =>
  fromPromise<void>(async ({ signal }) => {
    const { watermarks, gaps } = await ports.writer.open();
    signal.throwIfAborted();
    for (const mark of watermarks) ports.pipeline.resume(mark, mark.openTime);
    ports.openGaps.note(
      gaps.map((gap) => ({ gap })),
      ports.now(),
    );
    ports.onOpen(watermarks);
  });

/**
 * Commits the oldest batch, and only then hands it to the consumers. One at a time, also when the chart has
 * left the state that asked: a batch taken twice would be dropped twice from the rows that wait.
 */
export const commitActor = (ports: StorePorts) => {
  let underWay: Promise<void> = Promise.resolve();
  const commit = async (): Promise<void> => {
    const batch = ports.rows.batch();
    if (batch.length === 0) return;
    const begunAt = ports.now();
    ports.commitTimes.begin(begunAt);
    await ports.writer.commit(batch, ports.exchangeNow());
    ports.commitTimes.done(begunAt, ports.now());
    ports.rows.drop(batch.length);
    ports.delivery.deliver(batch);
    ports.audits.note(batch, ports.exchangeNow());
    ports.openGaps.note(batch, ports.now());
  };
  return fromPromise<void>(() => {
    underWay = underWay.catch(() => {}).then(commit);
    return underWay;
  });
};

/** Lets go of the file. When that is cut short, the thread ends at once. */
export const sealStoreActor = (ports: StorePorts) =>
  fromPromise<void>(async ({ signal }) => {
    signal.addEventListener('abort', () => ports.writer.terminate(), { once: true });
    await ports.writer.close(ports.exchangeNow());
  });
