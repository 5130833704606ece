/** What the inspector asks of a collector, told by a crowd of actors and a table of figures. */
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import type { Interval } from '../../machines/model/interval.ts';
import { type Candle, type CandleSource, type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Gap } from '../../machines/model/row.ts';
import { streamId } from '../../src/actors/roster.ts';
import { ConfigurationError } from '../../src/errors.ts';
import type { CollectorHealth } from '../../src/health.ts';
import type { Watched } from '../../src/inspector/options.ts';
import { noCounts } from '../../src/pipeline/counters.ts';
import type { CollectorEvents } from '../../src/pipeline/delivery.ts';
import { Listeners, type Unsubscribe } from '../../src/pipeline/listeners.ts';
import type { Clock } from '../../src/ports.ts';
import { type CollectorStatus, modeOf, type SeriesStatus, streamState, topState } from '../../src/status.ts';
import { type CollectorVitals, RECONNECT_CAUSES } from '../../src/vitals.ts';
import type { CollectorActor } from '../../src/wire.ts';
import { CrowdCandles } from './crowd-candles.ts';

type Children = Readonly<Record<string, AnyActorRef | undefined>>;
const childrenOf = (actor: AnyActorRef): Children => (actor.getSnapshot() as AnyMachineSnapshot).children;

/** Candles up to the hour in which everything was written down. */
const END = Date.UTC(2026, 2, 14, 15, 9);

