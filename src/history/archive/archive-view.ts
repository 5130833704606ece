import { calendarSpan, type HistoryAsk } from '../../../machines/model/history-plan.ts';
import type { Interval } from '../../../machines/model/interval.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { Span } from '../../../machines/model/spans.ts';
import {
  type ArchiveFile,
  dayFile,
  dayIsPublished,
  monthFile,
  monthIsPublished,
} from '../../binance/archive.ts';

/** Which files can be expected. */
type ArchiveView = HistoryAsk['archive'];

/** In the network: those that should be published by now. */
export const published = (interval: Interval, exchangeNow: number): ArchiveView => ({
  isLocal: false,
  has: (kind, from) =>
    kind === 'day' ? dayIsPublished(from, exchangeNow) : monthIsPublished(interval, from, exchangeNow),
});

/** In a folder: those that are there; it is looked once for each of the wanted days and months. */
export async function filesIn(
  hasFile: (file: ArchiveFile) => Promise<boolean>,
  series: Series,
  wanted: readonly Span[],
): Promise<ArchiveView> {
  const there = new Set<string>();
  const seen = new Set<string>();
  for (const kind of ['day', 'month'] as const)
    for (const { from, to } of wanted)
      for (let at = from; at < to; at = calendarSpan(kind, at).to) {
        const file = fileOf(kind, series, calendarSpan(kind, at).from);
        if (file === undefined || seen.has(file.path)) continue;
        seen.add(file.path);
        if (await hasFile(file)) there.add(`${kind} ${file.from}`);
      }
  return { isLocal: true, has: (kind, from) => there.has(`${kind} ${from}`) };
}

/** The file of the day or month that begins at `from`, if there can be one. */
export const fileOf = (kind: 'day' | 'month', series: Series, from: number): ArchiveFile | undefined =>
  kind === 'day' ? dayFile(series, from) : monthFile(series, from);
