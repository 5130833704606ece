/**
 * A crowd of real actors without an exchange: the project's own charts, from the root to the last kline stream, whose
 * sockets, cursors, REST and store are scripts. Around it what the inspector asks of a collector.
 */
import { createActor } from 'xstate';
import { type ConnectionTiming, DEFAULT_TIMING } from '../../machines/connection.types.ts';
import type { FeedInput } from '../../machines/feed.types.ts';
import type { CursorEvent, KlineStreamInput, StreamProof } from '../../machines/kline-stream.types.ts';
import type { Interval } from '../../machines/model/interval.ts';
import { type CandleSource, type Series, seriesKey } from '../../machines/model/kline.ts';
import { streamId } from '../../src/actors/roster.ts';
import { indexTimers } from '../../src/actors/timer-index.ts';
import type { Watched } from '../../src/inspector/options.ts';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/transport/clock.ts';
import type { CollectorActor } from '../../src/wire.ts';
import { seeded } from '../support/seeded.ts';
import { CrowdFace } from './crowd-face.ts';
import { CrowdScripts } from './crowd-scripts.ts';

export interface CrowdOptions {
  /** Default 20. */
  readonly streams?: number;
  /** Default 200, as in life. */
  readonly streamsPerFeed?: number;
  /** One, or as many as there are: a symbol has all of them. Default `1m` and `5m`. */
  readonly intervals?: readonly Interval[];
  /** Closed bars of each series. Default 120. */
  readonly bars?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: a dropped connection dials again after half a minute, so that it can be looked at meanwhile. */
  readonly timing?: Partial<ConnectionTiming>;
  /** That the counters pretend. Default 0. */
  readonly framesPerSecond?: number;
}

const MAJORS = 'BTC ETH SOL BNB XRP ADA DOGE LINK LTC AVAX DOT NEAR FIL ALGO'.split(' ');
const symbolOf = (index: number): string => `${MAJORS[index] ?? `COIN${index}`}USDT`;

function seriesList(count: number, intervals: readonly Interval[]): Series[] {
  return Array.from({ length: count }, (_, at) => ({
    symbol: symbolOf(Math.floor(at / intervals.length)),
    interval: intervals[at % intervals.length]!,
  }));
}

export class Crowd {
  readonly series: readonly Series[];
  readonly actor: CollectorActor;
  /** What `startInspector` takes. Its figures may be set by hand. */
  readonly collector: Watched & CrowdFace;
  readonly #feeds: readonly FeedInput[];
  readonly #random = seeded(7);
  readonly #scripts = new CrowdScripts();

  constructor(options: CrowdOptions = {}) {
    const { streams = 20, streamsPerFeed = 200, intervals = ['1m', '5m'], clock = systemClock } = options;
    const timing = {
      ...DEFAULT_TIMING,
      backoff: { ...DEFAULT_TIMING.backoff, baseMs: 30_000 },
      ...options.timing,
    };
    const now = (): number => clock.now();
    this.series = seriesList(streams, intervals);
    const inputs = this.series.map(
      (series): KlineStreamInput => ({
        id: streamId(series),
        series,
        stream: `${series.symbol.toLowerCase()}@kline_${series.interval}`,
        timing,
        random: this.#random,
      }),
    );
    const newFeed = (id: string, of: readonly KlineStreamInput[]): FeedInput => ({
      id,
      mendMs: 5_000,
      now,
      streams: of,
      connection: { timing, route: '/market/stream', random: this.#random, now },
      activityOf: () => ({ silentMs: () => 0 }),
    });
    this.#feeds = Array.from({ length: Math.ceil(streams / streamsPerFeed) }, (_, at) =>
      newFeed(`feed${at}`, inputs.slice(at * streamsPerFeed, (at + 1) * streamsPerFeed)),
    );
    this.actor = createActor(this.#scripts.machine(this.#feeds), {
      clock,
      input: {
        store: { id: 'store', rows: { size: 0, full: false }, flushMs: 20, now },
        rest: {
          id: 'rest',
          queueMax: 10,
          callsMax: 4,
          retriesMax: 3,
          quota: { held: () => undefined, waitMs: () => 0, begin: () => {} },
          random: this.#random,
          now,
        },
        connectTimeoutMs: undefined,
        preparePauseMs: 1_000,
        stopTimeoutMs: 5_000,
        streamsPerSocket: streamsPerFeed,
        newFeed,
        now,
      },
    });
    indexTimers(this.actor);
    this.collector = new CrowdFace(this.actor, this.series, clock, options);
    this.actor.start();
  }

  /** Starts, and has every socket open and every stream live. */
  async start(): Promise<void> {
    this.actor.send({ type: 'START' });
    await turns();
    await this.open();
  }

  /** Only starts: no socket opens before {@link open}. */
  async dial(): Promise<void> {
    this.actor.send({ type: 'START' });
    await turns();
  }

  /** Opens the sockets that are being dialled (of one connection, as `feed0.a`, or all), with their streams. */
  async open(id?: string): Promise<void> {
    for (const connection of id === undefined ? [...this.#scripts.sockets.keys()] : [id]) {
      for (const type of ['SOCKET.OPENED', 'SOCKET.ACKED', 'SOCKET.FRAME'] as const)
        this.#scripts.sockets.get(connection)?.({ type });
      const feed = this.#feeds.find((one) => connection.startsWith(`${one.id}.`));
      for (const { series } of feed?.streams ?? []) this.tell(series, { type: 'CURSOR.FIRST_FRAME' });
    }
    await turns();
  }

  /** The exchange ends a connection. */
  drop(id = 'feed0.a', reason = 'closed by the peer: 1006'): void {
    this.#scripts.sockets.get(id)?.({ type: 'SOCKET.CLOSED', end: { code: 1006 }, cause: 'closed', reason });
  }

  /** What the cursor of a series reports to its stream. */
  tell(series: Series, event: CursorEvent): void {
    this.#scripts.cursors.get(seriesKey(series))?.(event);
  }

  /** Its frames stay out, and REST says whether it trades. */
  async silence(series: Series, verdict: StreamProof): Promise<void> {
    this.#scripts.verdicts.set(seriesKey(series), verdict);
    this.tell(series, { type: 'CURSOR.SILENT' });
    await turns();
  }

  /** A bar is owed, until {@link repaired}. */
  hole(series: Series): void {
    this.tell(series, { type: 'CURSOR.HOLE' });
  }

  async repaired(series: Series): Promise<void> {
    this.#scripts.repairs.get(seriesKey(series))?.({ owed: 0, taken: 1 });
    await turns();
  }

  /** Every stream goes from live to doubting and back, so often. Returns how many transitions that were. */
  storm(rounds = 1): number {
    for (let round = 0; round < rounds; round++)
      for (const say of this.#scripts.cursors.values()) {
        say({ type: 'CURSOR.SILENT' });
        say({ type: 'CURSOR.FIRST_FRAME' });
      }
    return 2 * rounds * this.#scripts.cursors.size;
  }

  /** A bar of a series closes. */
  close(series: Series, source: CandleSource = 'stream'): void {
    this.collector.close(series, source);
  }

  async stop(): Promise<void> {
    if (this.actor.getSnapshot().status !== 'active') return;
    this.actor.send({ type: 'STOP', reason: 'asked' });
    await turns();
    this.actor.stop();
  }
}

/** A crowd that streams: every socket open, every stream live. */
export async function crowd(options: CrowdOptions = {}): Promise<Crowd> {
  const made = new Crowd(options);
  await made.start();
  return made;
}

/** Promises in a row get their turn. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
