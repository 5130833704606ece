/** What `verify` says: an object for programs, text for people. */
import Table from 'cli-table3';
import { seriesKey } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
import type { ReplacedFile } from '../history/archive/archive-client.ts';
import type { Absence, Difference, DifferenceCounts, Differences } from '../history/compare/differences.ts';
import type { HistoryNote } from '../history/types.ts';
import { escapeControls } from '../log/format.ts';
import type { Finding, FindingCounts } from '../store/verify.findings.ts';
import type { StoreFindings } from '../store/verify.ts';
import type { VerifiedSeries } from '../store/verify.walk.ts';
import { NO_LINES } from './table.ts';
import { utc } from './when.ts';

/** How the store compares with its exchange. */
export interface AgainstReport {
  readonly source: 'rest' | 'vision';
  /** Whether nothing differs. */
  readonly same: boolean;
  readonly counts: DifferenceCounts;
  /** The first ones. */
  readonly differences: readonly Difference[];
  readonly absences: readonly Absence[];
  /** Files of the archive that are others than those that were kept. */
  readonly replaced: readonly ReplacedFile[];
  readonly notes: readonly HistoryNote[];
}

/** What `--json` prints. */
export interface VerifyReport {
  readonly path: string;
  /** The network that the candles are from; null when the store is too damaged to say. */
  readonly origin: string | null;
  /** Nothing is wrong; with `--strict` also: no gap is open. The exit code is 0 then, else 1. */
  readonly sound: boolean;
  readonly series: readonly VerifiedSeries[];
  /** The first of each kind. */
  readonly findings: readonly Finding[];
  /** All of each kind. */
  readonly counts: FindingCounts;
  /** Recorded gaps that are open, the first ones; how many there are is said for each series. */
  readonly gaps: readonly Gap[];
  readonly against?: AgainstReport;
}

export interface ReportInput {
  readonly found: StoreFindings;
  readonly isStrict: boolean;
  readonly against: { readonly source: 'rest' | 'vision'; readonly differences: Differences } | undefined;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

export function reportOf({ found, isStrict, against }: ReportInput): VerifyReport {
  const hasGaps = found.series.some(({ openGaps }) => openGaps > 0);
  const isSound = sum(Object.values(found.counts)) === 0 && !(isStrict && hasGaps);
  const { path, origin, series, findings, counts, gaps } = found;
  const report = { path, origin, series, findings, counts, gaps };
  if (against === undefined) return { ...report, sound: isSound };
  const { source, differences } = against;
  return {
    ...report,
    sound: isSound && differences.isNone,
    against: {
      source,
      same: differences.isNone,
      counts: differences.counts,
      differences: differences.listed,
      absences: differences.absences,
      replaced: differences.replaced,
      notes: differences.notes,
    },
  };
}

/** Gaps, notes, and of each kind of absence, that people are shown. */
const SHOWN_MAX = 20;

/** The latest ms that a calendar has. */
const DATE_MAX = 8.64e15;
const timeText = (time: number): string => (Math.abs(time) <= DATE_MAX ? utc(time) : String(time));

const spanText = (from: number, to: number | undefined): string =>
  to === undefined || to === from ? timeText(from) : `${timeText(from)} to ${timeText(to)}`;

const barsText = (bars: number): string => `${bars} ${bars === 1 ? 'bar' : 'bars'}`;

/** Whose name may be of another hand. */
const nameText = (series: { readonly symbol: string; readonly interval: string }): string =>
  escapeControls(seriesKey(series as Parameters<typeof seriesKey>[0]));

function seriesTable(series: readonly VerifiedSeries[]): string {
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: ['left', 'right', 'left', 'left', 'right', 'right'],
    head: ['series', 'bars', 'first', 'last', 'gaps', 'findings'],
  });
  const cell = (time: number | null): string => (time === null ? '–' : timeText(time));
  for (const one of series)
    table.push([
      nameText(one),
      String(one.bars),
      cell(one.firstOpenTime),
      cell(one.lastOpenTime),
      one.openGaps === 0 ? '0' : `${one.openGaps} (${barsText(one.openGapBars)})`,
      String(one.findings),
    ]);
  return table.toString();
}

