/** Where the archive keeps its files. Nothing here talks to it. Source: protocol reference 3.1 to 3.5. */
import type { Series } from '../../machines/model/kline.ts';

/** A file of the archive. */
export interface ArchiveFile extends Series {
  readonly kind: 'day' | 'month';
  /** Below the base URL or folder, as `data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-03.zip`. */
  readonly path: string;
  /** Of its only entry, as `BTCUSDT-1m-2026-02-03.csv`. */
  readonly entry: string;
  /** Bars that open in [from, to), ms. */
  readonly from: number;
  readonly to: number;
}
