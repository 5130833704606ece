/** From the results of rounds to a table: medians, and ratios of the same round. */
import type { Entry } from './contenders/catalog.ts';
import { FLOOR } from './contenders/catalog.ts';
import { grouped, median, rounded } from './numbers.ts';
import { isMeasured, type Measured, type Rounds, type Share } from './round.ts';

export interface Line {
  readonly id: string;
  readonly title: string;
  /** Medians of the rounds; all absent when it failed in every one. */
  readonly messagesPerSecond?: number;
  readonly cpuUsPerMessage?: number;
  /** Processor time ÷ time. */
  readonly busy?: number;
  readonly peakRssMiB?: number;
  readonly delayP50Ms?: number;
  readonly delayP99Ms?: number;
  /** Medians of what it was in each round as a share of the floor in that round; absent when there is none. */
  readonly speed?: number;
  readonly cpu?: number;
  readonly target?: number;
  /** Over all rounds. */
  readonly seen?: Share;
  readonly delivered?: Share;
  readonly stored?: Share;
  /** Why rounds do not count. */
  readonly failures: readonly string[];
}

export interface Table {
  readonly streams: number;
  /** Of one contender in one round: what is measured, how many of these close a bar, and what came before to warm up. */
  readonly frames: number;
  readonly closes: number;
  readonly warmFrames: number;
  readonly rounds: number;
  readonly lines: readonly Line[];
}

export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly tables: readonly Table[];
}

const total = (shares: readonly (Share | undefined)[]): Share | undefined => {
  const all = shares.filter((share) => share !== undefined);
  if (all.length === 0) return undefined;
  const sum = (what: keyof Share): number => all.reduce((amount, share) => amount + share[what], 0);
  return { got: sum('got'), of: sum('of'), wrong: sum('wrong') };
};

/** The figures of one contender. */
export function lineOf({ id, title, target }: Entry, rounds: Rounds): Line {
  const results = rounds.get(id) ?? [];
  const measured = results.filter(isMeasured);
  const failures = results.flatMap((result) => (isMeasured(result) ? [] : [result.failure]));
  const head = { id, title, failures, ...(target === undefined ? {} : { target }) };
  if (measured.length === 0) return head;
  const of = (what: keyof Measured): number => median(measured.map((result) => result[what] as number));
  /** What else the machine did is in both of a round. */
  const paired = (what: keyof Measured): number | undefined => {
    const ratios = results.flatMap((result, round) => {
      const floor = rounds.get(FLOOR)?.[round];
      return isMeasured(result) && isMeasured(floor)
        ? [(result[what] as number) / (floor[what] as number)]
        : [];
    });
    return ratios.length === 0 ? undefined : median(ratios);
  };
  const [speed, cpu] = [paired('messagesPerSecond'), paired('cpuUsPerMessage')];
  const shares = { seen: 'seen', delivered: 'delivered', stored: 'stored' } as const;
  const told = Object.values(shares).flatMap((what) => {
    const share = total(measured.map((result) => result[what]));
    return share === undefined ? [] : [[what, share] as const];
  });
  return {
    ...head,
    messagesPerSecond: Math.round(of('messagesPerSecond')),
    cpuUsPerMessage: rounded(of('cpuUsPerMessage'), 2),
    busy: rounded(of('busy'), 2),
    peakRssMiB: Math.round(of('peakRss') / 1_048_576),
    delayP50Ms: rounded(of('delayP50Ms'), 1),
    delayP99Ms: rounded(of('delayP99Ms'), 1),
    ...(speed === undefined ? {} : { speed: rounded(speed, 2) }),
    ...(cpu === undefined ? {} : { cpu: rounded(cpu, 3) }),
    ...Object.fromEntries(told),
  };
}

const isLacking = (share: Share | undefined): boolean =>
  share !== undefined && (share.got < share.of || share.wrong > 0);

