/** What befalls the path between a collector and its exchange: faults struck at the proxies on it. */
import type { Lane, Link, TcpProxy } from '../support/tcp-proxy.ts';

/** Which connections: those that carry streams, those of REST, or all. */
type Path = 'streams' | 'rest' | 'both';

/** Lasting ones also strike connections that are dialled in their time. */
export type NetworkFault = { readonly path: Path } & (
  | { readonly kind: 'reset' | 'fin' }
  /** So many bytes more to the collector, then a reset: mostly in the midst of a frame. */
  | { readonly kind: 'cut'; readonly bytes: number }
  | { readonly kind: 'refuse' | 'split'; readonly forMs: number }
  /** What was swallowed does not come again: who was struck stays dumb until somebody gives the connection up. */
  | { readonly kind: 'blackhole'; readonly direction: Direction; readonly forMs: number }
  | { readonly kind: 'clog'; readonly direction: Direction; readonly forMs: number }
  | { readonly kind: 'dribble'; readonly bytes: number; readonly everyMs: number; readonly forMs: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number; readonly forMs: number }
);
type Direction = 'both' | 'toClient' | 'toServer';
type Lasting = Extract<NetworkFault, { readonly forMs: number }>;

export interface Proxies {
  readonly streams: TcpProxy;
  readonly rest: TcpProxy;
}

const lanesOf = (link: Link, direction: Direction): Lane[] =>
  direction === 'both' ? [link.toClient, link.toServer] : [link[direction]];

/** One lasting fault of one proxy. */
class Spell {
  readonly #proxy: TcpProxy;
  readonly #fault: Lasting;
  readonly #struck = new Set<Link>();
  readonly #timer: NodeJS.Timeout;

  constructor(proxy: TcpProxy, fault: Lasting, dumb: WeakSet<Link>) {
    this.#proxy = proxy;
    this.#fault = fault;
    if (fault.kind === 'refuse') proxy.refuse();
    const strike = (link: Link): void => {
      if (dumb.has(link)) return;
      befall(link, fault);
      if (fault.kind === 'blackhole') dumb.add(link);
      else this.#struck.add(link);
    };
    for (const link of proxy.links()) strike(link);
    proxy.onLink = strike;
    this.#timer = setTimeout(() => void this.end(), fault.forMs);
  }

  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#proxy.onLink = undefined;
    for (const link of this.#struck) if (link.isOpen) link.free();
    this.#struck.clear();
    if (this.#fault.kind === 'refuse') await this.#proxy.accept();
  }
}

function befall(link: Link, fault: Lasting): void {
  switch (fault.kind) {
    case 'blackhole':
      for (const lane of lanesOf(link, fault.direction)) lane.blackhole();
      return;
    case 'clog':
      for (const lane of lanesOf(link, fault.direction)) lane.clog();
      return;
    case 'dribble':
      link.toClient.dribble(fault.bytes, fault.everyMs);
      return;
    case 'throttle':
      link.toClient.throttle(fault.bytesPerSecond);
      return;
    case 'split':
      link.toClient.split();
      link.toServer.split();
      return;
    case 'refuse':
      return;
  }
}

/** The weather on one path. A lasting fault ends the one before it on the same proxy. */
export class Weather {
  readonly #proxies: Proxies;
  readonly #spells = new Map<TcpProxy, Spell>();
  readonly #dumb = new WeakSet<Link>();

  constructor(proxies: Proxies) {
    this.#proxies = proxies;
  }

  async strike(fault: NetworkFault): Promise<void> {
    const { streams, rest } = this.#proxies;
    for (const proxy of fault.path === 'both' ? [streams, rest] : [this.#proxies[fault.path]]) {
      if ('forMs' in fault) {
        await this.#spells.get(proxy)?.end();
        this.#spells.set(proxy, new Spell(proxy, fault, this.#dumb));
      } else
        for (const link of proxy.links()) {
          if (fault.kind === 'cut') link.toClient.after(fault.bytes, () => link.reset());
          else link[fault.kind]();
        }
    }
  }

  /** Fair from now on; connections that are dumb stay so. */
  async clear(): Promise<void> {
    for (const spell of this.#spells.values()) await spell.end();
    this.#spells.clear();
  }
}
