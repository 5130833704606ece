/** A source of history that has what a test gives it, and bars to give. */

import { blockOf, type CandleBlock } from '../../machines/model/block.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { countBars } from '../../machines/model/interval.ts';
import type { Candle, CandleSource } from '../../machines/model/kline.ts';
import type { Span } from '../../machines/model/spans.ts';
import type { Confirmed, HistoryPlan, HistoryQuery, HistorySource, Loaded } from '../../src/history/types.ts';
import type { MakeHistoryParts } from '../../src/wire.history-parts.ts';

export const SERIES = { symbol: 'BTCUSDT', interval: '1m' } as const;
const MINUTE = 60_000;
/** 2026-02-01. */
export const START = Date.UTC(2026, 1, 1);
/** Open time of the n-th bar. */
export const at = (nth: number): number => START + nth * MINUTE;
/** From the n-th bar to the m-th, which is not one of them. */
export const span = (from: number, to: number): Span => ({ from: at(from), to: at(to) });
/** From the n-th bar to the m-th, which is. */
export const run = (from: number, to = from): Run => ({ fromOpenTime: at(from), toOpenTime: at(to) });

const bar = (nth: number, source: CandleSource): Candle => ({
  ...SERIES,
  openTime: at(nth),
  open: nth + 1,
  high: nth + 2,
  low: nth + 0.5,
  close: nth + 1.5,
  volume: 10,
  closeTime: at(nth + 1) - 1,
  quoteVolume: 100,
  count: 3,
  takerBuyVolume: 4,
  takerBuyQuoteVolume: 40,
  source,
});

/** The bars from the n-th to the m-th, which is not one of them, but for those that are left out. */
export function bars(
  from: number,
  to: number,
  source: CandleSource = 'vision',
  ...out: number[]
): CandleBlock {
  const all = Array.from({ length: to - from }, (_, index) => from + index);
  return blockOf(
    SERIES,
    source,
    all.filter((nth) => !out.includes(nth)).map((nth) => bar(nth, source)),
  );
}

/** Which bars these are. */
export const nthsOf = (blocks: readonly CandleBlock[]): number[] =>
  blocks.flatMap(({ rows, columns }) =>
    [...columns.openTime.subarray(0, rows)].map((time) => (time - START) / MINUTE),
  );

/** A part as it was found: all of it, but for those that lack. */
export function part(from: number, to: number, found: Partial<Loaded> = {}): Loaded {
  return {
    ...span(from, to),
    piece: { ...span(from, to), by: 'day' },
    blocks: [bars(from, to)],
    lacking: [],
    unreached: [],
    notes: [],
    ...found,
  };
}

/** What it is asked, in the order of asking. */
export class ScriptedSource implements HistorySource {
  readonly asked: string[] = [];
  readonly parts: (Loaded | Error)[] = [];
  confirmed: Confirmed = { blocks: [], lacking: [], unreached: [] };
  /** What a question for a plan is answered by, in place of one. */
  refusal: Error | undefined;
  /** Parts from this one on never come, until the load is ended. */
  stallsAt = Number.POSITIVE_INFINITY;
  /** How the loading was ended. */
  ended: 'open' | 'whole' | 'broken off' = 'open';

  #planned: HistoryQuery | undefined;

  constructor(...parts: (Loaded | Error)[]) {
    this.parts = parts;
  }

  async plan(query: HistoryQuery): Promise<HistoryPlan> {
    this.asked.push('plan');
    this.#planned = query;
    if (this.refusal !== undefined) throw this.refusal;
    const { from, to, missing = [{ from, to }] } = query;
    const pieces = this.parts.flatMap((one) => (one instanceof Error ? [] : [one.piece]));
    const planned = missing.reduce((sum, one) => sum + countBars(query.interval, one.from, one.to), 0);
    return { query, range: { from, to }, pieces, bars: planned, notes: [] };
  }

  async *load(_: HistoryPlan, signal?: AbortSignal): AsyncGenerator<Loaded> {
    this.asked.push('load');
    try {
      for (const [nth, next] of this.parts.entries()) {
        if (nth >= this.stallsAt) await aborted(signal);
        if (next instanceof Error) throw next;
        yield next;
      }
      this.ended = 'whole';
    } finally {
      if (this.ended === 'open') this.ended = 'broken off';
    }
  }

  async confirm(query: HistoryQuery, lacking: readonly Run[]): Promise<Confirmed> {
    // What was found out for a plan is known by its query.
    if (query !== this.#planned) throw new Error('confirm is asked with another query than the plan');
    this.asked.push(`confirm ${lacking.map((one) => (one.fromOpenTime - START) / MINUTE).join(' ')}`);
    return this.confirmed;
  }
}

/** Rejects when it is aborted. */
export const aborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** In place of archive and REST. */
export const from =
  (source: HistorySource): MakeHistoryParts =>
  () => ({ source, files: undefined, requests: () => 0 });
