/**
 * Ten thousand streams, and a midnight at which all of them close: `node test/scale/burst.ts [--symbols 667]
 * [--frames-per-second 2] [--spread 1000] [--buffer-size 500] [--short] [--memory-mib 150] [--node-args=]`. All fifteen intervals of each
 * symbol; the built program, its store on; the exchange in another process. Exits 1 when a bound is passed. Node is told to be
 * careful with memory, as docs/speed.md says, unless `--node-args` says otherwise. `--short` leaves out the second
 * life, whose stop comes in the midst of the burst, and lets exchange time run twice as fast.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { INTERVALS } from '../../machines/model/interval.ts';
import { Bystander } from './bystander.ts';
import { CommitWatch } from './commit-watch.ts';
import { enter, idleRss, type Life } from './enter.ts';
import { burstFlags, told } from './flags.ts';
import { type Bar, barsIn, distributionOf, faultsIn, keyOf, latencyOf, storedIn } from './judge.ts';
import { type Pace, type Stopped, seriesOf, type VenuePlan } from './life.ts';
import { Findings, mib, round } from './say.ts';

/** From `What it must cost` of the design, and the contract: a closed bar is delivered within 50 ms in normal load. */
const BOUNDS = { stopMs: 1_000, burstP99Ms: 500, normalP99Ms: 50 } as const;
/** All fifteen intervals close there, also that of three days. */
const MIDNIGHT = Date.UTC(2024, 6, 1);
/** Closes of a minute come within so long, wall ms: well below the grace in which they are waited for. */
const MINUTE_SPREAD_MS = 2_000;
const LATE_MS = 30_000;
const flags = told(burstFlags);
const { framesPerSecond, spreadMs, bufferSize } = flags;
const symbols = Array.from(
  { length: flags.symbols },
  (_, number) => `C${String(number).padStart(3, '0')}USDT`,
);
const series = seriesOf({ symbols, intervals: INTERVALS });
const { say, below, none, end } = ((findings: Findings) => ({
  say: findings.say.bind(findings),
  below: findings.below.bind(findings),
  none: findings.none.bind(findings),
  end: () => findings.end(),
}))(new Findings());
/** Until all sockets are dialled and all streams subscribed, wall ms: two a second behind the first four. */
const connectMs = 4_000 + Math.ceil((series.length / 200) * 500);
const pace: Pace = { framesPerSecond, spreadMs: MINUTE_SPREAD_MS };

const planOf = (begin: number, timeScale: number): VenuePlan => ({
  ...{ symbols, intervals: INTERVALS, begin, timeScale, pace },
});

/** Wall ms from now until so long behind midnight, for an exchange that was started then. */
class Venue {
  readonly #startedAt = performance.now();
  readonly plan: VenuePlan;
  constructor(plan: VenuePlan) {
    this.plan = plan;
  }
  async until(time: number): Promise<void> {
    const at = this.#startedAt + (time - this.plan.begin) / this.plan.timeScale;
    await sleep(Math.max(0, at - performance.now()));
  }
}

/** Waits until so many candles were delivered, or it is too late. */
async function delivered(life: Life, count: number): Promise<void> {
  for (const end = performance.now() + LATE_MS; performance.now() < end; await sleep(100))
    if ((await life.count()) >= count) return;
}

async function memory(life: Life, idle: number, when: string): Promise<number> {
  const { rss, heapUsed } = await life.figures();
  below(`memory above an idle process, ${when}`, mib(rss - idle), flags.memoryMiB, 'MiB');
  say(
    '  all, of it in use on the heap; for a stream',
    `${round(mib(rss))}, ${round(mib(heapUsed))} MiB; ${Math.round((rss - idle) / series.length)} bytes`,
  );
  return rss;
}

