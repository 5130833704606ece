/** One collector that lives long under bad weather, and is measured all the time; then it is told to end. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../src/simulator/index.ts';
import { mustEnd, mustTakeLess } from '../endings/cases.ts';
import { CANDLESTATE, Child } from '../endings/launch.ts';
import type { Violation } from '../oracle/evidence.ts';
import { judge } from '../oracle/judge.ts';
import { toldBy, wholeLines } from '../oracle/told.ts';
import { settingOf } from '../storm/run.ts';
import { comes } from '../support/program.ts';
import { drawWeather, type Strike } from './drawing.ts';
import { Reader, type Reading } from './figures.ts';
import { endViolations, leftBehind, type Scene, setScene } from './scene.ts';

export interface LongLifeOptions {
  readonly seed: number;
  /** How long the weather is bad, wall ms. */
  readonly forMs: number;
  readonly streams: number;
  /** An empty folder. */
  readonly folder: string;
}

export interface LongLife {
  readonly readings: readonly Reading[];
  readonly strikes: readonly Strike[];
  readonly violations: readonly Violation[];
  readonly store: string;
  readonly bars: number;
  readonly dialled: number;
  /** From the end of the bad weather until all was well, wall ms. */
  readonly healedMs: number;
  readonly livedMs: number;
}

/** Fills the buffers of all series at once (500 bars of the longest interval), so that they do not look like a leak. */
const BACKFILL_MS = 126 * 3_600_000;
/** A dead connection is found out in 25 s, a refused one is dialled a minute later at most, and proof takes some seconds. */
const HEAL_MS = 120_000;
/** Behind that: bars that are owed, wall ms. */
const SETTLE_MS = 5_000;
const STOP_MS = 8_000;
/** The exchange's own limit: dials of an address in five minutes. */
const DIALS_MAX = { count: 300, inMs: 300_000 };
/** One process must not be slower to say how it is; it may be asleep meanwhile. */
const ANSWER_MS = 20_000;
/** Garbage is let go of before a reading. */
const COLLECTION_MS = 100;

export const readingsApartMs = (forMs: number): number => Math.min(15_000, Math.max(2_000, forMs / 300));

const GARBAGE = new URL('./collect-garbage.ts', import.meta.url).href;

export async function liveLong(options: LongLifeOptions, say: (line: string) => void): Promise<LongLife> {
  const setting = settingOf(options.streams);
  await using scene = await setScene(options.seed, setting, options.folder);
  await using collector = new Collector(scene, options.folder);
  const url = await collector.page();
  const over = new AbortController();
  const measuring = measure(collector, url, readingsApartMs(options.forMs), over.signal);
  const strikes = await rage(drawWeather(options.seed, options.forMs, setting), collector, scene, say);
  await collector.livesUntil(options.forMs);
  await scene.weather.clear();
  await scene.exchange.clearFaults();
  const calmAt = performance.now();
  const { readings, violations } = measuring;
  const isHealed = (): boolean =>
    readings.some(({ atMs, isWell }) => isWell && atMs > calmAt - collector.bornAt);
  await comes('that all is well again', () => isHealed() || collector.isOver(), HEAL_MS).catch(() =>
    violations.push({
      invariant: 'honest',
      name: `not well ${HEAL_MS} ms after the last fault`,
      detail: url,
    }),
  );
  const healedMs = performance.now() - calmAt;
  say(`well again after ${(healedMs / 1_000).toFixed(1)} s`);
  const faultsOverAt = scene.exchange.now();
  await sleep(SETTLE_MS);
  over.abort();
  await measuring.ended;
  const livedMs = collector.livedMs();
  const endedAt = scene.exchange.now();
  violations.push(...endViolations('the long life', await collector.stop(scene)));
  const socketsLeft = await scene.exchange.sockets();
  const backfillFrom = collector.streamingAt === undefined ? undefined : collector.streamingAt - BACKFILL_MS;
  const evidence = scene.evidence({
    told: toldBy(wholeLines(collector.output()), scene.exchange.now()),
    endedAt,
    faultsOverAt,
    socketsLeft,
    ...(backfillFrom === undefined ? {} : { backfillFrom }),
  });
  violations.push(...judge(evidence), ...overdialled(measuring.dials));
  const bars = evidence.store?.candles.length ?? 0;
  const dialled = scene.proxies.streams.dialled();
  return { readings, strikes, violations, store: scene.store, bars, dialled, healedMs, livedMs };
}

/** The process, its output and its log in files. */
class Collector implements AsyncDisposable {
  readonly bornAt = performance.now();
  /** Exchange time at which it streamed for the first time, ms. */
  streamingAt: number | undefined;
  readonly scene: Scene;
  readonly #child: Child;
  readonly #files: Readonly<Record<'output' | 'log', string>>;

