/** What is measured of a collector that lives long: read from its own metrics and its files, each with what it may do. */
import { statSync } from 'node:fs';
import { type Family, type Line, readExposition } from '../inspector/exposition.ts';

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Growth that is allowed, in units an hour; undefined: it grows by its nature. */
  readonly perHour: number | undefined;
  /** Growth that is allowed once, in units: noise, and what fills and empties more slowly than a soak lasts. */
  readonly once: number;
  /** Never more than this, in units; whoever is put to sleep is late, so that lags have no bound. */
  readonly most: number;
  /** A shorter time behind the warm-up says nothing of its growth, wall ms. */
  readonly windowMs: number;
}

const MB = 1_048_576;
/** What counts things is level as soon as connections come and go as often at the end as at the beginning; what is memory levels off. */
const [SOON_MS, LATE_MS] = [150_000, 240_000];

/**
 * Limits. A leak shows at each reconnect or each bar: an hour of a soak has about a hundred reconnects, a thousand faults and
 * 30,000 bars. A descriptor, timer, handle or actor left behind by each second reconnect is 50 an hour; a candle kept for each
 * bar is 8 MB an hour. The heap may go up by what the buffers of candles hold before they are trimmed: each up to twice its
 * 500 candles of about 250 bytes, which is 2.5 MB for 20 series. What is resident is also what V8 and the allocator
 * keep for later, which levels off only after hours.
 */
export const FIGURES = {
  rss: { name: 'resident memory', unit: 'MB', perHour: 48, once: 8, most: 400, windowMs: LATE_MS },
  heap: { name: 'heap after collection', unit: 'MB', perHour: 4, once: 3, most: 150, windowMs: LATE_MS },
  descriptors: { name: 'open descriptors', unit: '', perHour: 20, once: 2, most: 120, windowMs: SOON_MS },
  handles: { name: 'handles and requests', unit: '', perHour: 20, once: 2, most: 100, windowMs: SOON_MS },
  timers: { name: 'timers', unit: '', perHour: 20, once: 3, most: 2_000, windowMs: SOON_MS },
  actors: { name: 'actors', unit: '', perHour: 20, once: 2, most: 400, windowMs: SOON_MS },
  closeLag: {
    name: 'lag of a close',
    unit: 'ms',
    perHour: 100,
    once: 20,
    most: Number.POSITIVE_INFINITY,
    windowMs: LATE_MS,
  },
  loopLag: {
    name: 'delay of the event loop, 99 %',
    unit: 'ms',
    perHour: 50,
    once: 10,
    most: Number.POSITIVE_INFINITY,
    windowMs: LATE_MS,
  },
  wal: { name: 'write-ahead log', unit: 'MB', perHour: 8, once: 2, most: 64, windowMs: LATE_MS },
  reconnects: {
    name: 'reconnects',
    unit: '',
    perHour: undefined,
    once: 0,
    most: Number.POSITIVE_INFINITY,
    windowMs: SOON_MS,
  },
} as const satisfies Readonly<Record<string, Figure>>;

export type FigureId = keyof typeof FIGURES;
export const FIGURE_IDS = Object.keys(FIGURES) as FigureId[];

export interface Reading {
  /** Since the process was born, wall ms. */
  readonly atMs: number;
  /** Undefined: there was nothing to be measured, as the lag of closes when none came. */
  readonly values: Readonly<Record<FigureId, number | undefined>>;
  /** Whether it says that the promise is being kept, and that all is connected and every series alive. */
  readonly isWell: boolean;
}

type Where = Readonly<Record<string, string>>;

/** The text of /metrics by name, summed over labels. */
class Metrics {
  readonly #families: ReadonlyMap<string, Family>;

  constructor(text: string) {
    this.#families = readExposition(text);
  }

  /** Undefined when there is no such line. */
  sum(family: string, where: Where | ((line: Line) => boolean) = {}, name = family): number | undefined {
    const isMeant =
      typeof where === 'function'
        ? where
        : ({ labels }: Line): boolean => Object.entries(where).every(([key, value]) => labels[key] === value);
    const lines = this.#families.get(family)?.samples.filter((line) => line.name === name && isMeant(line));
    return lines === undefined || lines.length === 0
      ? undefined
      : lines.reduce((all, { value }) => all + value, 0);
  }
}

const times = (factor: number, value: number | undefined): number | undefined => value && value * factor;

/** Turns texts of /metrics into readings; some figures are of the time since the one before. */
export class Reader {
  readonly #store: string;
  #lag = { count: 0, sum: 0 };

  constructor(store: string) {
    this.#store = store;
  }

  read(atMs: number, text: string): Reading {
    const metrics = new Metrics(text);
    const gauge = (name: string): number | undefined => metrics.sum(name);
    const isTimer = ({ labels }: Line): boolean => ['Timeout', 'Immediate'].includes(labels['type'] ?? '');
    const isWell =
      metrics.sum('candlestate_healthy') === 1 &&
      metrics.sum('candlestate_connected') === 1 &&
      metrics.sum(
        'candlestate_streams',
        ({ labels }) => !['live', 'quiet'].includes(labels['state'] ?? ''),
      ) === 0;
    return {
      atMs,
      isWell,
      values: {
        rss: times(1 / MB, gauge('process_resident_memory_bytes')),
        heap: times(1 / MB, gauge('nodejs_heap_size_used_bytes')),
        descriptors: gauge('process_open_fds'),
        handles: metrics.sum('nodejs_active_resources', (line) => !isTimer(line)),
        timers: metrics.sum('nodejs_active_resources', isTimer),
        actors: gauge('candlestate_actors'),
        closeLag: this.#meanLagMs(metrics),
        loopLag: times(1_000, gauge('nodejs_eventloop_lag_p99_seconds')),
        wal: (statSync(`${this.#store}-wal`, { throwIfNoEntry: false })?.size ?? 0) / MB,
        reconnects: gauge('candlestate_reconnects_total'),
      },
    };
  }

  #meanLagMs(metrics: Metrics): number | undefined {
    const family = 'candlestate_close_lag_seconds';
    const [count = 0, sum = 0] = ['count', 'sum'].map((part) => metrics.sum(family, {}, `${family}_${part}`));
    const before = this.#lag;
    this.#lag = { count, sum };
    return count > before.count ? (1_000 * (sum - before.sum)) / (count - before.count) : undefined;
  }
}
