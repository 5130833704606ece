/**
 * What becomes of ten thousand streams when somebody downstream is slow: `node test/scale/pressure.ts [--symbols 667]
 * [--time-scale 60] [--seconds 30] [--buffer-size 500] [--while nobody,store,listener,iterator]`. Exchange time runs fast, so that a minute's closes come each
 * second. Exits 1 when a bound is passed.
 *
 * - `nobody` is slow: what candles in memory take, and that nothing else grows
 * - `store`: another program holds its lock for two seconds, and again, so that each commit takes as long
 * - `listener`: a listener of `candle` does not return for three seconds
 * - `iterator`: an iterator over all series reads one candle and then no more until the end
 */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { INTERVALS } from '../../machines/model/interval.ts';
import { enter, type Life } from './enter.ts';
import { pressureFlags, told } from './flags.ts';
import { type Bar, barsIn, faultsIn, keyOf, latencyOf, storedIn } from './judge.ts';
import { seriesOf, type Told } from './life.ts';
import { Findings, mib, round } from './say.ts';

/**
 * Rows that wait are bounded in `src/wire.data.ts`, a full queue and what V8 has not yet cleared away in proportion; a life in
 * which nobody is slow grows as well, by the candles that it holds. A stop may find hundreds of repairs under way.
 */
const BOUNDS = { rowsWaiting: 50_000, grownMiB: 300, stopMs: 1_000, caughtUpMs: 60_000 } as const;
const HELD_MS = 2_000;
/** Between two times that the lock is held: one commit gets through, or none. */
const FREE_MS = 20;
const BLOCKED_MS = 3_000;
const BEGIN = Date.UTC(2024, 5, 12, 6);

const KNOWN = ['nobody', 'store', 'listener', 'iterator'] as const;
const flags = told((args) => pressureFlags(args, KNOWN));
const { timeScale, seconds, bufferSize } = flags;
const symbols = Array.from(
  { length: flags.symbols },
  (_, number) => `C${String(number).padStart(3, '0')}USDT`,
);
const series = seriesOf({ symbols, intervals: INTERVALS });
const findings = new Findings();
const { say, below, none } = {
  say: findings.say.bind(findings),
  below: findings.below.bind(findings),
  none: findings.none.bind(findings),
};

interface Peaks {
  rss: number;
  rowsWaiting: number;
}

/** Looks at it for so long. */
async function watched(life: Life, ms: number, peaks: Peaks): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(250)) {
    const { rss, rowsWaiting } = await life.figures();
    peaks.rss = Math.max(peaks.rss, rss);
    peaks.rowsWaiting = Math.max(peaks.rowsWaiting, rowsWaiting);
  }
}

/** Another program that writes to the store: it holds the lock most of the time. */
async function holdLock(file: string, ms: number): Promise<number> {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA busy_timeout = 10000');
  let times = 0;
  for (const end = performance.now() + ms; performance.now() < end; await sleep(FREE_MS)) {
    database.exec('BEGIN IMMEDIATE');
    times += 1;
    await sleep(HELD_MS);
    database.exec('ROLLBACK');
  }
  database.close();
  return times;
}

const slow: Readonly<Record<(typeof KNOWN)[number], (life: Life, peaks: Peaks) => Promise<void>>> = {
  nobody: (life, peaks) => watched(life, seconds * 1_000, peaks),
  async store(life, peaks) {
    const [times] = await Promise.all([
      holdLock(life.store, seconds * 1_000),
      watched(life, seconds * 1_000, peaks),
    ]);
    say('  times that the lock was held for 2 s', times);
  },
  async listener(life, peaks) {
    for (const end = performance.now() + seconds * 1_000; performance.now() < end; ) {
      life.tell({ do: 'block', ms: BLOCKED_MS });
      await watched(life, 2 * BLOCKED_MS, peaks);
    }
  },
  async iterator(life, peaks) {
    life.tell({ do: 'iterate' });
    await watched(life, seconds * 1_000, peaks);
  },
};

/** Waits until no more rows wait than in a calm moment; for how long, ms. */
async function caughtUp(life: Life, peaks: Peaks): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < BOUNDS.caughtUpMs) {
    await watched(life, 250, peaks);
    if ((await life.figures()).rowsWaiting < 1_000) break;
  }
  return performance.now() - began;
}

