import type { Sink } from './feed-stream.ts';
import type { Mutes } from './mutes.ts';
import type { SymbolInfo } from './symbols.ts';

/** Name of the stream that tells of contracts. Source: Contract Info Stream, 2026-05-28. */
export const CONTRACT_INFO = '!contractInfo';

/** The stream of what happens to contracts: nothing at the subscription, then each change once. */
export class Bulletin {
  readonly #mutes: Mutes;
  readonly #sinks = new Set<Sink>();

  constructor(mutes: Mutes) {
    this.#mutes = mutes;
  }

  get hasReaders(): boolean {
    return this.#sinks.size > 0;
  }

  subscribe(sink: Sink): void {
    this.#sinks.add(sink);
  }

  unsubscribe(sink: Sink): void {
    this.#sinks.delete(sink);
  }

  /** Tells how a contract stands now. */
  publish(info: SymbolInfo, now: number): void {
    const event = JSON.stringify({
      e: 'contractInfo',
      E: now,
      s: info.symbol,
      ps: info.pair,
      ct: info.contractType,
      dt: info.deliveryDate,
      ot: info.onboardDate,
      cs: info.status,
      bks: [],
    });
    const isMuted = this.#mutes.of(CONTRACT_INFO);
    for (const sink of this.#sinks) {
      if (!isMuted?.(sink.number)) sink.frame(event, `{"stream":"${CONTRACT_INFO}","data":${event}}`);
    }
  }
}
