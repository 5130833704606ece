/** The invariants about what the collector says and leaves: honest (I4) and clean ends (I6). */
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import type { Evidence, Sample, Violation } from './evidence.ts';

/** News of an ending travel, and a busy machine looks late: so long a word may outlive its ground, wall ms. */
const NEWS_MS = 500;

const streamOf = ({ symbol, interval }: Series): string => `${symbol.toLowerCase()}@kline_${interval}`;

/** What was to be known of the connections at one instant, from the wire alone. */
interface Connection {
  readonly openedAt: number;
  endedAt: number;
  readonly subscribed: Map<string, number>;
  readonly heard: Set<string>;
}

/** Replays the wire up to an instant. */
class Wire {
  readonly #events: NonNullable<Evidence['wire']>;
  readonly #links = new Map<number, Connection>();
  #next = 0;

  constructor(events: NonNullable<Evidence['wire']>) {
    this.#events = events;
  }

  /** Connections that were open at `wallMs`, or ended so lately that it need not be known yet. */
  at(wallMs: number): Connection[] {
    for (; (this.#events[this.#next]?.wallMs ?? Infinity) <= wallMs; this.#next++) {
      const event = this.#events[this.#next]!;
      if (event.kind === 'opened')
        this.#links.set(event.link, {
          openedAt: event.wallMs,
          endedAt: Number.POSITIVE_INFINITY,
          subscribed: new Map(),
          heard: new Set(),
        });
      const link = this.#links.get(event.link);
      if (link === undefined) continue;
      if (event.kind === 'ended') link.endedAt = event.wallMs;
      if (event.kind === 'subscribed') link.subscribed.set(event.stream, event.wallMs);
      if (event.kind === 'frame') link.heard.add(event.stream);
    }
    for (const [number, link] of this.#links) if (wallMs - link.endedAt > NEWS_MS) this.#links.delete(number);
    return [...this.#links.values()];
  }
}

/** I4: it never says `live`, connected or streaming without a socket that the exchange has, and proof that came over it. */
export function honest(evidence: Evidence): Violation[] {
  const found: Violation[] = [];
  const told = new Set<string>();
  const add = (sample: Sample, name: string, detail: string): void => {
    // One line for each kind of lie and series: the first says when it began.
    if (told.has(`${name} ${detail}`)) return;
    told.add(`${name} ${detail}`);
    found.push({ invariant: 'honest', name, detail: `${detail}, at ${new Date(sample.at).toISOString()}` });
  };
  const wire = evidence.wire === undefined ? undefined : new Wire(evidence.wire);
  const asked = new Questions(evidence.asked);
  let socketsSeenAt = Number.NEGATIVE_INFINITY;
  for (const sample of evidence.samples) {
    const { state, isConnected, sockets, wallMs } = sample;
    if (sockets > 0) socketsSeenAt = wallMs;
    const claims = state === 'streaming' || isConnected;
    if (isConnected && state !== 'streaming') add(sample, 'connected and not streaming', state);
    if (claims && wallMs - socketsSeenAt > NEWS_MS)
      add(sample, 'said with no socket open', isConnected ? 'isConnected' : state);
    // Without a wire to listen on the exchange's count of sockets has to do.
    if (wire === undefined) {
      for (const [key, said] of sample.series)
        if ((said === 'live' || said === 'quiet') && wallMs - socketsSeenAt > NEWS_MS)
          add(sample, 'series live with no socket open', key);
      continue;
    }
    const links = wire.at(wallMs);
    if (claims && !links.some((link) => isProved(evidence.series, asked, link, wallMs)))
      add(sample, 'said before any socket was proved', isConnected ? 'isConnected' : state);
    for (const one of evidence.series) {
      const said = sample.series.get(seriesKey(one));
      const stream = streamOf(one);
      if (said === 'live' && !links.some((link) => link.heard.has(stream)))
        add(sample, 'series live without a frame on an open socket', seriesKey(one));
      if (said === 'quiet' && !links.some((link) => asked.isAny(one.symbol, link.openedAt, wallMs)))
        add(sample, 'series quiet and REST was not asked', seriesKey(one));
    }
  }
  return found;
}

/** A frame came on it, or, none having come, REST was asked about one of its symbols. */
const isProved = (series: readonly Series[], asked: Questions, link: Connection, wallMs: number): boolean =>
  link.heard.size > 0 ||
  series.some((one) => link.subscribed.has(streamOf(one)) && asked.isAny(one.symbol, link.openedAt, wallMs));

/** When REST was asked about which symbol. */
class Questions {
  readonly #times = new Map<string, number[]>();

  constructor(asked: Evidence['asked']) {
    for (const { symbol, wallMs } of asked) {
      const times = this.#times.get(symbol);
      if (times === undefined) this.#times.set(symbol, [wallMs]);
      else times.push(wallMs);
    }
  }

  /** Whether it was asked between two instants. */
  isAny(symbol: string, from: number, to: number): boolean {
    const times = this.#times.get(symbol) ?? [];
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! < from) low = middle + 1;
      else high = middle;
    }
    return (times[low] ?? Infinity) <= to;
  }
}

/** I6, as far as the exchange can see it: no socket is left after the stop. */
export function clean({ socketsLeft, samples }: Evidence): Violation[] {
  const found: Violation[] = [];
  if (socketsLeft !== undefined && socketsLeft > 0)
    found.push({ invariant: 'clean', name: 'sockets left', detail: `${socketsLeft} after the stop` });
  const stopped = samples.findIndex((sample) => sample.state === 'stopped');
  const lingering = samples[stopped]?.isConnected === true;
  if (lingering) found.push({ invariant: 'clean', name: 'connected after the stop', detail: 'isConnected' });
  return found;
}
