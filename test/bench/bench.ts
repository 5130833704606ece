/**
 * What it costs, beside what a user would write by hand and what others offer: `npm run bench -- [--rounds 7]
 * [--frames 300000] [--streams 100,1000] [--only floor,closed] [--peers] [--quick] [--out F.json] [--out F.md]
 * [--readme README.md] [--check | --record] [--baseline F.json]`. Prints Markdown; what it does meanwhile goes to standard
 * error.
 *
 * Every round, each contender takes the same frames in a process of its own from a blaster that sends as fast as they are
 * taken. It is counted from outside: processor time is the process's, all threads, and a closed bar counts when all of
 * its numbers are the exchange's.
 *
 * - `--peers` installs other clients, in `node_modules/.cache`, and has them take part
 * - `--check`: exit 1 when a ratio to the floor is more than 15 % above the one recorded with as many streams and frames;
 *   `--record` writes it
 *
 * Exit 1 besides: a contender failed, or candlestate lost something. Exit 2: wrong usage, or nothing was built.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Interval } from '../../machines/model/interval.ts';
import { toldOf } from '../support/command.ts';
import { lossesOf, readBaseline, recorded, writeBaseline } from './baseline.ts';
import { processors } from './child.ts';
import { ENTRIES, type Entry, OURS } from './contenders/catalog.ts';
import { type Flags, readFlags } from './flags.ts';
import { barsOf, framesOf, type Plan } from './frames.ts';
import { machineOf, versionsOf } from './machine.ts';
import { installPeers, PEERS_FOLDER } from './peers.ts';
import { complaintsOf, lineOf, markdownOf, placed, type Report, type Table } from './report.ts';
import { type Arena, enter, isMeasured, rounds } from './round.ts';

const INTERVALS: readonly Interval[] = ['1m', '3m', '5m', '15m'];
/** Of each stream, exchange time: with these intervals 1 frame in 250 closes a bar, over whole hours. */
const FRAMES_PER_MINUTE = 100;
/** Of the hour that stamps may be ahead, what is measured; a third of that comes before, to warm up. */
const MINUTES_MAX = 45;
/** All intervals close there. */
const END = Date.UTC(2026, 0, 5, 13);

const hint = (text: string): void => void process.stderr.write(`${text}\n`);

function planOf(streams: number, frames: number): { readonly plan: Plan; readonly warmMinutes: number } {
  const wanted = Math.round(frames / streams / FRAMES_PER_MINUTE);
  const minutes = Math.min(Math.max(wanted, 1), MINUTES_MAX);
  const warmMinutes = Math.max(1, Math.round(minutes / 3));
  const symbols = Array.from(
    { length: streams / INTERVALS.length },
    (_, number) => `C${String(number).padStart(3, '0')}USDT`,
  );
  const plan: Plan = {
    ...{ symbols, intervals: INTERVALS, minutes: minutes + warmMinutes },
    begin: END - (minutes + warmMinutes) * 60_000,
    framesPerMinute: Math.max(1, Math.round(frames / streams / minutes)),
  };
  return { plan, warmMinutes };
}

async function tableOf(streams: number, entries: readonly Entry[], flags: Flags): Promise<Table> {
  const { plan, warmMinutes } = planOf(streams, flags.frames);
  const arena: Arena = await enter(plan, warmMinutes, { peers: PEERS_FOLDER, processors: processors() });
  try {
    const results = await rounds(entries, arena, flags.rounds, ({ id }, round, result) => {
      const said = isMeasured(result) ? `${result.cpuUsPerMessage.toFixed(2)} µs/message` : result.failure;
      hint(`${streams} streams, round ${round + 1} of ${flags.rounds}, ${id}: ${said}`);
    });
    const lines = entries.map((entry) => lineOf(entry, results));
    const frames = framesOf(plan, plan.minutes - warmMinutes);
    return { streams, frames, bars: barsOf(plan), rounds: flags.rounds, lines };
  } finally {
    await arena.blaster.end();
  }
}

async function measure(flags: Flags, entries: readonly Entry[]): Promise<Report> {
  const date = new Date(Date.now()).toISOString();
  const machine = machineOf(processors().length);
  const tables: Table[] = [];
  for (const streams of flags.streams) tables.push(await tableOf(streams, entries, flags));
  return { date, machine, versions: versionsOf(flags.peers), tables };
}

function deliver(report: Report, { out, readme, baseline, check, record }: Flags): string[] {
  const markdown = markdownOf(report);
  process.stdout.write(markdown);
  for (const file of out)
    writeFileSync(file, file.endsWith('.md') ? markdown : `${JSON.stringify(report, undefined, 2)}\n`);
  if (readme !== undefined) writeFileSync(readme, placed(readFileSync(readme, 'utf8'), markdown));
  const complaints = report.tables.flatMap(({ streams, lines }) =>
    lines.flatMap((line) =>
      complaintsOf(line, OURS.has(line.id)).map((text) => `${streams} streams, ${text}`),
    ),
  );
  if (check) complaints.push(...lossesOf(report, OURS, readBaseline(baseline)));
  // What was not whole is no measure for anything.
  if (record && complaints.length === 0)
    writeBaseline(recorded(report, OURS, readBaseline(baseline)), baseline);
  return complaints;
}

async function main(flags: Flags): Promise<void> {
  const entries = ENTRIES.filter(
    ({ id, peer }) => (flags.only?.includes(id) ?? true) && (peer === undefined || flags.peers),
  );
  const isBuilt = existsSync(new URL('../../dist/index.js', import.meta.url));
  if (!isBuilt && entries.some(({ id }) => OURS.has(id))) {
    hint('dist/ is missing: npm run build');
    process.exitCode = 2;
    return;
  }
  // Before hours of measuring, not behind them.
  if (flags.readme !== undefined) placed(readFileSync(flags.readme, 'utf8'), '');
  if (flags.peers) installPeers();
  const complaints = deliver(await measure(flags, entries), flags);
  for (const complaint of complaints) hint(complaint);
  if (complaints.length > 0) process.exitCode = 1;
}

const flags = toldOf(() => readFlags(process.argv.slice(2)));
if (flags !== undefined) await main(flags);
