/** Who is asked for which bars of a history: files of the archive by day or month, or REST. A total function. */
import { DAY_MS, type Interval, nextOpenTime, openTimeAt } from './interval.ts';
import type { Series } from './kline.ts';
import { firstOpenFrom } from './ledger.ts';
import type { Span } from './spans.ts';

/** Bars that are taken from one place. */
export interface PlannedPiece extends Span {
  readonly by: 'day' | 'month' | 'rest';
  /** First millisecond of the day or month of the file. */
  readonly fileFrom?: number;
  /** There is no such file, and nobody else may be asked. */
  readonly isLacking?: true;
}

export interface HistoryAsk extends Series {
  /** Ascending. */
  readonly wanted: readonly Span[];
  readonly source: 'auto' | 'vision' | 'rest';
  /** Bars that have ended by then are wanted, exchange ms. */
  readonly endedBy: number;
  /** Of the first bar of the series; undefined: not known. */
  readonly firstOpenTime?: number | undefined;
  readonly archive: {
    /** A folder on this disk: reading a file costs next to nothing. */
    readonly isLocal: boolean;
    /** Whether the file of the day or month that begins at `from` is to be expected. */
    has(kind: 'day' | 'month', from: number): boolean;
  };
  /** Whether REST may be asked. */
  readonly hasRest: boolean;
}

export interface Planned {
  /** Ascending, none overlaps another. */
  readonly pieces: readonly PlannedPiece[];
  /** Bars that nobody can be asked for, because their file is not published yet. */
  readonly left: readonly Span[];
}

const HOUR_MS = DAY_MS / 24;
const THREE_DAYS_MS = 3 * DAY_MS;

/**
 * First open time at or after `time`. From which day the exchange counts its `3d` is not established: `anchor`, the
 * open time of any bar of the series, says.
 */
export function openTimeFrom(interval: Interval, time: number, anchor?: number): number {
  if (interval !== '3d' || anchor === undefined) return firstOpenFrom(interval, time);
  return anchor + Math.ceil((time - anchor) / THREE_DAYS_MS) * THREE_DAYS_MS;
}

/** The open time up to which, exclusively, bars have ended by `time`. */
export function endedBefore(interval: Interval, time: number, anchor?: number): number {
  const next = openTimeFrom(interval, time, anchor);
  if (next === time) return time;
  return interval === '3d' ? next - THREE_DAYS_MS : openTimeAt(interval, time);
}

/** Whether a file of the archive holds a day of it; of longer bars there are months alone (protocol reference 3.3). */
export const hasDayFiles = (interval: Interval): boolean =>
  interval !== '1M' && nextOpenTime(interval, 0) <= DAY_MS;

/** The UTC day or month that `time` is in, ms. */
export function calendarSpan(kind: 'day' | 'month', time: number): Span {
  const interval = kind === 'day' ? '1d' : '1M';
  const from = openTimeAt(interval, time);
  return { from, to: nextOpenTime(interval, from) };
}

/** Splits what is wanted. The pieces and what is left are together exactly the bars wanted that there can be. */
export function planHistory(ask: HistoryAsk): Planned {
  const pieces: PlannedPiece[] = [];
  const left: Span[] = [];
  for (const span of possible(ask)) {
    let at = span.from;
    while (at < span.to) {
      const piece = ask.source === 'rest' ? restPiece(at, span.to) : pieceFrom(ask, at, span.to);
      if (piece.by === 'none') extend(left, { from: piece.from, to: piece.to });
      else extend(pieces, piece);
      at = piece.to;
    }
  }
  return { pieces, left };
}

/** What is wanted as open times, without bars before the first one and those that have not ended. */
function* possible({ interval, wanted, endedBy, firstOpenTime }: HistoryAsk): Generator<Span> {
  const end = endedBefore(interval, endedBy, firstOpenTime);
  let at = firstOpenTime ?? Number.NEGATIVE_INFINITY;
  for (const { from, to } of wanted) {
    at = openTimeFrom(interval, Math.max(from, at), firstOpenTime);
    const until = Math.min(openTimeFrom(interval, to, firstOpenTime), end);
    if (at >= until) continue;
    yield { from: at, to: until };
    at = until;
  }
}

type Choice = PlannedPiece | (Span & { readonly by: 'none' });

const restPiece = (from: number, to: number): PlannedPiece => ({ by: 'rest', from, to });

/** The piece that begins with the bar at `at`; it ends with the calendar unit, or before. */
function pieceFrom(ask: HistoryAsk, at: number, until: number): Choice {
  const { interval, archive, hasRest, firstOpenTime: first } = ask;
  const kind = hasDayFiles(interval) ? 'day' : 'month';
  const unit = calendarSpan(kind, at);
  const to = Math.min(until, openTimeFrom(interval, unit.to, first));
  const file = (by: 'day' | 'month'): PlannedPiece => ({
    by,
    from: at,
    to,
    fileFrom: calendarSpan(by, at).from,
  });
  const isAuto = ask.source === 'auto' && hasRest;
  // A file of a few rows, or of which a part is needed, costs more than asking for them.
  const isWhole =
    at === openTimeFrom(interval, Math.max(unit.from, first ?? unit.from), first) && to >= unit.to;
  const isWorthIt = archive.isLocal || (isWhole && kind === 'day' && nextOpenTime(interval, 0) <= HOUR_MS);
  if (isAuto && !isWorthIt) return restPiece(at, to);
  if (archive.has(kind, unit.from)) return file(kind);
  if (archive.isLocal && kind === 'day' && archive.has('month', calendarSpan('month', at).from))
    return file('month');
  if (isAuto) return restPiece(at, to);
  // What a folder lacks is found to be lacking when it is read; what will be published is owed.
  return archive.isLocal ? { ...file(kind), isLacking: true } : { by: 'none', from: at, to };
}

/** Adds a piece, or lengthens the last one when it goes on in the same place. */
function extend<Piece extends Span & Partial<PlannedPiece>>(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1);
  const isSame = last?.by === piece.by && last?.fileFrom === piece.fileFrom && last?.to === piece.from;
  if (last !== undefined && isSame) pieces[pieces.length - 1] = { ...last, to: piece.to };
  else pieces.push(piece);
}
