/** A source of history that answers from the bars of `test/pipeline/candles.ts`, and remembers what was asked of it. */
import { blockOf } from '../../machines/model/block.ts';
import { runsOf } from '../../machines/model/gaps.ts';
import { closeTimeOf, DAY_MS, nextOpenTime } from '../../machines/model/interval.ts';
import type { Candle, Series } from '../../machines/model/kline.ts';
import type {
  HistoryNote,
  HistoryPlan,
  HistoryQuery,
  HistorySource,
  Loaded,
  Piece,
} from '../../src/history/types.ts';
import { bar } from '../pipeline/candles.ts';

export interface FakeDay {
  /** Open times that no source has. */
  readonly lacking?: ReadonlySet<number>;
  /** From this open time on nobody could be asked. */
  readonly unreachedFrom?: number;
  readonly notes?: readonly Pick<HistoryNote, 'kind' | 'found' | 'done'>[];
  readonly error?: Error;
}

/** Open times of a series in [from, to). */
export function opensIn({ interval }: Series, from: number, to: number): number[] {
  const times: number[] = [];
  for (let at = from; at < to; at = nextOpenTime(interval, at)) times.push(at);
  return times;
}

export function fakeHistory(days: (dayStart: number) => FakeDay = () => ({})) {
  const plans: HistoryQuery[] = [];
  /** Days that were loaded, and loads that were begun and ended. */
  const loaded: number[] = [];
  const loads = { begun: 0, ended: 0 };
  const source: HistorySource = {
    async plan(query) {
      plans.push(query);
      const pieces = opensIn({ ...query, interval: '1d' }, query.from, query.to).map(
        (from): Piece => ({ by: 'day', from, to: from + DAY_MS }),
      );
      const { from, to } = query;
      return { query, range: { from, to }, pieces, bars: 0, notes: [] } satisfies HistoryPlan;
    },
    async *load({ query, pieces }) {
      loads.begun += 1;
      try {
        for (const piece of pieces) yield loadedOf(query, piece, days(piece.from), loaded);
      } finally {
        loads.ended += 1;
      }
    },
    confirm: () => Promise.reject(new Error('nobody asks this here')),
  };
  return { source, plans, loaded, loads };
}

function loadedOf(series: Series, piece: Piece, day: FakeDay, loaded: number[]): Loaded {
  if (day.error !== undefined) throw day.error;
  loaded.push(piece.from);
  const { lacking = new Set(), unreachedFrom = Number.POSITIVE_INFINITY } = day;
  const { symbol, interval } = series;
  const all = opensIn(series, piece.from, piece.to);
  const have = all.filter((openTime) => !lacking.has(openTime) && openTime < unreachedFrom);
  const candles: Candle[] = have.map((openTime) => bar(openTime, 'vision', { symbol, interval }));
  const runs = (times: number[]) =>
    runsOf(times.map((openTime) => ({ openTime, closeTime: closeTimeOf(interval, openTime) })));
  return {
    piece,
    from: piece.from,
    to: piece.to,
    blocks: [blockOf({ symbol, interval }, 'vision', candles)],
    lacking: runs(all.filter((openTime) => lacking.has(openTime))),
    unreached: runs(all.filter((openTime) => openTime >= unreachedFrom)),
    notes: (day.notes ?? []).map((note) => ({ symbol, interval, from: piece.from, to: piece.to, ...note })),
  };
}