/** What is wrong with this line, whatever its speed; of peers only what makes the figures worthless. */
export function complaintsOf(line: Line, isOurs: boolean): string[] {
  const failed = line.failures.map((why) => `${line.id}: ${why}`);
  const odd = (['seen', 'delivered', 'stored'] as const).filter((what) =>
    isOurs ? isLacking(line[what]) : what === 'seen' && (line.seen?.wrong ?? 0) > 0,
  );
  return [...failed, ...odd.map((what) => `${line.id}: ${what} ${shareText(line[what])}`)];
}

/** Which targets are missed: to be known, and no fault. */
export const missesOf = (lines: readonly Line[]): string[] =>
  lines.flatMap(({ id, cpu, target }) =>
    cpu === undefined || target === undefined || cpu <= target
      ? []
      : [`${id}: ${cpu} of the floor's processor time, the target is ${target}`],
  );

/** What is not all, or more, stands out. */
export function shareText(share: Share | undefined): string {
  if (share === undefined) return '–';
  if (!isLacking(share)) return `100 % of ${grouped(share.of)}`;
  const wrong = share.wrong > 0 ? `, ${grouped(share.wrong)} wrong` : '';
  return `**${grouped(share.got)} of ${grouped(share.of)}${wrong}**`;
}

function cellsOf(line: Line): string[] {
  const { messagesPerSecond, cpuUsPerMessage, speed, cpu, target } = line;
  if (messagesPerSecond === undefined || cpuUsPerMessage === undefined)
    return [line.title, '**failed**', ...Array.from({ length: 7 }, () => '–')];
  const failed = line.failures.length === 0 ? '' : ` (**failed ${line.failures.length} times**)`;
  const seen = isLacking(line.seen) ? ` (saw ${shareText(line.seen)} frames)` : '';
  return [
    `${line.title}${failed}${seen}`,
    grouped(messagesPerSecond),
    speed === undefined ? '–' : speed.toFixed(2),
    cpuUsPerMessage.toFixed(2),
    `${cpu === undefined ? '–' : cpu.toFixed(2)}${target === undefined ? '' : ` (≤ ${target})`}`,
    String(line.peakRssMiB),
    `${line.delayP50Ms?.toFixed(1)} / ${line.delayP99Ms?.toFixed(1)}`,
    shareText(line.delivered),
    shareText(line.stored),
  ];
}

/** What its columns are. */
export const HEAD = [
  ...['', 'messages/s', '÷ floor C', 'CPU µs/message', '÷ floor C', 'peak RSS, MiB'],
  ...['loop delay p50 / p99, ms', 'closed bars delivered', 'stored'],
];

const rowText = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function tableText(table: Table): string {
  const { streams, frames, closes, warmFrames, rounds, lines } = table;
  return [
    `**${grouped(streams)} streams**, ${grouped(frames)} frames a round behind ${grouped(warmFrames)} to warm up; ` +
      `1 in ${Math.round(frames / closes)} closes a bar. Medians of ${rounds} rounds; bars are those of all.`,
    '',
    rowText(HEAD),
    rowText(HEAD.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...lines.map((line) => rowText(cellsOf(line))),
  ].join('\n');
}

/** As it stands in the README. */
export function markdownOf({ date, machine, versions, tables }: Report): string {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured ${date.slice(0, 10)} on ${machine}; ${list.join(', ')}.`,
    'Ratios are of the same round. Peers store nothing.',
    ...tables.flatMap((table) => ['', tableText(table)]),
    '',
  ].join('\n');
}

const [BEGIN, END] = ['<!-- bench -->', '<!-- /bench -->'] as const;

/** Where a page has the tables. @throws {Error} when it has no place for them. */
function placeIn(page: string): readonly [from: number, to: number] {
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  if (from < BEGIN.length || to < from) throw new Error(`the page has no ${BEGIN} … ${END}`);
  return [from, to];
}

/** The text of a page with the tables between its markers. @throws {Error} when it has none. */
export function placed(page: string, tables: string): string {
  const [from, to] = placeIn(page);
  return `${page.slice(0, from)}\n\n${tables.trim()}\n\n${page.slice(to)}`;
}

/** What {@link placed} has put there. @throws {Error} as it does. */
export const tablesIn = (page: string): string => page.slice(...placeIn(page)).trim();
