/** What a running collector shows: lines for its events, the live view, and JSON lines. */
import type { Candle } from '../../machines/model/kline.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { ALL, type ResolvedOptions } from '../options.ts';
import type { CollectPlan } from './collect-plan.ts';
import type { CollectorFace, RunParts } from './collector-face.ts';
import type { Jsonl } from './jsonl.ts';
import { type Forming, type Paint, viewLines } from './table.ts';

/** With more series than this, closed bars are summed up instead of listed. */
const LISTED_SERIES_MAX = 20;
const SUMMARY_MS = 10_000;

/** Undoes what was set up. */
export type Detach = () => void;

const instant = (time: number): string => new Date(time).toISOString();

/** `closed BTCUSDT 1m 2026-…Z O H L C V`: all in the message, so that no two bars look the same. */
export const closedLine = (candle: Candle): string => {
  const { symbol, interval, openTime, open, high, low, close, volume } = candle;
  return `closed ${symbol} ${interval} ${instant(openTime)} O ${open} H ${high} L ${low} C ${close} V ${volume}`;
};

/** Closed bars as log lines, each or, when there are many series, as a sum every 10 s. */
export function logClosed(collector: CollectorFace, logger: FlushableLogger, plan: CollectPlan): Detach {
  if (seriesCount(plan.resolved) <= LISTED_SERIES_MAX)
    return collector.on('candle', (candle) => logger.info(closedLine(candle)));
  let closed = 0;
  let total = 0;
  const detach = collector.on('candle', () => {
    closed++;
  });
  const timer = setInterval(() => {
    total += closed;
    const { state, mode, counters, series: all } = collector.status();
    logger.info('collecting', { closed, total, series: all.length, state, mode, frames: counters['frames'] });
    closed = 0;
  }, SUMMARY_MS).unref();
  return () => {
    clearInterval(timer);
    detach();
  };
}

/** How many series there are for sure: with all symbols, more than anybody reads line by line. */
const seriesCount = ({ symbols, intervals }: ResolvedOptions): number =>
  symbols === ALL ? Number.POSITIVE_INFINITY : symbols.length * intervals.length;

/** Gaps, revisions and faults as log lines. State changes and notices are logged by the collector itself. */
export function logEvents(collector: CollectorFace, logger: FlushableLogger): Detach {
  const detach = [
    collector.on('gap', ({ symbol, interval, fromOpenTime, toOpenTime, reason, status }) => {
      const range = { from: instant(fromOpenTime), to: instant(toOpenTime), reason };
      if (status === 'open') logger.warn(`gap in ${symbol} ${interval}`, range);
      else logger.info(`gap in ${symbol} ${interval} filled`, range);
    }),
    collector.on('revision', ({ before, after }) => {
      const { symbol, interval, openTime } = after;
      logger.warn(`the exchange corrected ${symbol} ${interval} ${instant(openTime)}`, {
        closeBefore: before.close,
        closeAfter: after.close,
        volumeBefore: before.volume,
        volumeAfter: after.volume,
      });
    }),
    collector.on('error', ({ code, message, cause }) => {
      if (code === 'CONSUMER_THREW') logger.error(message, { code, error: cause });
    }),
  ];
  return () => {
    for (const one of detach) one();
  };
}

/** With more series than this, the live view does without forming bars: most of them would not be seen. */
const FORMING_SERIES_MAX = 200;

/** The live view. Forming bars are asked for only here, because decoding them costs. */
export function showView(
  { collector, plan, screen }: Pick<RunParts, 'collector' | 'plan' | 'screen'>,
  paint: Paint,
  page: () => string | undefined,
): Detach {
  const forming = new Map<string, Forming>();
  const keyOf = (candle: Candle): string => `${candle.symbol}@${candle.interval}`;
  let unsubscribe: Detach | undefined;
  const follow = (series: number): void => {
    const isWorthIt = series <= FORMING_SERIES_MAX;
    if (isWorthIt) unsubscribe ??= collector.on('update', (candle) => forming.set(keyOf(candle), candle));
    if (isWorthIt || unsubscribe === undefined) return;
    unsubscribe();
    unsubscribe = undefined;
    forming.clear();
  };
  const network = plan.embedded ? 'embedded simulated exchange' : plan.origin;
  const { timeScale } = plan.resolved;
  screen.show(({ width, height }) => {
    const status = collector.status();
    follow(status.series.length);
    return viewLines({
      network,
      timeScale,
      db: plan.db,
      page: page(),
      status,
      forming,
      width,
      height,
      paint,
    });
  });
  return () => {
    screen.end();
    unsubscribe?.();
  };
}

/** Revisions and gaps as JSON lines; candles come by an iterator, which may wait. */
export function writeRareRecords(collector: CollectorFace, jsonl: Jsonl, logger: FlushableLogger): Detach {
  let lost = 0;
  const put = (type: 'revision' | 'gap', payload: object): void => {
    if (jsonl.put({ ...payload, type })) return;
    lost++;
    logger.warn('a line for standard output was dropped, because its reader has stalled', { type, lost });
  };
  const detach = [
    collector.on('revision', (revision) => put('revision', revision)),
    collector.on('gap', (gap) => put('gap', gap)),
  ];
  return () => {
    for (const one of detach) one();
  };
}
