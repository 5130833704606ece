import type { Candle, Series } from '../../machines/model/kline.ts';
import type { Delivery } from './delivery.ts';
import type { RowBuffer } from './row-buffer.ts';

/** What the data path is joined to. */
export interface PipelineOptions {
  readonly rows: RowBuffer;
  readonly delivery: Delivery;
  /** The exchange's time, ms. */
  readonly exchangeNow: () => number;
  /** The exchange stamped a frame with its time, ms, which came at the monotonic instant `at`, ms. */
  readonly onStamp?: (eventTime: number, at: number) => void;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Bars may be this far ahead of our idea of the exchange's time, exchange ms. */
  readonly aheadMs: number;
  /** How long after its end the close of a bar is owed, exchange ms; asked once for each series. */
  readonly graceMs: () => number;
  /** A stream that had frames is asked about after so long without one, wall ms. */
  readonly silenceMs: number;
  /** A series from which no frame ever came starts all the same, by REST. */
  readonly onSilent: (series: Series) => void;
  /** What is odd about a series, for an operator: as often as it comes. */
  readonly onOddity: (message: string, fields: object) => void;
  /** The stream closed a bar in time, which came at `exchangeTime`, ms; NaN when it is not known. */
  readonly onClose?: (candle: Candle, exchangeTime: number) => void;
  /** The stream closed a bar once more that was held already, or was passed over; it may differ. Never a forming bar. */
  readonly onSecondClose?: (candle: Candle) => void;
}
