import { calendarSpan } from '../../../machines/model/history-plan.ts';
import type { Series } from '../../../machines/model/kline.ts';
import type { Span } from '../../../machines/model/spans.ts';
import { type ArchiveFile, monthFile } from '../../binance/archive.ts';
import { CandlestateError } from '../../errors.ts';
import type { ArchiveFiles, Piece } from '../types.ts';

/** Months that are looked for, the newest: twenty years. */
const MONTHS_MAX = 240;

/**
 * Whether the archive has anything of a series in a range: by some of the files planned, then by the months. True also
 * when the archive can't tell.
 */
export async function isInArchive(
  files: ArchiveFiles,
  series: Series,
  range: Span,
  pieces: readonly Piece[],
  signal?: AbortSignal,
): Promise<boolean> {
  const planned = [pieces.at(-1), pieces[0], pieces[pieces.length >> 1]];
  const candidates = [...planned.flatMap((piece) => piece?.file ?? []), ...monthsOf(series, range)];
  try {
    for (const file of candidates) {
      const fetched = await files.get(file, signal);
      if (fetched.status === 'there') await fetched.release();
      if (fetched.status !== 'absent') return true;
    }
    return false;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof CandlestateError) return true;
    throw error;
  }
}

/** The newest month first. */
function monthsOf(series: Series, { from, to }: Span): ArchiveFile[] {
  const months: ArchiveFile[] = [];
  for (let end = to; end > from && months.length < MONTHS_MAX; ) {
    const month = calendarSpan('month', end - 1).from;
    const file = monthFile(series, month);
    if (file !== undefined) months.push(file);
    end = month;
  }
  return months;
}
