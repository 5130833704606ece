/** Shows the four ways in which the paper trader ends, one after the other; exits with 0 when each went as it should. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLogger, DeadlineCleanup } from 'candlestate';
import { createApplication } from './application.ts';
import { inspectFile } from './ledger.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Scenario {
  readonly title: string;
  readonly args: readonly string[];
  /** Ctrl+C, as soon as the log says this. */
  readonly interruptAt?: string;
  readonly exitCode: number;
}

const SCENARIOS: readonly Scenario[] = [
  { title: 'Normal end', args: ['--duration', '2s'], exitCode: 0 },
  { title: 'Error in the middle of a run', args: ['--fail-after', '2s'], exitCode: 1 },
  { title: 'Ctrl+C with an order half filled', args: [], interruptAt: 'partly filled', exitCode: 130 },
];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs it as a process of its own. */
async function run(args: readonly string[], cleanup: DeadlineCleanup, interruptAt?: string) {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, '--paper', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const release = cleanup.add('child process', () => child.kill('SIGKILL'));
  let log = '';
  let isInterrupted = false;
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
    if (interruptAt === undefined || isInterrupted || !log.includes(interruptAt)) return;
    isInterrupted = true;
    child.kill('SIGINT');
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  release();
  return { exitCode, lines: log.trimEnd().split('\n') };
}

/** Whether the books that it left are in order. */
function judge(db: string): boolean {
  const checks = inspectFile(db);
  for (const { name, outcome, detail } of checks) say(`  ${outcome === 'ok' ? '✓' : '✗'} ${name}: ${detail}`);
  return checks.every(({ outcome }) => outcome === 'ok');
}

async function show(scenario: Scenario, folder: string, cleanup: DeadlineCleanup): Promise<boolean> {
  const { title, args, interruptAt, exitCode: wanted } = scenario;
  const db = join(folder, `${wanted}.db`);
  say(`\n${title}: ${['main.ts', '--paper', ...args].join(' ')}`);
  const { exitCode, lines } = await run([...args, '--db', db], cleanup, interruptAt);
  for (const line of lines.slice(-12)) say(`  | ${line}`);
  const isSound = judge(db);
  say(`  ${exitCode === wanted ? '✓' : '✗'} exit code ${exitCode}, wanted ${wanted}`);
  return isSound && exitCode === wanted;
}

/** In this process: whoever stops it once more gets the report of the first time. */
async function showThreeStops(folder: string): Promise<boolean> {
  const db = join(folder, 'thrice.db');
  say('\nCleanup called three times');
  const logger = createLogger({ level: 'warn' });
  const application = createApplication({ db, network: 'simulator', timeScale: 60 }, logger);
  await application.start();
  const first = await application.stop();
  say(`  cleanup 1/3: ${first.components.map(({ name, outcome }) => `${name} ${outcome}`).join(', ')}`);
  let isSame = true;
  for (const round of [2, 3]) {
    const again = await application.stop();
    isSame &&= again === first;
    say(
      `  cleanup ${round}/3: ${again === first ? 'already completed, the same report' : 'a report of its own'}`,
    );
  }
  return judge(db) && isSame && first.clean;
}

async function showAll(): Promise<boolean> {
  await using cleanup = new DeadlineCleanup({ timeoutMs: 2_000 });
  const folder = await mkdtemp(join(tmpdir(), 'paper-trader-'));
  cleanup.add('temporary folder', () => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const results: boolean[] = [];
  for (const scenario of SCENARIOS) results.push(await show(scenario, folder, cleanup));
  results.push(await showThreeStops(folder));
  say(`\n${results.filter(Boolean).length} of ${results.length} came out as they should`);
  return results.every(Boolean);
}

process.exitCode = (await showAll()) ? 0 : 1;
