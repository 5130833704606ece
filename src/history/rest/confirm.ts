import type { CandleBlock } from '../../../machines/model/block.ts';
import {
  joinBlocks,
  joinRuns,
  lackingRuns,
  mergeBlocks,
  within,
} from '../../../machines/model/block-runs.ts';
import { EXCHANGE_LACKS } from '../../../machines/model/gap-reasons.ts';
import type { Run } from '../../../machines/model/gaps.ts';
import { countBars, nextOpenTime } from '../../../machines/model/interval.ts';
import type { Series } from '../../../machines/model/kline.ts';
import { type Span, spanOf } from '../../../machines/model/spans.ts';
import type { RestPort } from '../../actors/rest-port.ts';
import { isGone } from '../../binance/gone.ts';
import { readKlineRows } from '../../binance/kline-rows.ts';
import { exchangeInfoRequest, klinesRequest } from '../../binance/rest.ts';
import { phaseOf, readSymbols } from '../../binance/symbols.ts';
import type { Clock } from '../../ports.ts';
import { sleep } from '../../transport/clock.ts';
import type { Confirmed } from '../types.ts';
import { type Asked, PAGE_ROWS, RestPages } from './rest-pages.ts';

export interface ConfirmPorts {
  readonly rest: RestPort;
  readonly clock: Clock;
  /** The exchange's time when the history was planned, ms. */
  readonly exchangeNow: number;
}

/** Askings beside the one of the load, and how long each comes after the one before, ms: ten seconds in all. */
const ROUNDS = 2;
const SPACING_MS = 5_000;
/** Spans that are asked for in one round; the bars behind them are owed. */
const SPANS_MAX = 1_000;

/** Runs that lie so near to each other that one span of pages answers for them. */
interface Cluster extends Span {
  readonly runs: readonly Run[];
}

/** What came of asking once more. */
interface Round {
  readonly found: readonly CandleBlock[];
  readonly lacking: readonly Run[];
  readonly unreached: readonly Run[];
}

/** Asks REST again for bars that it lacked, so that only what it really lacks is named a gap. */
export async function confirmByRest(
  ports: ConfirmPorts,
  series: Series,
  lacking: readonly Run[],
  signal?: AbortSignal,
): Promise<Confirmed> {
  let open: readonly Run[] = joinRuns(series.interval, lacking);
  let blocks: CandleBlock[] = [];
  const unreached: Run[] = [];
  for (let round = 0; round < ROUNDS && open.length > 0; round++) {
    await sleep(ports.clock, SPACING_MS, signal);
    const asked = await askAgain(ports.rest, series, open, signal);
    blocks = ascending(blocks, asked.found);
    unreached.push(...asked.unreached);
    open = asked.lacking;
  }
  unreached.sort((one, other) => one.fromOpenTime - other.fromOpenTime);
  const tail = open.at(-1);
  const isOver = tail !== undefined && (await isBehindTheEnd(ports, series, tail, signal));
  const gaps = isOver ? open.slice(0, -1) : open;
  return {
    blocks,
    lacking: gaps.map((run) => ({ ...run, reason: EXCHANGE_LACKS })),
    unreached,
    ...(isOver ? { endsAt: tail.fromOpenTime } : {}),
  };
}

async function askAgain(
  rest: RestPort,
  series: Series,
  runs: readonly Run[],
  signal?: AbortSignal,
): Promise<Round> {
  const { interval } = series;
  const pages = new RestPages(rest, series);
  const found: CandleBlock[] = [];
  const lacking: Run[] = [];
  const unreached: Run[] = [];
  let isOver = false;
  for (const [index, cluster] of clustersOf(series, runs).entries()) {
    // One that fails is enough: the next load asks for what is left.
    const asked: Asked | undefined =
      isOver || index >= SPANS_MAX ? undefined : await askOnce(pages, cluster, signal);
    isOver = asked === undefined || asked.failure !== undefined;
    const failedFrom = asked === undefined ? cluster.from : (asked.failure?.from ?? Number.POSITIVE_INFINITY);
    const [first, ...others] = asked?.blocks ?? [];
    const theirs = first === undefined ? undefined : joinBlocks([first, ...others]);
    for (const run of cluster.runs) {
      const span = spanOf(interval, run);
      const part = theirs === undefined ? undefined : within(theirs, span);
      if (part !== undefined && part.rows > 0) found.push(part);
      const left = lackingRuns(interval, span, part === undefined ? [] : [part]);
      for (const rest of left) (rest.toOpenTime >= failedFrom ? unreached : lacking).push(rest);
    }
  }
  return { found, lacking, unreached };
}

/** Undefined: it could not be asked. */
async function askOnce(pages: RestPages, span: Span, signal?: AbortSignal): Promise<Asked | undefined> {
  try {
    return await pages.ask(span, signal);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function clustersOf({ interval }: Series, runs: readonly Run[]): Cluster[] {
  const clusters: Cluster[] = [];
  for (const run of runs) {
    const { from, to } = spanOf(interval, run);
    const last = clusters.at(-1);
    if (last !== undefined && countBars(interval, last.to, from) < PAGE_ROWS)
      clusters[clusters.length - 1] = { from: last.from, to, runs: [...last.runs, run] };
    else clusters.push({ from, to, runs: [run] });
  }
  return clusters;
}

/** Bars of two rounds, in order and in memory of their own. */
function ascending(before: readonly CandleBlock[], found: readonly CandleBlock[]): CandleBlock[] {
  const [first, ...others] = found;
  if (first === undefined) return [...before];
  const fresh = joinBlocks([first, ...others]);
  const [old, ...older] = before;
  const empty = { ...fresh, rows: 0 };
  return mergeBlocks(fresh, old === undefined ? empty : joinBlocks([old, ...older]));
}

/** Whether nothing comes behind these bars because the symbol has ended, or not begun. */
async function isBehindTheEnd(
  { rest, exchangeNow }: ConfirmPorts,
  series: Series,
  tail: Run,
  signal?: AbortSignal,
): Promise<boolean> {
  const behind = nextOpenTime(series.interval, tail.toOpenTime);
  try {
    const body = await rest.ask(klinesRequest(series, behind, 1, 'background'), signal);
    // A series that goes on has its open bar at least.
    if (readKlineRows(series, body).rows > 0) return false;
    const symbols = readSymbols(await rest.ask(exchangeInfoRequest, signal));
    const listed = symbols.find(({ symbol }) => symbol === series.symbol);
    const phase = listed === undefined ? 'ended' : phaseOf(listed, exchangeNow);
    return phase === 'ended' || phase === 'pending';
  } catch (error) {
    signal?.throwIfAborted();
    return isGone(error);
  }
}
