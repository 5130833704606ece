/** What every contender has in common: a process of its own that is told when to begin, and says what it took. */
import { existsSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Interval } from '../../../machines/model/interval.ts';
import type { Shape } from '../../../machines/model/kline.ts';

/** What a contender is given. */
export interface Scene {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
  /** Which of what its file can do. */
  readonly mode: string;
  /** An empty folder. */
  readonly folder: string;
  /** Where the peers are installed. */
  readonly peers: string;
}

/** The streams of a scene, as they are subscribed. */
export const namesOf = ({ symbols, intervals }: Scene): string[] =>
  symbols.flatMap((symbol) => intervals.map((interval) => `${symbol.toLowerCase()}@kline_${interval}`));

/** A closed bar that a contender says there was. */
export interface Bar extends Shape {
  readonly symbol: string;
  readonly interval: string;
  readonly openTime: number;
}

export interface Contender {
  /** Frames that it has seen one by one; absent where its user does not get to see each. */
  frames?(): number;
  /** Closed bars that its user has got; absent where it gives none. */
  bars?(): readonly Bar[];
  /** Lets go of everything. Returns what is in its store when it has one. */
  stop(): Promise<Bar[] | undefined>;
}

/**
 * From the parent, twice: behind what warms up, and behind what is measured. All frames so far have been read, and so many
 * bars have closed by them.
 */
export interface Signal {
  readonly bars: number;
}

/** From the first frame that is measured to the last thing done. */
interface Toll {
  /** Processor time, all threads, µs. */
  readonly cpuUs: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
}

export interface Outcome extends Toll {
  /** When the last thing was done, if that was after the last frame had been read, ms since epoch. */
  readonly doneAt?: number;
  readonly frames?: number;
  /** Bytes, over the whole life. */
  readonly peakRss: number;
  /** As {@link barKey}. */
  readonly delivered?: readonly string[];
  readonly stored?: readonly string[];
}

/** A bar is the exchange's when all of its numbers are. */
export const barKey = (bar: Bar): string =>
  [bar.symbol, bar.interval, bar.openTime, bar.open, bar.high, bar.low, bar.close, bar.volume].join();

/** Node adds the time between two samples to the delay. */
const RESOLUTION_MS = 1;
/** What has not come after so long without a sign of more is lost. */
const LOST_AFTER_MS = 1_500;

/** Bytes. The usage that Node tells has in it what the process was forked from. */
function peakRssOf(): number {
  const status = '/proc/self/status';
  const own = existsSync(status)
    ? /^VmHWM:\s*(\d+) kB$/mu.exec(readFileSync(status, 'utf8'))?.[1]
    : undefined;
  return Number(own ?? process.resourceUsage().maxRSS) * 1_024;
}

/** Runs a contender: the whole life of this process. `start` resolves when all streams are subscribed. */
export async function contend(start: (scene: Scene) => Promise<Contender>): Promise<void> {
  const scene = JSON.parse(process.argv[2] ?? '{}') as Scene;
  process.once('disconnect', () => process.exit());
  const signals: Signal[] = [];
  let wake = (): void => {};
  process.on('message', (signal: Signal) => {
    signals.push(signal);
    wake();
  });
  const next = async (): Promise<Signal> => {
    while (signals.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return signals.shift() as Signal;
  };
  const contender = await start(scene);
  process.send?.('ready');
  // What the warming up is still owed would be counted as seen, and paid for, in what is measured.
  await settled(contender, (await next()).bars);
  const framesBefore = contender.frames?.() ?? 0;
  const tollOf = startToll();
  process.send?.('begun');
  const { bars } = await next();
  let toll = tollOf();
  let doneAt: number | undefined;
  await settled(contender, bars, () => {
    toll = tollOf();
    doneAt = performance.timeOrigin + performance.now();
  });
  const peakRss = peakRssOf();
  const delivered = contender.bars?.().map(barKey);
  const frames = contender.frames?.();
  const stored = (await contender.stop())?.map(barKey);
  const outcome: Outcome = {
    ...toll,
    peakRss,
    ...(doneAt === undefined ? {} : { doneAt }),
    ...(frames === undefined ? {} : { frames: frames - framesBefore }),
    ...(delivered === undefined ? {} : { delivered }),
    ...(stored === undefined ? {} : { stored }),
  };
  process.send?.(outcome);
}

/** Begins to measure. The result says what it has been since: of the same time for all, whatever is waited for then. */
function startToll(): () => Toll {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const before = process.cpuUsage();
  const delayMs = (percentile: number): number =>
    Math.max(0, delay.percentile(percentile) / 1e6 - RESOLUTION_MS);
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { cpuUs: user + system, delayP50Ms: delayMs(50), delayP99Ms: delayMs(99) };
  };
}

/** Waits for bars that are still on their way, as those that are being committed. `onNews`: some have come. */
async function settled(contender: Contender, wanted: number, onNews: () => void = () => {}): Promise<void> {
  const count = (): number => contender.bars?.().length ?? wanted;
  let [seen, at] = [count(), performance.now()];
  while (seen < wanted && performance.now() - at < LOST_AFTER_MS) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = count();
    if (now === seen) continue;
    [seen, at] = [now, performance.now()];
    onNews();
  }
}
