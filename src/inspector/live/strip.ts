import type { Clock } from '../../ports.ts';
import type { CollectorVitals } from '../../vitals.ts';
import type { Watched } from '../options.ts';
import type { Strip } from '../protocol.ts';

/** The health of ten thousand series is asked no more often, ms. */
const HEALTH_EVERY_MS = 1_000;
/** Of the reasons why it is not healthy so many are said. */
const AILMENTS_MAX = 5;
/** Messages a second are those of the last so many ms. */
const RATE_MS = 1_000;
/** A count that is older says nothing of now, ms. */
const RATE_MAX_MS = 5_000;

/** What is shown before anything could be read. */
const UNKNOWN: Strip = {
  state: 'unknown',
  mode: 'none',
  isConnected: false,
  healthy: false,
  streams: {},
  messagesPerSecond: 0,
  weight: { used: 0, limit: 0 },
  rowsWaiting: 0,
  gaps: { open: 0, named: 0 },
  bars: { stream: 0, rest: 0, vision: 0 },
  timeScale: 1,
};

/** Makes the strip of what a collector measures anyway. */
export class StripSource {
  readonly #collector: Watched;
  readonly #clock: Clock;
  /** Frames counted so far, oldest first. */
  #samples: { readonly at: number; readonly frames: number }[] = [];
  #health:
    | {
        readonly at: number;
        /** The collector's, then: with another one it is another matter. */
        readonly state: string;
        readonly said: Pick<Strip, 'healthy' | 'ailments' | 'ailing'>;
      }
    | undefined;
  /** As it was made last. */
  strip: Strip = UNKNOWN;

  constructor(collector: Watched, clock: Clock) {
    this.#collector = collector;
    this.#clock = clock;
  }

  /** The strip as of now; `streams` are counted elsewhere. May throw what the collector throws. */
  read(streams: Strip['streams']): Strip {
    const vitals = this.#collector.vitals();
    this.strip = {
      ...figuresOf(vitals),
      ...this.#healthOf(vitals.state),
      streams,
      messagesPerSecond: this.#rate(vitals.counters.frames),
    };
    return this.strip;
  }

  #healthOf(state: string): Pick<Strip, 'healthy' | 'ailments' | 'ailing'> {
    const at = this.#clock.now();
    const { at: askedAt = Number.NEGATIVE_INFINITY, state: former } = this.#health ?? {};
    if (this.#health === undefined || state !== former || at - askedAt >= HEALTH_EVERY_MS) {
      const { ok, ailments, ailing } = this.#collector.health();
      const why = ailing > 0 ? { ailments: ailments.slice(0, AILMENTS_MAX), ailing } : {};
      this.#health = { at, state, said: { healthy: ok, ...why } };
    }
    return this.#health.said;
  }

  #rate(frames: number): number {
    const at = this.#clock.now();
    // The youngest of those that are a second old is the one to count from.
    const young = this.#samples.findLastIndex((sample) => at - sample.at >= RATE_MS);
    this.#samples = this.#samples.slice(Math.max(0, young)).filter((sample) => at - sample.at <= RATE_MAX_MS);
    const [since] = this.#samples;
    this.#samples.push({ at, frames });
    if (since === undefined || at <= since.at) return 0;
    return Math.round(((frames - since.frames) * 1_000) / (at - since.at));
  }
}

function figuresOf(
  vitals: CollectorVitals,
): Omit<Strip, 'healthy' | 'ailments' | 'ailing' | 'streams' | 'messagesPerSecond'> {
  const { state, mode, isConnected, weight, rowsWaiting, timeScale, exchangeTime, counters } = vitals;
  const { took, lastAgoMs } = vitals.commits;
  return {
    state,
    mode,
    isConnected,
    ...(vitals.closeLag.last === undefined ? {} : { lagMs: vitals.closeLag.last }),
    weight: { used: weight.used, limit: weight.limit },
    ...(took.last === undefined || lastAgoMs === undefined
      ? {}
      : { lastCommit: { agoMs: lastAgoMs, tookMs: took.last } }),
    rowsWaiting,
    gaps: { open: vitals.gaps.open, named: vitals.gaps.named },
    bars: { stream: counters.closedByStream, rest: counters.closedByRest, vision: counters.closedByArchive },
    ...(exchangeTime === undefined ? {} : { exchangeTime }),
    timeScale,
  };
}
