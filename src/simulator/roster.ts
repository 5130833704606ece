import { type Interval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { type FaultOf, ImpossibleFault } from './fault-shapes.ts';
import type { LivingSource } from './life.ts';
import type { Market } from './market.ts';
import type { SymbolInfo } from './symbols.ts';

export interface RosterPorts {
  readonly market: Market;
  readonly sources: readonly LivingSource[];
  /** The bars of a symbol, or of all, are others than before. */
  readonly onBars: (symbol?: string) => void;
  readonly onContract: (info: SymbolInfo) => void;
}

/** The symbols of the exchange, and what happens to them and to their bars. Times are exchange ms. */
export class Roster {
  readonly #ports: RosterPorts;
  readonly #sources: ReadonlyMap<string, LivingSource>;

  constructor(ports: RosterPorts) {
    this.#ports = ports;
    this.#sources = new Map(ports.sources.map((source) => [source.info.symbol, source]));
  }

  /** Symbols that are on the exchange now. */
  listed(): SymbolInfo[] {
    return this.#ports.sources.filter((source) => source.isListed).map((source) => source.info);
  }

  /** The source of a symbol that is on the exchange now. */
  find(symbol: string): LivingSource | undefined {
    const source = this.#sources.get(symbol);
    return source?.isListed ? source : undefined;
  }

  /** Something happens to a symbol. */
  live({ symbol, action }: FaultOf<'symbol'>, now: number): void {
    const source = this.#source(symbol);
    if (!source.live(action, now)) {
      throw new ImpossibleFault(`symbol: ${action}: ${symbol} is ${source.info.status}`);
    }
    this.#ports.market.forget(symbol);
    this.#ports.onBars(symbol);
    this.#ports.onContract(source.info);
  }

  /** The exchange will be down. */
  outage({ symbol, from, to }: FaultOf<'outage'>, now: number): void {
    const sources = symbol === undefined ? this.#ports.sources : [this.#source(symbol)];
    for (const source of sources) {
      if (openTimeAt(source.baseInterval, from) <= now) {
        throw new ImpossibleFault('outage: from: no bar that has begun can be taken back; give a later one');
      }
    }
    for (const source of sources) {
      source.drop(from, to);
      this.#ports.market.forget(source.info.symbol);
    }
    this.#ports.onBars(symbol);
  }

  /** A bar that is over has other values from now on. */
  revise({ symbol, interval, openTime, values }: FaultOf<'revise'>, now: number): void {
    const { market } = this.#ports;
    const source = this.#source(symbol);
    const open = openTime === 'last' ? this.#lastOver(source, interval, now) : openTime;
    const bar = market.bar(source, interval, open);
    if (!bar || nextOpenTime(interval, open) > now) {
      throw new ImpossibleFault(
        `revise: ${symbol} has no ${interval} bar that opened at ${open} and is over`,
      );
    }
    market.revise(source, interval, open, values);
    this.#ports.onBars(symbol);
  }

  #source(symbol: string): LivingSource {
    const source = this.#sources.get(symbol);
    if (source) return source;
    throw new ImpossibleFault(`${symbol} is not known here: give it in the options symbols or listLater`);
  }

  #lastOver(source: LivingSource, interval: Interval, now: number): number {
    const last = source.previousOpen(openTimeAt(interval, now) - 1);
    return last === -Infinity ? last : openTimeAt(interval, last);
  }
}
