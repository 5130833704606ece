/** I4: what a process says of itself is never more than what went over its wires. */
import { nextOpenTime, openTimeAt } from '../../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../../machines/model/kline.ts';
import type { BinanceDataCollector } from '../../../src/index.ts';
import type { Truth } from '../../../src/simulator/index.ts';
import type { Violations } from './violations.ts';
import type { Link, Wire } from './wire.ts';

/** News of an ending travel: so long a word may outlive its ground, ms. */
const NEWS_MS = 500;
/** On a socket without any frame REST must have been asked after so long, ms: a minute of silence, and what asking takes. */
const SILENCE_MS = 150_000;
/** A close may be late by five seconds and a jitter, exchange ms; then a live series must have it or say that it lacks it. */
const GRACE_MS = 8_000;
/** From the first frame until the look that finds what is owed: half a second for a frame of a later bar, and the next look, ms. */
const SETTLING_MS = 1_000;

export interface HonestPorts {
  readonly violations: Violations;
  readonly truth: Truth;
  readonly wire: Wire;
  /** Exchange time; and how much later than asked for timers may fire, ms. */
  readonly now: () => number;
  readonly latenessMs: () => number;
  /** Whether a gap says that a bar is lacking. */
  readonly isNamed: (series: Series, openTime: number) => boolean;
}

const streamName = ({ symbol, interval }: Series): string => `${symbol.toLowerCase()}@kline_${interval}`;

/** Looks at what a collector says now. */
export class Honesty {
  readonly #ports: HonestPorts;

  constructor(ports: HonestPorts) {
    this.#ports = ports;
  }

  /** The state of the whole: cheap. */
  look(collector: BinanceDataCollector): void {
    const { state, isConnected } = collector;
    if (state !== 'streaming' && !isConnected) return;
    const { violations, wire } = this.#ports;
    if (isConnected && state !== 'streaming') violations.add('I4', 'connected and not streaming', state);
    const links = wire.known(NEWS_MS);
    const said = isConnected ? 'isConnected' : 'streaming';
    if (links.length === 0) violations.add('I4', 'said with no socket open', said);
    else if (!links.some((link) => this.#isProved(link)))
      violations.add('I4', 'said before any socket was proved', said);
  }

  /** Every series. `isAwake`: it has had the time to prove its sockets anew; `knowsTime`: and to see what it owes. */
  lookAtSeries(collector: BinanceDataCollector, isAwake: boolean, knowsTime: boolean): void {
    const { violations, wire } = this.#ports;
    const links = wire.known(NEWS_MS);
    const { series, isConnected, rowsWaiting } = collector.status();
    for (const one of series) {
      const name = streamName(one);
      const key = seriesKey(one);
      const carriers = links.filter((link) => link.subscribed.has(name));
      if (isConnected && carriers.length === 0 && !this.#needsNone(one.state, one.symbol))
        violations.add('I4', 'connected without a socket for a series', `${key} is ${one.state}`);
      if (one.state === 'quiet' && !carriers.some((link) => this.#isAsked(one.symbol, link.dialledAt)))
        violations.add('I4', 'quiet and REST was not asked', key);
      if (one.state !== 'live') continue;
      const proved = carriers.filter((link) => link.heard.has(name));
      if (proved.length === 0) violations.add('I4', 'live without a frame on an open socket', key);
      else if (isAwake && proved.every((link) => this.#isSilent(link)))
        violations.add('I4', 'live on a socket that has been silent', key);
      // What is named waits for the disk like every row, and who has just woken needs a moment to see what it owes.
      if (rowsWaiting === 0 && knowsTime && this.#hasSettled(proved, name)) this.#owes(one);
    }
  }

  /** Whoever has just come alive has a moment to see what it owes. */
  #hasSettled(proved: readonly Link[], name: string): boolean {
    const since = this.#ports.wire.now() - SETTLING_MS - this.#ports.latenessMs();
    return proved.some((link) => (link.heard.get(name) ?? Number.POSITIVE_INFINITY) <= since);
  }

  /** Its last bar is there, or the exchange has none, or a gap says that it is lacking. */
  #owes(one: Series & { readonly last?: { readonly openTime: number } }): void {
    const { violations, truth, now, latenessMs, isNamed } = this.#ports;
    if (one.last === undefined) return;
    const at = now() - GRACE_MS - latenessMs();
    const expected = openTimeAt(one.interval, openTimeAt(one.interval, at) - 1);
    for (
      let owed = nextOpenTime(one.interval, one.last.openTime);
      owed <= expected;
      owed = nextOpenTime(one.interval, owed)
    ) {
      if (isNamed(one, owed) || truth.candle(one.symbol, one.interval, owed) === undefined) continue;
      violations.add('I4', 'live with a bar owed', `${seriesKey(one)} ${new Date(owed).toISOString()}`);
      return;
    }
  }

  /** What has ended or not begun has no stream; nor has what is halted, where all that trades was asked for at the start. */
  #needsNone(state: string, symbol: string): boolean {
    if (state === 'waiting' || state === 'retired') return true;
    const minute = openTimeAt('1m', this.#ports.now());
    return state === 'off' && this.#ports.truth.candle(symbol, '1m', minute - 60_000) === undefined;
  }

  #isProved(link: Link): boolean {
    return (
      link.heard.size > 0 ||
      [...link.subscribed].some((name) => this.#isAsked(symbolOf(name), link.dialledAt))
    );
  }

  #isAsked(symbol: string, since: number): boolean {
    return (this.#ports.wire.askedAt.get(symbol) ?? Number.NEGATIVE_INFINITY) >= since;
  }

  #isSilent(link: Link): boolean {
    const since = this.#ports.wire.now() - SILENCE_MS - this.#ports.latenessMs();
    if (link.lastFrameAt >= since || link.dialledAt >= since) return false;
    return ![...link.subscribed].some((name) => this.#isAsked(symbolOf(name), since));
  }
}

const symbolOf = (stream: string): string =>
  stream.slice(0, stream.indexOf('@')).replace(/[a-z]/gu, (letter) => letter.toUpperCase());
