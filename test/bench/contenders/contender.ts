/** What every contender has in common: a process of its own that is told when to begin, and says what it took. */
import { existsSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Interval } from '../../../machines/model/interval.ts';

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

/** A closed bar that a contender says there was. */
export interface Bar {
  readonly symbol: string;
  readonly interval: string;
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export interface Contender {
  /** Frames that it has seen one by one; absent where its user does not get to see each. */
  frames?(): number;
  /** Closed bars that its user has got; absent where it gives none. */
  bars?(): readonly Bar[];
  /** Lets go of everything. Returns what is in its store when it has one. */
  stop(): Promise<Bar[] | undefined>;
}

/** From the parent. `begin`: the first frame comes next; `end`: the last has been read, and so many bars have closed. */
export type Signal = { readonly begin: true } | { readonly end: { readonly bars: number } };

export interface Outcome {
  /** Processor time from the first frame to the last thing done, all threads, µs. */
  readonly cpuUs: number;
  /** When the last thing was done, if that was after the last frame had been read, ms since epoch. */
  readonly doneAt?: number;
  readonly frames?: number;
  /** Bytes, over the whole life. */
  readonly peakRss: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
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
  await next();
  const framesBefore = contender.frames?.() ?? 0;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const before = process.cpuUsage();
  process.send?.('begun');
  const signal = await next();
  const wanted = 'end' in signal ? signal.end.bars : 0;
  const end = await settled(contender, wanted, before);
  delay.disable();
  const ms = (percentile: number): number => Math.max(0, delay.percentile(percentile) / 1e6 - RESOLUTION_MS);
  const peakRss = peakRssOf();
  const delivered = contender.bars?.().map(barKey);
  const stored = (await contender.stop())?.map(barKey);
  const outcome: Outcome = {
    ...end,
    peakRss,
    delayP50Ms: ms(50),
    delayP99Ms: ms(99),
    ...(contender.frames === undefined ? {} : { frames: contender.frames() - framesBefore }),
    ...(delivered === undefined ? {} : { delivered }),
    ...(stored === undefined ? {} : { stored }),
  };
  process.send?.(outcome);
}

/** Waits for bars that are still on their way, as those that are being committed; what it took until the last came. */
async function settled(
  contender: Contender,
  wanted: number,
  before: NodeJS.CpuUsage,
): Promise<Pick<Outcome, 'cpuUs' | 'doneAt'>> {
  const cpuUs = (): number => {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const count = (): number => contender.bars?.().length ?? wanted;
  let end: Pick<Outcome, 'cpuUs' | 'doneAt'> = { cpuUs: cpuUs() };
  let [seen, at] = [count(), performance.now()];
  while (seen < wanted && performance.now() - at < LOST_AFTER_MS) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = count();
    if (now === seen) continue;
    [seen, at] = [now, performance.now()];
    end = { cpuUs: cpuUs(), doneAt: performance.timeOrigin + at };
  }
  return end;
}