/** Figures may be set by hand: `face.counters.frames += 10`, `face.figures.weight = …`. */
export class CrowdFace implements Watched {
  readonly actor: CollectorActor;
  readonly counters = { ...noCounts(), compared: 0, revised: 0, uncompared: 0 };
  /** Replace what {@link vitals} says. */
  readonly figures: { -readonly [Key in keyof CollectorVitals]?: CollectorVitals[Key] } = {};
  /** How often each of the costly ones was asked. */
  readonly asked = { status: 0, health: 0 };
  readonly #series: readonly Series[];
  readonly #clock: Clock;
  readonly #bars: number;
  readonly #framesPerSecond: number;
  readonly #began: number;
  readonly #candles = new Map<string, CrowdCandles>();
  readonly #known: ReadonlySet<string>;
  readonly #listeners = new Listeners<CollectorEvents>((_, error) => {
    throw error;
  });
  #filled = 0;
  #state: string;

  constructor(
    actor: CollectorActor,
    series: readonly Series[],
    clock: Clock,
    options: { bars?: number; framesPerSecond?: number },
  ) {
    this.actor = actor;
    this.#series = series;
    this.#known = new Set(series.map(seriesKey));
    this.#clock = clock;
    this.#bars = options.bars ?? 120;
    this.#framesPerSecond = options.framesPerSecond ?? 0;
    this.#began = clock.now();
    this.#state = topState(actor);
    actor.subscribe(() => {
      const from = this.#state;
      this.#state = topState(actor);
      if (from !== this.#state) this.#listeners.emit('state', { from, to: this.#state, reason: 'scripted' });
    });
  }

  on<Name extends keyof CollectorEvents>(
    event: Name,
    listener: (payload: CollectorEvents[Name]) => unknown,
  ): Unsubscribe {
    return this.#listeners.on(event, listener);
  }

  getCandleBuffer(symbol: string, interval: Interval): readonly Candle[] {
    return [...this.candles({ symbol, interval }).bars];
  }

  getFormingCandle(symbol: string, interval: Interval): Candle | undefined {
    return this.candles({ symbol, interval }).forming;
  }

  /** Of the series that were looked at. */
  getOpenGaps(): readonly Gap[] {
    return [...this.#candles.values()].flatMap((one) => one.gaps);
  }

  vitals(): CollectorVitals {
    const elapsedMs = this.#clock.now() - this.#began;
    const frames = this.counters.frames + Math.floor((elapsedMs / 1_000) * this.#framesPerSecond);
    const took = { bounds: [5, 20, 100], counts: [8, 3, 1, 0], count: 12, sum: 80, last: 4 };
    return {
      state: topState(this.actor),
      isConnected: this.actor.getSnapshot().matches({ streaming: 'full' }),
      mode: modeOf(this.actor),
      exchangeTime: END + elapsedMs,
      timeScale: 1,
      counters: { ...this.counters, frames },
      lastFrameAgeMs: 40,
      rowsWaiting: 0,
      closeLag: { bounds: [50, 100, 500], counts: [9, 2, 1, 0], count: 12, sum: 700, last: 38 },
      commits: { took, lastAgoMs: 120 },
      weight: { used: 84, limit: 2_400 },
      gaps: { named: this.counters.gaps, filled: this.#filled, open: this.getOpenGaps().length },
      revisions: this.counters.revised,
      reconnects: Object.fromEntries(
        RECONNECT_CAUSES.map((cause) => [cause, 0]),
      ) as CollectorVitals['reconnects'],
      ...this.figures,
    };
  }

  status(): CollectorStatus {
    this.asked.status += 1;
    const states = this.#states();
    const { state, isConnected, mode, timeScale, counters, rowsWaiting } = this.vitals();
    const series = this.#series.map(
      (one): SeriesStatus => ({ ...one, state: states.get(streamId(one)) ?? 'off', closed: 0, stored: 0 }),
    );
    return { state, isConnected, mode, timeScale, series, counters, rowsWaiting };
  }

  health(): CollectorHealth {
    this.asked.health += 1;
    const { state, mode, isConnected, series } = this.status();
    const streams: Partial<Record<SeriesStatus['state'], number>> = {};
    for (const one of series) streams[one.state] = (streams[one.state] ?? 0) + 1;
    const mute = series.filter((one) => one.state === 'mute');
    return {
      ok: state === 'streaming' && mute.length === 0,
      state,
      mode,
      isConnected,
      streams,
      lastFrameAgeMs: 40,
      ailments: mute
        .slice(0, 20)
        .map((one) => ({ series: seriesKey(one), problem: 'mute' as const, forMs: 5_000 })),
      ailing: mute.length,
    };
  }

  /** The candles of a series; made when they are first asked for. */
  candles(series: Series): CrowdCandles {
    const key = seriesKey(series);
    if (!this.#known.has(key))
      throw new ConfigurationError([{ option: 'symbol', given: key, allowed: 'a series of the crowd' }]);
    const found = this.#candles.get(key) ?? new CrowdCandles(series, this.#bars, END);
    this.#candles.set(key, found);
    return found;
  }

  close(series: Series, source: CandleSource): void {
    const counter = { stream: 'closedByStream', rest: 'closedByRest', vision: 'closedByArchive' } as const;
    this.counters[counter[source]] += 1;
    this.#listeners.emit('candle', this.candles(series).close(source));
  }

  lack(series: Series, bars = 2): void {
    this.counters.gaps += 1;
    const { detectedAt: _, ...gap } = this.candles(series).lack(bars);
    this.#listeners.emit('gap', { ...gap, status: 'open' });
  }

  fill(series: Series): void {
    const gap = this.candles(series).fill();
    if (gap === undefined) return;
    this.#filled += 1;
    const { detectedAt: _, ...notice } = gap;
    this.#listeners.emit('gap', { ...notice, status: 'filled' });
  }

  revise(series: Series): void {
    this.counters.revised += 1;
    this.#listeners.emit('revision', this.candles(series).revise());
  }

  #states(): Map<string, SeriesStatus['state']> {
    const states = new Map<string, SeriesStatus['state']>();
    for (const feed of Object.values(childrenOf(this.actor)))
      for (const [id, child] of Object.entries(feed === undefined ? {} : (childrenOf(feed) ?? {})))
        if (id.startsWith('stream.')) states.set(id, streamState(child?.getSnapshot() as AnyMachineSnapshot));
    return states;
  }
}
