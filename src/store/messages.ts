/** What the store's main side and its worker thread say to each other. One answer to each request, in order. */
import type { Series } from '../../machines/model/kline.ts';
import type { Gap, Row } from '../../machines/model/row.ts';
import type { Span } from '../../machines/model/spans.ts';
import type { Opened } from './database.ts';
import type { OpenRequest } from './holding.ts';
import type { HistoryBatch, LoadResult } from './load.ts';

export type Request =
  | { readonly id: number; readonly do: 'open'; readonly request: OpenRequest }
  | {
      readonly id: number;
      readonly do: 'commit';
      readonly rows: readonly Row[];
      readonly exchangeTime: number;
    }
  | {
      readonly id: number;
      readonly do: 'load';
      readonly batch: HistoryBatch;
      readonly exchangeTime: number;
    }
  | {
      readonly id: number;
      readonly do: 'missing';
      readonly series: Series;
      readonly range: Span;
      readonly exchangeTime: number;
    }
  | { readonly id: number; readonly do: 'gaps'; readonly series: Series; readonly range: Span }
  | { readonly id: number; readonly do: 'close'; readonly exchangeTime: number };

export type Answer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly opened?: Opened;
      readonly loaded?: LoadResult;
      readonly missing?: readonly Span[];
      readonly gaps?: readonly Gap[];
      /** How long the WAL has become, when that is too long. */
      readonly walBytes?: number;
    }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };
