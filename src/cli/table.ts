/** The live view as lines of text: a pure function of what the collector says of itself. */
import Table from 'cli-table3';
import { escapeControls } from '../log/format.ts';
import type { CollectorStatus } from '../status.ts';

/** The bar that is forming, of one series. */
export interface Forming {
  readonly openTime: number;
  /** Last millisecond of the bar. */
  readonly closeTime: number;
  readonly close: number;
}

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';
export type Paint = (style: Style, text: string) => string;

export interface ViewInput {
  readonly network: string;
  readonly timeScale: number;
  readonly db: string;
  /** Where the page is, once it is served. */
  readonly page: string | undefined;
  readonly status: CollectorStatus;
  /** By `BTCUSDT@1m`. */
  readonly forming: ReadonlyMap<string, Forming>;
  /** Of the terminal, in characters. */
  readonly width: number;
  readonly height: number;
  readonly paint: Paint;
}

/** Lines that are not rows of the table: header, heads, footer, and room for a prompt. */
const OTHER_LINES = 8;
const BAR_CELLS = 10;

interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  /** When the terminal is narrow, columns go in this order, the lowest first. */
  readonly worth: number;
}

const COLUMNS: readonly Column[] = [
  { head: 'symbol', align: 'left', worth: 9 },
  { head: 'interval', align: 'left', worth: 8 },
  { head: 'last', align: 'right', worth: 7 },
  { head: 'bar', align: 'left', worth: 2 },
  { head: '%', align: 'right', worth: 5 },
  { head: 'closed', align: 'right', worth: 4 },
  { head: 'stored', align: 'right', worth: 3 },
  { head: 'state', align: 'left', worth: 6 },
];

const GOOD: ReadonlySet<string> = new Set(['live', 'quiet', 'streaming']);
const BAD: ReadonlySet<string> = new Set(['stale', 'mute', 'failed', 'stopped', 'closed']);
/** What a symbol that trades does: the other states are worth a word where there is little room. */
const isWorthSaying = (state: string): boolean => !GOOD.has(state);
const styleOfState = (state: string): Style =>
  GOOD.has(state) ? 'green' : BAD.has(state) ? 'red' : 'yellow';

/** Share of the bar that is over, 0 to 1; undefined without a clock or a bar. */
export function progressOf(
  forming: Forming | undefined,
  exchangeTime: number | undefined,
): number | undefined {
  if (forming === undefined || exchangeTime === undefined) return undefined;
  const length = forming.closeTime + 1 - forming.openTime;
  if (!(length > 0)) return undefined;
  return Math.min(1, Math.max(0, (exchangeTime - forming.openTime) / length));
}

const barText = (share: number | undefined): string => {
  if (share === undefined) return ' '.repeat(BAR_CELLS);
  const full = Math.floor(share * BAR_CELLS);
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
};

const timeText = (time: number | undefined): string =>
  time === undefined ? 'time unknown' : `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

const shownState = ({ state, isHalted }: CollectorStatus['series'][number]): string =>
  isHalted ? `${state}, halted` : state;

/** The series that did not fit, by state when there is more to say of them than that they are well. */
function moreText(hidden: CollectorStatus['series']): string {
  const counts = new Map<string, number>();
  for (const series of hidden) {
    const state = shownState(series);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const said = [...counts]
    .filter(([state]) => isWorthSaying(state))
    .map(([state, count]) => `${count} ${state}`);
  return [`… ${hidden.length} more`, ...said].join(' · ');
}

function rowOf(series: CollectorStatus['series'][number], input: ViewInput): string[] {
  const key = `${series.symbol}@${series.interval}`;
  const forming = input.forming.get(key);
  const share = progressOf(forming, input.status.exchangeTime);
  const last = forming?.close ?? series.last?.close;
  return [
    series.symbol,
    series.interval,
    last === undefined ? '–' : String(last),
    barText(share),
    share === undefined ? '' : String(Math.floor(share * 100)),
    String(series.closed),
    String(series.stored),
    shownState(series),
  ];
}

/** The columns that fit, by index. */
function fitting(rows: readonly (readonly string[])[], width: number): number[] {
  const widths = COLUMNS.map(({ head }, index) =>
    Math.max(head.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const kept = COLUMNS.map((_, index) => index);
  const total = (): number => kept.reduce((sum, index) => sum + (widths[index] ?? 0) + 2, 0);
  while (kept.length > 1 && total() > width) {
    const least = kept.reduce((a, b) => ((COLUMNS[a]?.worth ?? 0) < (COLUMNS[b]?.worth ?? 0) ? a : b));
    kept.splice(kept.indexOf(least), 1);
  }
  return kept;
}

/** A table without rules. */
export const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

function tableLines(rows: readonly (readonly string[])[], input: ViewInput): string[] {
  const { paint, width } = input;
  const kept = fitting(rows, width);
  const stateColumn = COLUMNS.length - 1;
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: kept.map((index) => COLUMNS[index]?.align ?? 'left'),
    head: kept.map((index) => paint('dim', COLUMNS[index]?.head ?? '')),
  });
  for (const row of rows) {
    table.push(
      kept.map((index) => {
        const text = row[index] ?? '';
        return index === stateColumn ? paint(styleOfState(text), text) : text;
      }),
    );
  }
  return table.toString().split('\n');
}

/** What Ctrl+C does now, where that is not to stop. */
const HINTS: Readonly<Record<string, string>> = {
  stopping: 'Ctrl+C forces the exit',
  stopped: 'everything is closed',
};

/** Where bars do not all come by sockets. */
const MODES = { rest: 'bars close by REST', mixed: 'some bars close by REST' } as const;

/** The whole view. Lines are never longer than the terminal is wide, as far as its letters are one cell wide. */
export function viewLines(input: ViewInput): string[] {
  const { status, paint, width, height, network, db, page, timeScale } = input;
  const room = Math.max(1, height - OTHER_LINES);
  const shown = status.series.slice(0, room);
  const hidden = status.series.slice(room);
  const byRest = status.mode === 'rest' || status.mode === 'mixed' ? ` · ${MODES[status.mode]}` : '';
  const state = cut(`${network} · ${status.state}${byRest}`, width);
  const hint = HINTS[status.state] ?? 'Ctrl+C stops';
  const scale = timeScale === 1 ? '' : ` · ${timeScale}× time`;
  const facts = cut(
    `${timeText(status.exchangeTime)}${scale} · ${escapeControls(db)}${page === undefined ? '' : ` · ${page}`}`,
    width,
  );
  const counters = Object.entries({ ...status.counters })
    .filter(([name, value]) => value > 0 || name === 'frames')
    .map(([name, value]) => `${name} ${value}`);
  return [
    paint('bold', paint(styleOfState(status.state), state)),
    paint('dim', facts),
    '',
    ...tableLines(
      shown.map((series) => rowOf(series, input)),
      input,
    ),
    ...(hidden.length > 0 ? [paint('dim', cut(moreText(hidden), width))] : []),
    '',
    paint('dim', cut([hint, ...counters].join(' · '), width)),
  ];
}