async function wholeLife(): Promise<void> {
  const timeScale = flags.short ? 2 : 1;
  using bystander = new Bystander();
  const idle = await idleRss();
  say('streams', series.length);
  say('flags of Node', flags.nodeArgs.join(' ') || 'none');
  say('an idle process', `${round(mib(idle))} MiB`);
  const venue = new Venue(planOf(MIDNIGHT - 60_000 - connectMs * timeScale, timeScale));
  await using life = await enter(venue.plan, {
    bufferSize,
    execArgv: flags.nodeArgs,
  });
  const before = await life.figures();
  say('memory of the program before its start', `${round(mib(before.rss - idle))} MiB more`);
  const { streamingMs, liveMs } = await life.live();
  say('until streaming, until all are live', `${Math.round(streamingMs)}, ${Math.round(liveMs)} ms`);
  const subscribed = await life.subscribed();
  say(
    'streams at sockets',
    `${subscribed.streams} at ${subscribed.sockets}`,
    subscribed.streams === series.length,
  );
  await memory(life, idle, 'all live');
  // What closed while it connected is another matter.
  await life.sent();
  await life.told();
  const cpu = (await life.figures()).cpuMs;
  bystander.take();
  const at = performance.now();
  await venue.until(MIDNIGHT - 60_000 + (MINUTE_SPREAD_MS + 3_000) * timeScale);
  const share = ((await life.figures()).cpuMs - cpu) / (performance.now() - at);
  const [sent, heard] = [barsIn(await life.sent()), barsIn(await life.told())];
  const normal = latencyOf(sent, heard);
  say(
    `normal load: frames a second, processor`,
    `${framesPerSecond * series.length}, ${Math.round(share * 100)} % of one`,
  );
  const lateMs = bystander.take();
  // A machine that stands still for so long is not the program's fault.
  below(`  ${normal.count} closes: sent → delivered, p99`, normal.p99, BOUNDS.normalP99Ms + lateMs, 'ms');
  say(
    '  p50, max; an idle process late by',
    `${round(normal.p50)}, ${round(normal.max)}; ${round(lateMs)} ms`,
  );
  none('  each once, in order', faultsIn(sent, heard), 'yes');
  await memory(life, idle, 'normal load');

  life.tellVenue({ do: 'pace', pace: { framesPerSecond, spreadMs } });
  const storedBefore = storedIn(life.store, series).length;
  const countBefore = await life.count();
  await venue.until(MIDNIGHT - 500);
  bystander.take();
  const watch = new CommitWatch(life.store);
  const calm = await life.figures();
  await venue.until(MIDNIGHT + spreadMs * timeScale);
  await delivered(life, countBefore + series.length);
  const committedAt = await watch.end();
  const [all, taken] = [barsIn(await life.sent()), barsIn(await life.told())];
  const burst = latencyOf(all, taken);
  say(
    `midnight: closes, sent within`,
    `${all.length}, ${Math.round((all.at(-1)?.at ?? 0) - (all[0]?.at ?? 0))} ms`,
    all.length === series.length,
  );
  const commits = commitLatency(all, taken, (nth) => committedAt(storedBefore + nth));
  say(
    '  sent → committed, p50, p99, max',
    `${round(commits.p50)}, ${round(commits.p99)}, ${round(commits.max)} ms`,
  );
  below('  sent → delivered, p99', burst.p99, BOUNDS.burstP99Ms, 'ms');
  say(
    '  p50, max; an idle process late by',
    `${round(burst.p50)}, ${round(burst.max)}; ${round(bystander.take())} ms`,
  );
  none('  each once, in order', faultsIn(all, taken), 'yes');
  const after = await life.figures();
  const [batches, tookMs] = [
    after.commits - calm.commits,
    after.commitMeanMs * after.commits - calm.commitMeanMs * calm.commits,
  ];
  say('  its own figures: commits, of each', `${batches}, ${round(tookMs / batches)} ms`);
  say('  processor', `${Math.round(after.cpuMs - calm.cpuMs)} ms`);
  await memory(life, idle, 'after the midnight');
  const stopped = await life.stop();
  below('stop', stopped.ms, BOUNDS.stopMs, 'ms');
  sayClean(stopped);
  const stored = new Set(storedIn(life.store, series).map(keyOf));
  const unstored = [...sent, ...all].filter((bar) => !stored.has(keyOf(bar))).length;
  none('stored', unstored === 0 ? [] : [`${unstored} are missing`], `${stored.size}`);
}

/** Parts are told where one was not closed: there are fifty. */
function sayClean({ clean, cpuMs, parts }: Stopped): void {
  say('  processor; clean', `${Math.round(cpuMs)} ms; ${clean ? 'yes' : parts}`, clean);
}

/** From sending to the first look that saw it, ms; they are committed in the order of their delivery. */
function commitLatency(sent: readonly Bar[], taken: readonly Bar[], committedAt: (nth: number) => number) {
  const sentAt = new Map(sent.map((bar) => [keyOf(bar), bar.at]));
  return distributionOf(
    taken.map((bar, index) => committedAt(index + 1) - (sentAt.get(keyOf(bar)) ?? Number.NaN)),
  );
}

/** The stop comes when half of the burst has been sent. */
async function cutShort(): Promise<void> {
  const venue = new Venue(planOf(MIDNIGHT - 6_000 - connectMs, 1));
  await using life = await enter(venue.plan, { bufferSize });
  await life.live();
  await life.sent();
  await life.told();
  life.tellVenue({ do: 'pace', pace: { framesPerSecond, spreadMs } });
  await venue.until(MIDNIGHT + spreadMs / 2);
  const stopped = await life.stop();
  const [sent, heard] = [barsIn(await life.sent()), barsIn(stopped.told)];
  below('stop in the midst of the burst', stopped.ms, BOUNDS.stopMs, 'ms');
  sayClean(stopped);
  const inTime = heard.length > 0 && heard.length < series.length;
  say('  delivered by then, sent in all', `${heard.length}, ${sent.length}`, inTime);
  const stored = new Set(storedIn(life.store, series).map(keyOf));
  const unstored = heard.filter((bar) => !stored.has(keyOf(bar))).length;
  none('  delivered and not stored', unstored === 0 ? [] : [`${unstored}`], '0');
}

await wholeLife();
if (!flags.short) await cutShort();
end();
