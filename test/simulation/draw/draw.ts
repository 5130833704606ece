/**
 * A plan drawn from a seed: the same seed is the same plan. Faults come alone and in bursts that overlap, with calm
 * stretches between; now and then the process ends, and another goes on.
 */
import fc from 'fast-check';
import { INTERVALS, type Interval } from '../../../machines/model/interval.ts';
import { TEN_SYMBOLS } from '../../support/symbols.ts';
import { DAY_MS, type Plan, type PlannedFault } from '../plan.ts';
import { CONNECTION } from './connection.ts';
import { between, type Kind, MINUTE, SECOND, type Setting } from './kind.ts';
import { MESSAGES } from './messages.ts';
import { ENDS, PROCESS, SKEWS } from './process.ts';
import { REST } from './rest.ts';

export const KINDS: readonly Kind[] = [...CONNECTION, ...MESSAGES, ...REST, ...PROCESS, ...ENDS];

/** Bursts of a simulated day, each of one to six faults. */
const BURSTS_A_DAY = { from: 22, to: 38 };
const BURST_MAX = 6;
/** Within which the faults of a burst begin, ms. */
const BURST_MS = 4 * MINUTE;
/** Ends of a process on a day. */
const ENDS_A_DAY = { from: 3, to: 9 };
/** Before it nothing strikes, ms: the collector has begun. */
const CALM_START_MS = 20 * SECOND;
/** No fault begins so near the end of the days, ms. */
const CALM_END_MS = 5 * MINUTE;

/** Streams of a symbol: minutes, and what sums five of them. */
const LENGTHS: readonly Interval[] = ['1m', '5m'];
/** More streams than that have more intervals each. */
export const STREAMS_MAX = TEN_SYMBOLS.length * INTERVALS.length;

/** Symbols and intervals for so many streams, as near as they go. */
function setting(streams: number): { symbols: readonly string[]; intervals: readonly Interval[] } {
  const each =
    streams <= TEN_SYMBOLS.length * LENGTHS.length ? LENGTHS.length : Math.ceil(streams / TEN_SYMBOLS.length);
  const intervals = each === LENGTHS.length ? LENGTHS : INTERVALS.slice(0, each);
  return { symbols: TEN_SYMBOLS.slice(0, Math.max(1, Math.ceil(streams / each))), intervals };
}

const faultOf = (kinds: readonly Kind[], what: Setting): fc.Arbitrary<Omit<PlannedFault, 'atMs'>> =>
  fc.oneof(
    ...kinds.map(({ row, weight = 1, draw }) => ({
      weight,
      arbitrary: draw(what).map((acts) => ({ row, acts })),
    })),
  );

/** Faults that begin within minutes of each other. */
const burst = (untilMs: number, what: Setting): fc.Arbitrary<PlannedFault[]> =>
  fc
    .record({
      beginMs: between(CALM_START_MS, untilMs),
      faults: fc.array(
        fc.record({
          offsetMs: between(0, BURST_MS),
          fault: faultOf([...CONNECTION, ...MESSAGES, ...REST, ...PROCESS], what),
        }),
        { minLength: 1, maxLength: BURST_MAX },
      ),
    })
    .map(({ beginMs, faults }) =>
      faults.map(({ offsetMs, fault }) => ({ atMs: Math.min(untilMs, beginMs + offsetMs), ...fault })),
    );

const end = (untilMs: number, what: Setting): fc.Arbitrary<PlannedFault> =>
  fc
    .record({ atMs: between(CALM_START_MS, untilMs), fault: faultOf(ENDS, what) })
    .map(({ atMs, fault }) => ({ atMs, ...fault }));

/** A count for so many days, one at least. */
const perDay = ({ from, to }: { from: number; to: number }, days: number) => ({
  minLength: Math.max(1, Math.round(from * days)),
  maxLength: Math.max(1, Math.round(to * days)),
});

export interface Extent {
  readonly days: number;
  readonly streams: number;
}

/** Everything that a seed may stand for. */
export function planOf(seed: number, { days, streams }: Extent): fc.Arbitrary<Plan> {
  const { symbols, intervals } = setting(streams);
  const untilMs = Math.max(CALM_START_MS, Math.floor(days * DAY_MS) - CALM_END_MS);
  // The last ones are special, if there are enough: one never trades, one is listed late.
  const quiet = symbols.length > 2 ? symbols.slice(-1) : [];
  const later = symbols.length > 4 ? symbols.slice(-2, -1) : [];
  const what: Setting = { symbols, intervals, quiet };
  const plans = fc
    .record({
      bursts: fc.array(burst(untilMs, what), perDay(BURSTS_A_DAY, days)),
      ends: fc.array(end(untilMs, what), perDay(ENDS_A_DAY, days)),
      isAll: fc.boolean(),
      skewMs: fc.constantFrom(...SKEWS).map((count) => count * MINUTE),
      listMs: between(CALM_START_MS, untilMs),
      streamsPerSocket: fc.constantFrom(4, 5, 7, 10, 200),
      // Far more often than in life: few connections grow old among so many faults.
      rotateMs: between(31, 240).map((count) => count * MINUTE),
      // Some exchanges end connections before they are replaced.
      lifetimeMs: between(2, 24).map((hours) => hours * 60 * MINUTE),
    })
    .map(({ bursts, ends, skewMs, listMs, isAll, ...rest }) => ({
      seed,
      days,
      symbols,
      intervals,
      quiet,
      isAll,
      // Who is asked for by name has to be there.
      later: isAll ? later : [],
      ...rest,
      faults: [
        ...(skewMs === 0 ? [] : [skew(skewMs)]),
        ...(isAll ? later : []).map((symbol) => listing(symbol, listMs)),
        ...bursts.flat(),
        ...ends,
      ].sort((a, b) => a.atMs - b.atMs),
    }));
  return fc.noBias(plans);
}

const skew = (ms: number): PlannedFault => ({
  atMs: 0,
  row: 'H13',
  acts: [{ on: 'process', fault: { kind: 'step', ms } }],
});
const listing = (symbol: string, atMs: number): PlannedFault => ({
  atMs,
  row: 'D14',
  acts: [{ on: 'exchange', fault: { kind: 'symbol', symbol, action: 'list' } }],
});

/** The plan of a seed. */
export const drawPlan = (seed: number, extent: Extent): Plan =>
  fc.sample(planOf(seed, extent), { seed, numRuns: 1 })[0]!;
