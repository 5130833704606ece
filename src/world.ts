/** What a collector is made of that is not its own: a simulation puts a world of its own in its place. */
import type { Candle, Series } from '../machines/model/kline.ts';
import type { Clock, HttpClient, OpenSocket } from './ports.ts';
import { type BanNotes, banFiles } from './store/ban.ts';
import type { StoreFacts } from './store/identity.ts';
import { checkStore, inspectStore } from './store/inspect.ts';
import { readCandles } from './store/reader.ts';
import { SqliteWriter, type StoreWriter, type WriterOptions } from './store/writer.ts';
import { createHttpClient } from './transport/http.ts';
import { openSocket } from './transport/socket.ts';

/** Where stores are. Paths mean to it what they mean to the program. */
export interface StoreDisk {
  /** Throws what opening the store would throw, as far as that is known without it. @throws {StoreError} */
  check(path: string, origin: string): Promise<void>;
  /** What a store says of itself; one that is not there is no error. @throws {StoreError} */
  inspect(path: string, origin?: string): Promise<StoreFacts>;
  /** Opens nothing yet. */
  writer(store: Omit<WriterOptions, 'startThread'>): StoreWriter;
  /** Candles that open after `afterOpenTime`, ms, oldest first, `rowsMax` at most. */
  read(path: string, series: Series, afterOpenTime: number, rowsMax: number): readonly Candle[];
  /** Bans are kept beside the store. */
  readonly bans: BanNotes;
}

/** The seams. Time and randomness are options of a collector. */
export interface World {
  readonly openSocket: OpenSocket;
  createHttpClient(clock: Clock): HttpClient;
  readonly disk: StoreDisk;
}

/** The network and the files of this machine. */
export const realWorld: World = {
  openSocket,
  createHttpClient,
  disk: {
    check: checkStore,
    inspect: inspectStore,
    writer: (store) => new SqliteWriter(store),
    read: readCandles,
    bans: banFiles,
  },
};
