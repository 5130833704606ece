/**
 * A soak by command: `node test/soak/soak.ts --minutes 10 --seed 1 [--streams 20] [--svg soak.svg] [--verbose]`.
 * One collector lives long under faults of network, exchange and process and is measured; beside it one is killed again and
 * again. Exit 0: the promise was kept, and nothing grew; 1: it was not, and seed, what broke and a line to repeat it are
 * printed; 2: wrong usage.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describeViolations } from '../oracle/judge.ts';
import { toldOf } from '../support/command.ts';
import { FIGURE_IDS, FIGURES } from './figures.ts';
import { type Flags, readFlags } from './flags.ts';
import { type LongLife, liveLong } from './long-life.ts';
import type { LivesOptions, LivesResult } from './many-lives.ts';
import type { LaneMessage } from './many-lives.worker.ts';
import { drawPicture, judgement, type Panel } from './plot.ts';
import { isBad, verdictOf, warmUpMs } from './slope.ts';

const MINUTE_MS = 60_000;
/** Series of the collector that is killed; it begins anew so often that more would be over the exchange's weight. */
const STREAMS_OF_LIVES = 8;

/** For the lane of many lives to end whom it has started. */
const FAREWELL_MS = 500;

const repeat = ({ minutes, seed, streams }: Flags): string =>
  `repeat: node test/soak/soak.ts --minutes ${minutes} --seed ${seed} --streams ${streams} --verbose`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The other lane, in a thread of its own. */
function manyLives(options: LivesOptions, hear: (line: string) => void): Promise<LivesResult> {
  const worker = new Worker(new URL('./many-lives.worker.ts', import.meta.url), { workerData: options });
  return new Promise((resolve, reject) => {
    worker.on('message', (message: LaneMessage) =>
      'line' in message ? hear(message.line) : resolve(message.result),
    );
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => worker.postMessage('end'));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the lane of many lives ended with ${code}`)));
  });
}

const panelsOf = ({ readings }: LongLife, forMs: number): Panel[] =>
  FIGURE_IDS.map((id) => {
    const points = readings.flatMap(({ atMs, values: { [id]: value } }) =>
      value === undefined ? [] : [{ atMs, value }],
    );
    return { figure: FIGURES[id], points, verdict: verdictOf(FIGURES[id], points, warmUpMs(forMs)) };
  });

async function soak(flags: Flags): Promise<number> {
  const { minutes, seed, streams, svg, verbose } = flags;
  const folder = mkdtempSync(join(tmpdir(), 'candlestate-soak-'));
  const [longFolder, livesFolder] = ['long', 'lives'].map((name) => join(folder, name)) as [string, string];
  for (const path of [longFolder, livesFolder]) mkdirSync(path);
  const forMs = minutes * MINUTE_MS;
  const hear = verbose ? say : () => {};
  const [long, many] = await Promise.all([
    liveLong({ seed, forMs, streams, folder: longFolder }, hear),
    manyLives({ seed, forMs, streams: Math.min(streams, STREAMS_OF_LIVES), folder: livesFolder }, hear),
  ]);
  const panels = panelsOf(long, forMs);
  const deaths = Map.groupBy(many.lives, ({ death }) => death);
  const facts = [
    `${long.strikes.length} faults, ${long.dialled} dials, ${long.bars} bars, well again in ${(long.healedMs / 1_000).toFixed(1)} s`,
    `${many.lives.length} lives (${[...deaths].map(([death, all]) => `${all.length} ${death}`).join(', ')}), ${many.bars} bars`,
  ];
  say(`long life: ${facts[0]}\nmany lives: ${facts[1]}`);
  for (const { figure, verdict } of panels) say(`${figure.name.padEnd(32)} ${judgement(figure, verdict)}`);
  if (svg !== undefined) {
    mkdirSync(dirname(svg), { recursive: true });
    const title = `A soak of ${minutes} minutes, seed ${seed}, ${streams} streams`;
    const lengthMs = Math.max(long.livedMs, ...many.lives.map(({ toMs }) => toMs));
    const { strikes } = long;
    writeFileSync(
      svg,
      drawPicture({
        title,
        subtitle: facts[0]!,
        panels,
        strikes,
        lives: many.lives,
        lengthMs,
        warmUpMs: warmUpMs(forMs),
      }),
    );
    say(`picture: ${svg}`);
  }
  const violations = [...long.violations, ...many.violations];
  const leaks = panels.filter(({ verdict }) => isBad(verdict.outcome));
  if (violations.length + leaks.length === 0) {
    say(`seed ${seed}: kept`);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    return 0;
  }
  say(`seed ${seed}: BROKEN`);
  if (violations.length > 0) say(describeViolations(violations));
  for (const { figure, verdict } of leaks) say(`bounded: ${figure.name}: ${judgement(figure, verdict)}`);
  say(`stores and logs: ${folder}\n${repeat(flags)}`);
  return 1;
}

const flags = toldOf(() => readFlags(process.argv.slice(2)));
if (flags !== undefined) {
  let isInterrupted = false;
  // Whoever is interrupted takes along whom it has started; the other lane is given the time to do so, too.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => {
      isInterrupted = true;
      setTimeout(() => process.exit(code), FAREWELL_MS);
    });
  try {
    process.exitCode = await soak(flags);
  } catch (error) {
    if (!isInterrupted) {
      say(`seed ${flags.seed}: BROKEN, it could not go on: ${(error as Error).stack}\n${repeat(flags)}`);
      process.exit(1);
    }
  }
}