async function pressure(what: string, press: (life: Life, peaks: Peaks) => Promise<void>): Promise<void> {
  const pace = { framesPerSecond: 2, spreadMs: 300 };
  await using life = await enter(
    { symbols, intervals: INTERVALS, begin: BEGIN, timeScale, pace },
    { bufferSize },
  );
  await life.live();
  const calm = await life.figures();
  // What is on its way at this moment is delivered afterwards; what REST had first is sent afterwards.
  const before = new Set([...barsIn(await life.sent()), ...barsIn(await life.told())].map(keyOf));
  const ofNow = (bars: readonly Bar[]): Bar[] => bars.filter((bar) => !before.has(keyOf(bar)));
  say(`slow: ${what}; streams, all live`, series.length);
  const peaks = { rss: calm.rss, rowsWaiting: 0 };
  await press(life, peaks);
  const ms = await caughtUp(life, peaks);
  below('  caught up after', ms, BOUNDS.caughtUpMs, 'ms');
  const sent = ofNow(barsIn(await life.sent()));
  const told: Told = await life.told();
  const heard = ofNow(barsIn(told));
  const after = await life.figures();
  say('  closes sent meanwhile, delivered by then', `${sent.length}, ${heard.length}`, heard.length > 0);
  const latency = latencyOf(sent, heard);
  say(
    '  sent → delivered, p50, p99, max',
    `${round(latency.p50)}, ${round(latency.p99)}, ${round(latency.max)} ms`,
  );
  below('  rows that waited, at most', peaks.rowsWaiting, BOUNDS.rowsWaiting + 1, 'rows');
  say('  refused for want of room, owed then by REST', after.refused);
  say('  gaps', after.gaps, after.gaps === 0);
  below('  memory, more than before', mib(peaks.rss - calm.rss), BOUNDS.grownMiB, 'MiB');
  say(
    '  memory: before, at most, after; heap in use',
    [calm.rss, peaks.rss, after.rss, after.heapUsed].map((bytes) => round(mib(bytes))).join(', '),
  );
  if (what === 'nobody')
    say('  of that, for each closed candle', `${Math.round((after.rss - calm.rss) / heard.length)} bytes`);
  if (what === 'iterator') await drained(life, told);
  const stopped = await life.stop();
  below('  stop', stopped.ms, BOUNDS.stopMs, 'ms');
  say('  clean', stopped.clean ? 'true' : `false: ${stopped.parts}`, stopped.clean);
  const all = [...sent, ...ofNow(barsIn(await life.sent()))];
  const stored = new Set(storedIn(life.store, series).map(keyOf));
  const delivered = [...heard, ...ofNow(barsIn(stopped.told))];
  // What was still on its way when it stopped is owed to the next start; what REST brought in its place is told as well.
  const until = new Map(delivered.map((bar) => [bar.number, bar.openTime]));
  const due = all.filter((bar) => bar.openTime <= (until.get(bar.number) ?? 0));
  none('  each once, in order', faultsIn(due, delivered), due.length);
  const unstored = [...due, ...delivered].filter((bar) => !stored.has(keyOf(bar))).length;
  none('  of these, and of those delivered, not stored', unstored === 0 ? [] : [`${unstored}`], '0');
}

/** The iterator has everything that the listener heard, in the order of each series. */
async function drained(life: Life, told: Told): Promise<void> {
  const heard = barsIn(told);
  const began = performance.now();
  const read = barsIn(await life.drain(heard.length));
  say('  read by the iterator afterwards, in', `${read.length}, ${Math.round(performance.now() - began)} ms`);
  const extra = new Set(heard.map(keyOf));
  const ahead = read.filter((bar) => !extra.has(keyOf(bar))).length;
  say('  of these, closed meanwhile', ahead);
  none('  each once, in order', faultsIn(read, read), 'yes');
  // It reads series after series: where it has gone on, nothing may be missing.
  const last = new Map(read.map((bar) => [bar.number, bar.openTime]));
  const first = new Map(read.toReversed().map((bar) => [bar.number, bar.openTime]));
  const has = new Set(read.map(keyOf));
  const holes = heard.filter(
    (bar) =>
      bar.openTime >= (first.get(bar.number) ?? Number.POSITIVE_INFINITY) &&
      bar.openTime <= (last.get(bar.number) ?? 0) &&
      !has.has(keyOf(bar)),
  ).length;
  none('  holes', holes === 0 ? [] : [`${holes}`], '0');
}

for (const what of flags.situations) await pressure(what, slow[what]);
findings.end();