/** A heading, and lines below it; nothing without any. */
function section(head: string, count: number, lines: readonly string[]): string[] {
  if (count === 0) return [];
  const more = count > lines.length ? `, the first ${lines.length}` : '';
  return ['', `${head}: ${count}${more}`, ...lines.map((line) => `  ${line}`)];
}

function findingText({ openTime, toOpenTime, bars, found, values, ...name }: Finding): string {
  const { symbol, interval } = name;
  const place = symbol === undefined || interval === undefined ? [] : [nameText({ symbol, interval })];
  const time = openTime === undefined ? [] : [spanText(openTime, toOpenTime)];
  const many = bars === undefined ? [] : [`(${barsText(bars)})`];
  const where = [...place, ...time, ...many].join(' ');
  const numbers = values === undefined ? '' : ` ${JSON.stringify(values)}`;
  return escapeControls(`${where === '' ? '' : `${where}: `}${found}${numbers}`);
}

const NOT_COMPARED: Readonly<Record<Absence['kind'], string>> = {
  here: 'stored, and not theirs',
  there: 'theirs, and not stored',
  unreached: 'not answered for',
  unpublished: 'not published',
};

function againstLines({ source, counts, differences, absences, replaced, notes }: AgainstReport): string[] {
  const fields = Object.entries(counts.fields).filter(([, count]) => count > 0);
  const kinds = Object.entries(NOT_COMPARED) as [Absence['kind'], string][];
  const shown = differences.map(
    (one) => `${nameText(one)} ${timeText(one.openTime)}: ${one.field} ${one.stored}, theirs ${one.theirs}`,
  );
  return [
    '',
    `against ${source}: ${barsText(counts.compared)} compared, ${counts.different} differ`,
    ...section('numbers that differ', sum(fields.map(([, count]) => count)), shown),
    ...(fields.length === 0
      ? []
      : [`  by field: ${fields.map(([name, count]) => `${name} ${count}`).join(', ')}`]),
    ...kinds.flatMap(([kind, head]) => {
      const lines = absences
        .filter((one) => one.kind === kind)
        .slice(0, SHOWN_MAX)
        .map(
          (one) => `${nameText(one)} ${spanText(one.fromOpenTime, one.toOpenTime)} (${barsText(one.bars)})`,
        );
      return counts[kind] === 0
        ? []
        : ['', `bars ${head}: ${counts[kind]}`, ...lines.map((line) => `  ${line}`)];
    }),
    ...section(
      'files published anew since they were kept',
      replaced.length,
      replaced
        .slice(0, SHOWN_MAX)
        .map(({ path, before, now }) => escapeControls(`${path}: ${before}, now ${now}`)),
    ),
    ...section(
      'notes',
      notes.length,
      notes
        .slice(0, SHOWN_MAX)
        .map((note) =>
          escapeControls(`${nameText(note)} ${spanText(note.from, note.to)}: ${note.found}; ${note.done}`),
        ),
    ),
  ];
}

/** The report for people. */
export function reportText(report: VerifyReport): string {
  const { path, origin, sound, series, findings, counts, gaps, against } = report;
  const total = sum(Object.values(counts));
  const openGaps = sum(series.map((one) => one.openGaps));
  const gapLines = gaps
    .slice(0, SHOWN_MAX)
    .map((gap) =>
      escapeControls(`${nameText(gap)} ${spanText(gap.fromOpenTime, gap.toOpenTime)}: ${gap.reason}`),
    );
  const reasons = [
    ...(total > 0 ? [`${total} ${total === 1 ? 'finding' : 'findings'}`] : []),
    ...(openGaps > 0 ? [`${openGaps} ${openGaps === 1 ? 'gap' : 'gaps'} recorded`] : []),
    ...(against === undefined
      ? []
      : [against.same ? `the same as ${against.source}` : `not the same as ${against.source}`]),
  ];
  return [
    ...(series.length === 0 ? ['no series'] : [seriesTable(series)]),
    ...Object.entries(counts).flatMap(([kind, count]) =>
      section(kind, count, findings.filter((one) => one.kind === kind).map(findingText)),
    ),
    ...section('recorded gaps', openGaps, gapLines),
    ...(against === undefined ? [] : againstLines(against)),
    '',
    escapeControls(
      `${path} (${origin ?? 'unknown origin'}): ${[sound ? 'sound' : 'not sound', ...reasons].join(', ')}`,
    ),
    '',
  ].join('\n');
}
