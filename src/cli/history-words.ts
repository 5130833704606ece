/** A plan and a report of `history`, for people and for programs. */

import type { Run } from '../../machines/model/gaps.ts';
import type { Span } from '../../machines/model/spans.ts';
import type { HistoryReport } from '../history/report.ts';
import type { HistoryNote, HistoryPlan, Piece } from '../history/types.ts';
import type { Logger } from '../ports.ts';
import { rateOf } from './history-progress.ts';
import { OPEN_END } from './history-settings.ts';
import { utc } from './when.ts';

/** Gaps and notes that are said one by one; more are counted. */
const SAID_MAX = 20;

const grouped = (count: number): string => count.toLocaleString('en-US');

const BY = { day: 'day files', month: 'month files', rest: 'REST' } as const;

/** Where a part of the range comes from, as `archive 2026-02-03`. */
export const whereFrom = ({ by, from }: Piece): string =>
  `${by === 'rest' ? 'REST' : 'archive'} ${utc(from).slice(0, by === 'month' ? 7 : 10)}`;

interface Stretch {
  readonly by: Piece['by'];
  readonly isLacking: boolean;
  readonly from: number;
  to: number;
  pieces: number;
}

/** Pieces of one kind that follow each other are one line. */
function stretches(pieces: readonly Piece[]): Stretch[] {
  const all: Stretch[] = [];
  for (const { by, from, to, isLacking = false } of pieces) {
    const last = all.at(-1);
    if (last?.by === by && last.isLacking === isLacking && last.to === from) {
      last.to = to;
      last.pieces += 1;
    } else all.push({ by, isLacking, from, to, pieces: 1 });
  }
  return all;
}

function placeOf({ by, isLacking, pieces }: Stretch): string {
  if (by === 'rest') return BY.rest;
  const files = `${BY[by]}: ${grouped(pieces)}`;
  return isLacking ? `not in the folder: ${files}` : files;
}

/** A range without an end is cut where nothing has ended yet: no news, unless nothing is left of it. */
const worthSaying = (notes: readonly HistoryNote[], range: Span): readonly HistoryNote[] =>
  range.to > range.from ? notes.filter(({ to }) => to < OPEN_END) : notes;

/** What would be done, a line for each stretch of the range. */
export function planText(plan: HistoryPlan): string {
  const { query, range, bars, pieces, notes } = plan;
  const lines = stretches(pieces).map(
    (stretch) => `  ${utc(stretch.from)} … ${utc(stretch.to)}  ${placeOf(stretch)}`,
  );
  return [
    `${query.symbol} ${query.interval} from ${utc(range.from)} to ${utc(range.to)}: ${grouped(bars)} bars to load`,
    ...(lines.length > 0
      ? lines
      : [
          range.to > range.from
            ? '  nothing: all of it is there, or named as a gap'
            : '  nothing: the range is empty',
        ]),
    ...worthSaying(notes, range).map(({ found, done }) => `  ${found}; ${done}`),
    '',
  ].join('\n');
}

/** The same for programs: one JSON object. */
export function planJson({ query, range, bars, pieces, notes }: HistoryPlan): string {
  const { symbol, interval, source } = query;
  const plain = pieces.map(({ by, from, to, file, isLacking }) => ({
    by,
    from,
    to,
    ...(file && { path: file.path }),
    ...(isLacking && { isLacking }),
  }));
  return `${JSON.stringify({ symbol, interval, source, ...range, bars, pieces: plain, notes })}\n`;
}

const spoken = ({ fromOpenTime, toOpenTime }: Run): string =>
  fromOpenTime === toOpenTime ? utc(fromOpenTime) : `${utc(fromOpenTime)} … ${utc(toOpenTime)}`;

function some<One>(all: readonly One[], unlisted: number, logger: Logger, say: (one: One) => void): void {
  for (const one of all.slice(0, SAID_MAX)) say(one);
  const more = Math.max(0, all.length - SAID_MAX) + unlisted;
  if (more > 0) logger.warn('and more of these', { more });
}

/** Says what came of it: `target` is where the bars went. */
export function sayReport(report: HistoryReport, target: string, isFile: boolean, logger: Logger): void {
  const { outcome, error, notes, gaps, known, unreached, unlisted, bars, cache, requests, durationMs } =
    report;
  some(worthSaying(notes, report.range), unlisted.notes, logger, ({ kind, found, done, from, to }) =>
    logger[kind === 'outside' || kind === 'doubtful' ? 'info' : 'warn'](`${found}; ${done}`, {
      from: utc(from),
      to: utc(to),
    }),
  );
  some(gaps, unlisted.gaps, logger, ({ reason, ...run }) =>
    logger.warn('a gap is left', { bars: spoken(run), reason }),
  );
  some(known, unlisted.known, logger, ({ reason, ...run }) =>
    logger.warn('a gap that was known, and not asked for again', { bars: spoken(run), reason }),
  );
  some(unreached, unlisted.unreached, logger, (run) =>
    logger.error('bars are missing that could not be asked for; run it again', { bars: spoken(run) }),
  );
  if (error !== undefined)
    logger.error(
      isFile ? 'nothing of the file was left; run it again' : 'what was written stays; run it again',
    );
  const there = bars.held > 0 ? `, ${grouped(bars.held)} were there before` : '';
  logger.info(`${grouped(bars.stored)} bars written to ${target}${there}`, {
    outcome,
    ...bars.bySource,
    gaps: gaps.length + unlisted.gaps + known.length + unlisted.known,
    seconds: Number((durationMs / 1_000).toFixed(1)),
    rowsPerSecond: rateOf({ done: bars.stored, elapsedMs: durationMs }),
    requestsRest: requests.rest,
    requestsArchive: requests.archive,
    ...(requests.archive + cache.hits === 0 ? {} : { cacheHits: cache.hits, cacheMisses: cache.misses }),
    ...(cache.errors === 0 ? {} : { cacheErrors: cache.errors }),
    ...(cache.bytesFetched === 0 ? {} : { megabytesFetched: Number((cache.bytesFetched / 1e6).toFixed(1)) }),
  });
}