  constructor(scene: Scene, folder: string) {
    this.scene = scene;
    this.#files = { output: join(folder, 'output.jsonl'), log: join(folder, 'log.txt') };
    const [output, log] = [this.#files.output, this.#files.log].map((path) => openSync(path, 'a')) as [
      number,
      number,
    ];
    const [node, ...rest] = CANDLESTATE;
    const flags = ['--backfill', `${BACKFILL_MS / 3_600_000}h`, '--port', '0'];
    this.#child = new Child([node, '--import', GARBAGE, ...rest, ...scene.args, ...flags], {
      cwd: folder,
      stdio: ['ignore', output, log],
    });
    for (const file of [output, log]) closeSync(file);
  }

  output(): string {
    return readFileSync(this.#files.output, 'utf8');
  }

  livedMs(): number {
    return performance.now() - this.bornAt;
  }

  isOver(): boolean {
    const { exitCode, signalCode } = this.#child.process;
    return exitCode !== null || signalCode !== null;
  }

  async livesUntil(ageMs: number): Promise<void> {
    await sleep(Math.max(0, ageMs - this.livedMs()));
  }

  /** Where it shows itself. */
  page(): Promise<string> {
    const look = (): string | undefined =>
      /page at (http:\S+)/u.exec(readFileSync(this.#files.log, 'utf8'))?.[1];
    return comes('the address of its page', look);
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.isOver()) this.#child.kill(signal);
  }

  /** How it is, with no garbage. */
  async metrics(url: string): Promise<string> {
    this.signal('SIGUSR2');
    await sleep(COLLECTION_MS);
    const signal = AbortSignal.timeout(ANSWER_MS);
    // One that sleeps with a question half read wakes to find it too old (408): what a scraper does then is to ask again.
    const text = await scrape(url, signal).catch(() => scrape(url, signal));
    if (text.includes('candlestate_collector_state{state="streaming"} 1'))
      this.streamingAt ??= this.scene.exchange.now();
    return text;
  }

  /** What is wrong with its end. */
  async stop(scene: Scene): Promise<(string | false)[]> {
    const tail = (): string => readFileSync(this.#files.log, 'utf8').slice(-2_000);
    if (this.isOver())
      return [`it ended by itself with ${(await this.#child.end()).code}; its log ends:\n${tail()}`];
    const askedAt = this.#child.kill('SIGTERM');
    const { code, at } = await this.#child.end(2 * STOP_MS);
    return [mustEnd(code, 143), mustTakeLess(at - askedAt, STOP_MS), ...leftBehind(scene.store)];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}

/** A connection that is kept may be closed just now, because nobody came while the process slept: each has its own. */
async function scrape(url: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(new URL('/metrics', url), { signal, headers: { connection: 'close' } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`);
  return text;
}

/** Strikes every fault at its time, or when a sleeper has woken; which, and when, as long as there is somebody to be struck. */
async function rage(
  drawn: readonly Strike[],
  collector: Collector,
  scene: Scene,
  say: (line: string) => void,
): Promise<Strike[]> {
  const struck: Strike[] = [];
  for (const one of drawn) {
    await collector.livesUntil(one.atMs);
    if (collector.isOver()) break;
    const strike = { ...one, atMs: collector.livedMs() };
    struck.push(strike);
    say(
      `${(strike.atMs / 1_000).toFixed(1)} s ${strike.target} ${strike.name} ${JSON.stringify(strike.fault)}`,
    );
    if (strike.target === 'network') await scene.weather.strike(strike.fault);
    else if (strike.target === 'exchange')
      await scene.exchange
        .inject(strike.fault as unknown as Fault)
        .catch((error: Error) => say(`  ${error.message}`));
    else {
      collector.signal('SIGSTOP');
      await sleep(strike.fault.forMs);
      collector.signal('SIGCONT');
    }
  }
  return struck;
}

interface Measuring {
  readonly readings: Reading[];
  readonly violations: Violation[];
  readonly dials: { readonly atMs: number; readonly count: number }[];
  readonly ended: Promise<void>;
}

/** Takes a reading again and again until the end. */
function measure(collector: Collector, url: string, apartMs: number, over: AbortSignal): Measuring {
  const readings: Reading[] = [];
  const violations: Violation[] = [];
  const dials: { atMs: number; count: number }[] = [];
  const reader = new Reader(collector.scene.store);
  const run = async (): Promise<void> => {
    while (!over.aborted && !collector.isOver()) {
      const nextAt = performance.now() + apartMs;
      try {
        const text = await collector.metrics(url);
        readings.push(reader.read(collector.livedMs(), text));
      } catch (error) {
        const detail = (error as Error).message;
        if (!collector.isOver())
          violations.push({ invariant: 'honest', name: 'no metrics to be had', detail });
      }
      dials.push({ atMs: collector.livedMs(), count: collector.scene.proxies.streams.dialled() });
      await sleep(Math.max(0, nextAt - performance.now()), undefined, { signal: over }).catch(
        () => undefined,
      );
    }
  };
  return { readings, violations, dials, ended: run() };
}

/** Five minutes with more dials than an address has. */
function overdialled(dials: Measuring['dials']): Violation[] {
  const { count: most, inMs } = DIALS_MAX;
  const worst = Math.max(
    0,
    ...dials.map(({ atMs, count }) => {
      const first = dials.find((one) => one.atMs >= atMs - inMs)!;
      return count - first.count;
    }),
  );
  if (worst <= most) return [];
  return [
    {
      invariant: 'honest',
      name: 'too many dials',
      detail: `${worst} in ${inMs / 1_000} s, not ${most} at most`,
    },
  ];
}
