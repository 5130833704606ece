/** Bars that REST hid for a while: they may have been named as gaps, and are asked for again later than a run lasts. */
import type { ExchangeFault } from '../plan.ts';

interface Range {
  readonly symbol: string | undefined;
  /** Exchange ms: bars that are open at any time in between. */
  readonly from: number;
  readonly to: number;
}

/** After a fault an answer that was under its spell may still be on its way, ms. */
const ON_ITS_WAY_MS = 60_000;

/** No process is away for longer, by all that is drawn: bars from before that are not asked for, exchange ms. */
const AWAY_MS = 2 * 3_600_000;

export class Hidden {
  readonly #now: () => number;
  readonly #ranges: Range[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A fault begins. */
  note(fault: ExchangeFault): void {
    const now = this.#now();
    if (fault.kind === 'absent')
      this.#ranges.push({ symbol: fault.symbol, from: fault.from, to: fault.to + ON_ITS_WAY_MS });
    if (fault.kind === 'lag')
      this.#ranges.push({
        symbol: undefined,
        from: now - fault.lagMs,
        to: now + (fault.forMs ?? 0) + ON_ITS_WAY_MS,
      });
    if (fault.kind === 'rest' && fault.body === '[]')
      this.#ranges.push({
        symbol: undefined,
        from: now - AWAY_MS,
        to: now + (fault.forMs ?? 0) + ON_ITS_WAY_MS,
      });
  }

  has(bar: { readonly symbol: string; readonly openTime: number; readonly closeTime: number }): boolean {
    return this.#ranges.some(
      ({ symbol, from, to }) =>
        (symbol === undefined || symbol === bar.symbol) && bar.closeTime >= from && bar.openTime <= to,
    );
  }
}
