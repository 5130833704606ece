/** One seed in, a verdict out: days of faults, then calm in which everything must heal, then the whole store is judged. */
import { seriesKey } from '../../machines/model/kline.ts';
import { judgeStore } from './check/store.ts';
import type { Violation } from './check/violations.ts';
import { Coverage } from './coverage.ts';
import { schedule } from './faults/strike.ts';
import type { Plan } from './plan.ts';
import { Stage } from './stage.ts';
import { Theatre } from './theatre.ts';
import { plainText } from './trace.ts';

export interface SimulationOptions {
  /** A file that gets every line of the trace. */
  readonly tracePath?: string | undefined;
  /** Notes which transitions are taken. Costs time. */
  readonly withCoverage?: boolean | undefined;
  /** Called before anything begins: for tests that spoil something in secret. */
  readonly spoil?: (theatre: Theatre) => void;
}

export interface Verdict {
  /** In the order in which they were found; nothing: the promise was kept. */
  readonly violations: readonly Violation[];
  /** Of everything that happened. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly wallMs: number;
  readonly steps: number;
  /** Faults that struck, by row of the matrix, and what they did, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
  readonly reconnects: number;
  readonly lives: number;
  /** Told as candles; named as gaps; corrected. */
  readonly bars: number;
  readonly gaps: number;
  readonly revisions: number;
  /** Bars in the store in the end. */
  readonly stored: number;
  /** From the end of the faults until every stream was live, ms. */
  readonly healedMs: number;
  /** Transitions that were taken. */
  readonly edges: readonly string[];
}

/** Two bars of the longest interval that is watched, and what the most patient repair may take: a firewall's pause of ten minutes. */
const HEAL_MS = 2 * 5 * 60_000 + 12 * 60_000;
/** What is compared with REST is compared, or given up, within half an hour; then all that was altered must be right, ms. */
const COMPARED_MS = 35 * 60_000;
/** How long the last stop may take until everything is judged, ms. */
const FAREWELL_MS = 10_000;

export async function simulate(plan: Plan, options: SimulationOptions = {}): Promise<Verdict> {
  const begun = performance.now();
  const coverage = options.withCoverage === true ? new Coverage() : undefined;
  const theatre = new Theatre({ plan, tracePath: options.tracePath, coverage });
  const { world, trace, violations } = theatre;
  const stage = new Stage(theatre);
  let steps = 0;
  const after = (): boolean => {
    steps += 1;
    stage.look();
    return !violations.any;
  };
  const uncaught = (error: unknown): void => {
    violations.add(
      'I7',
      'nobody caught',
      error instanceof Error ? (error.stack ?? error.message) : plainText(error),
    );
  };
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', uncaught);
  let healedMs = Number.NaN;
  let stored = 0;
  const run = async (untilMs: number): Promise<boolean> => {
    if (!violations.any) await world.run(untilMs, after).catch(uncaught);
    return !violations.any;
  };
  try {
    for (const planned of plan.faults) schedule(theatre, stage, planned);
    options.spoil?.(theatre);
    stage.begin();
    if (await run(stage.calmAt)) {
      theatre.calm();
      stage.calm();
      trace.add('calm', '');
      const calmAt = world.now();
      while (!isWell(stage) && world.now() - calmAt < HEAL_MS && (await run(world.now() + 1_000)));
      healedMs = world.now() - calmAt;
      if (!violations.any && !isWell(stage)) violations.add('liveness', 'not live in time', describe(stage));
      await run(calmAt + HEAL_MS + COMPARED_MS);
      if (!violations.any && !isWell(stage)) violations.add('liveness', 'not live any more', describe(stage));
      const endedAt = theatre.exchange.now();
      stage.isOver = true;
      stage.tenant?.stop('signal');
      await run(world.now() + FAREWELL_MS);
      if (!violations.any) stored = judgeStore(theatre, { endedAt, calmAt: endedAt - world.now() + calmAt });
    }
  } finally {
    process.off('uncaughtException', uncaught);
    process.off('unhandledRejection', uncaught);
    stage.close();
    theatre.close();
  }
  for (const violation of violations.all) trace.add('violation', plainText(violation));
  return {
    violations: violations.all,
    hash: trace.end(),
    simulatedMs: world.now(),
    wallMs: performance.now() - begun,
    steps,
    faults: Object.fromEntries([...stage.struck].sort()),
    kinds: Object.fromEntries([...stage.kinds].sort()),
    reconnects: stage.counts.dials,
    lives: stage.lives,
    bars: stage.counts.bars,
    gaps: stage.counts.gaps,
    revisions: stage.counts.revisions,
    stored,
    healedMs,
    edges: [...(coverage?.taken ?? [])].sort(),
  };
}

const WELL = new Set(['live', 'quiet', 'retired', 'waiting']);

const isWell = ({ tenant }: Stage): boolean =>
  tenant?.collector.isConnected === true &&
  tenant.collector.status().series.every(({ state }) => WELL.has(state));

function describe({ tenant }: Stage): string {
  if (tenant === undefined) return 'no process';
  const { state, isConnected, series } = tenant.collector.status();
  const ill = series.filter((one) => !WELL.has(one.state)).map((one) => `${seriesKey(one)} ${one.state}`);
  return `${state}, ${isConnected ? '' : 'not '}connected; ${ill.join(', ')}`;
}
