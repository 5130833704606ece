import { fromPromise } from 'xstate';
import type { Delivery } from '../pipeline/delivery.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { RowBuffer } from '../pipeline/row-buffer.ts';
import type { StoreWriter } from '../store/writer.ts';

export interface StorePorts {
  readonly writer: StoreWriter;
  readonly rows: RowBuffer;
  readonly delivery: Delivery;
  readonly pipeline: Pipeline;
  readonly exchangeNow: () => number;
  /** The store is open and can be read. */
  readonly onOpen: () => void;
}

/** Opens the store and puts every cursor behind what is stored. */
export const openStoreActor = (ports: StorePorts) =>
  fromPromise<void>(async ({ signal }) => {
    const { watermarks } = await ports.writer.open();
    signal.throwIfAborted();
    for (const mark of watermarks) ports.pipeline.resume(mark, mark.openTime);
    ports.onOpen();
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
    await ports.writer.commit(batch, ports.exchangeNow());
    ports.rows.drop(batch.length);
    ports.delivery.deliver(batch);
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
