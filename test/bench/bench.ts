/**
 * What it costs, beside what a user would write by hand and what others offer: `npm run bench -- [--rounds 7]
 * [--frames 300000] [--streams 100,1000] [--only floor,closed] [--peers] [--quick] [--out F.json] [--out F.md]
 * [--readme README.md] [--check | --record] [--baseline F.json]`. Prints Markdown; what it does meanwhile goes to standard
 * error.
 *
 * Every round, each contender takes the same frames in a process of its own from a blaster that sends as fast as they are
 * taken, behind some of them to warm up. It is counted from outside: processor time is the process's, all threads, and a closed bar counts when all of
 * its numbers are the exchange's.
 *
 * - `--peers` installs other clients, in `node_modules/.cache`, and has them take part
 * - `--check`: exit 1 when a ratio to the floor is more than 15 % above the one recorded with as many streams and frames;
 *   `--record` writes it. Targets that are missed are told in lines that begin with `warning`
 *
 * Exit 1 besides: a contender failed, candlestate lost something, or somebody saw more frames than there were. Exit 2, before
 * anything is measured: wrong usage, a file that cannot be written, nothing built, peers that cannot be installed.
 */
import { existsSync } from 'node:fs';
import { toldOf } from '../support/command.ts';
import { lossesOf, readBaseline, recorded, writeBaseline } from './baseline.ts';
import { processors } from './child.ts';
import { ENTRIES, type Entry, OURS } from './contenders/catalog.ts';
import { type Flags, readFlags } from './flags.ts';
import { barsOf, framesOf } from './frames.ts';
import { machineOf, versionsOf } from './machine.ts';
import { checkOutputs, writeOutputs } from './outputs.ts';
import { installPeers, PEERS_FOLDER } from './peers.ts';
import { courseOf } from './plan.ts';
import { complaintsOf, lineOf, missesOf, type Report, type Table } from './report.ts';
import { enter, isMeasured, rounds } from './round.ts';

const hint = (text: string): void => void process.stderr.write(`${text}\n`);

async function tableOf(streams: number, entries: readonly Entry[], flags: Flags): Promise<Table> {
  const { plan, warmMinutes } = courseOf(streams, flags.frames);
  const arena = await enter(plan, warmMinutes, { peers: PEERS_FOLDER, processors: processors() });
  try {
    const results = await rounds(entries, arena, flags.rounds, ({ id }, round, result) => {
      const said = isMeasured(result)
        ? `${result.cpuUsPerMessage.toFixed(2)} µs/message, ${Math.round(100 * result.busy)} % busy`
        : result.failure;
      hint(`${streams} streams, round ${round + 1} of ${flags.rounds}, ${id}: ${said}`);
    });
    const warmFrames = framesOf(plan, warmMinutes);
    return {
      ...{ streams, warmFrames, frames: framesOf(plan) - warmFrames },
      ...{ closes: barsOf(plan) - barsOf(plan, warmMinutes), rounds: flags.rounds },
      lines: entries.map((entry) => lineOf(entry, results)),
    };
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

/** What is wrong with it, and so with the exit code. */
function judge(report: Report, { baseline, check, record }: Flags): string[] {
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

interface Prepared {
  readonly flags: Flags;
  readonly entries: readonly Entry[];
}

/** All that can be refused is refused here. @throws {Error} that says why. */
function prepare(args: readonly string[]): Prepared {
  const flags = readFlags(args);
  checkOutputs(flags);
  const entries = ENTRIES.filter(
    ({ id, peer }) => (flags.only?.includes(id) ?? true) && (peer === undefined || flags.peers),
  );
  const isBuilt = existsSync(new URL('../../dist/index.js', import.meta.url));
  if (!isBuilt && entries.some(({ id }) => OURS.has(id))) throw new Error('dist/ is missing: npm run build');
  if (flags.peers) installPeers();
  return { flags, entries };
}

async function main({ flags, entries }: Prepared): Promise<void> {
  const report = await measure(flags, entries);
  writeOutputs(report, flags);
  if (flags.check)
    for (const { streams, lines } of report.tables)
      for (const miss of missesOf(lines)) hint(`warning: ${streams} streams, ${miss}`);
  const complaints = judge(report, flags);
  for (const complaint of complaints) hint(complaint);
  if (complaints.length > 0) process.exitCode = 1;
}

const prepared = toldOf(() => prepare(process.argv.slice(2)));
if (prepared !== undefined) await main(prepared);
