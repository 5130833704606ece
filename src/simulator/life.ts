import { type Interval, openTimeAt } from '../../machines/model/interval.ts';
import type { BarSource } from './source.ts';
import { NEVER_DELIVERED, type SymbolInfo } from './symbols.ts';
import { emptyUnits, type Scale, type Units, type WireBar } from './units.ts';

/** No bar opens in [from, to), exchange ms; a bar that `from` falls into has no trades after it. */
interface Silence {
  readonly from: number;
  to: number;
}

/** What can happen to a symbol, and the statuses in which it can. `absent`: not on the exchange. */
const ALLOWED = {
  list: ['absent'],
  halt: ['TRADING'],
  resume: ['TRADING_HALT'],
  settle: ['TRADING', 'TRADING_HALT'],
  delist: ['TRADING', 'TRADING_HALT', 'SETTLING'],
} as const satisfies Record<string, readonly Standing[]>;

type Standing = 'absent' | 'TRADING' | 'TRADING_HALT' | 'SETTLING';
export type LifeAction = keyof typeof ALLOWED;

/**
 * A symbol with a life: bars of `inner`, as far as the symbol was listed and the exchange up. What is not
 * traded has no bar, neither in streams, nor in REST, nor in the truth.
 */
export class LivingSource implements BarSource {
  readonly scale: Scale;
  readonly baseInterval: Interval;
  readonly baseMs: number;
  readonly verbatim?: (openTime: number) => WireBar | undefined;
  readonly #inner: BarSource;
  readonly #silences: Silence[] = [];
  #info: SymbolInfo;
  #standing: Standing = 'TRADING';

  constructor(inner: BarSource, listed: boolean) {
    this.#inner = inner;
    this.#info = inner.info;
    this.scale = inner.scale;
    this.baseInterval = inner.baseInterval;
    this.baseMs = inner.baseMs;
    if (inner.verbatim) {
      this.verbatim = (openTime) =>
        this.#endOf(openTime) === Infinity ? inner.verbatim?.(openTime) : undefined;
    }
    if (listed) return;
    this.#standing = 'absent';
    this.#info = { ...inner.info, status: 'PENDING_TRADING' };
    this.#silences.push({ from: -Infinity, to: Infinity });
  }

  get info(): SymbolInfo {
    return this.#info;
  }

  get isListed(): boolean {
    return this.#standing !== 'absent';
  }

  /** The price, in ticks, of the bars that streams go on closing while the contract is settled. */
  get echo(): number | undefined {
    if (this.#standing !== 'SETTLING') return undefined;
    const last = emptyUnits();
    return this.read(this.previousOpen(this.#info.deliveryDate), last) ? last.close : undefined;
  }

  /** Does what happens to the symbol at `at`, exchange ms; false when it can't happen to it now. */
  live(action: LifeAction, at: number): boolean {
    if (!(ALLOWED[action] as readonly Standing[]).includes(this.#standing)) return false;
    const minute = openTimeAt(this.baseInterval, at);
    switch (action) {
      case 'list':
        this.#speak(minute);
        this.#become('TRADING', { status: 'TRADING', onboardDate: minute, deliveryDate: NEVER_DELIVERED });
        break;
      case 'halt':
        this.#fallSilent(at);
        this.#become('TRADING_HALT', { status: 'TRADING_HALT' });
        break;
      case 'resume':
        this.#speak(minute + this.baseMs);
        this.#become('TRADING', { status: 'TRADING' });
        break;
      case 'settle':
        this.#fallSilent(at);
        this.#become('SETTLING', { status: 'SETTLING', deliveryDate: at });
        break;
      case 'delist':
        this.#fallSilent(at);
        this.#become('absent', { status: 'CLOSE', deliveryDate: Math.min(at, this.#info.deliveryDate) });
        break;
    }
    return true;
  }

  /** No base bar that opens in [from, to] ever is. */
  drop(from: number, to: number): void {
    const first = openTimeAt(this.baseInterval, from);
    this.#silences.push({ from: first, to: openTimeAt(this.baseInterval, to) + this.baseMs });
  }

  read(openTime: number, out: Units): boolean {
    const end = this.#endOf(openTime);
    if (end === Infinity) return this.#inner.read(openTime, out);
    return end !== -Infinity && this.#inner.readForming(openTime, end, out);
  }

  readForming(openTime: number, at: number, out: Units): boolean {
    const end = this.#endOf(openTime);
    return end !== -Infinity && this.#inner.readForming(openTime, Math.min(at, end), out);
  }

  tradeBetween(from: number, until: number): number {
    let start = from;
    while (start < until) {
      const time = this.#inner.tradeBetween(start, until);
      const silence = this.#silenceAt(time);
      if (silence === undefined) return time;
      start = silence.to;
    }
    return Infinity;
  }

  nextOpen(time: number): number {
    let open = this.#inner.nextOpen(time);
    for (;;) {
      const silence = this.#silenceAt(open);
      if (silence === undefined) return open;
      if (silence.to === Infinity) return Infinity;
      open = this.#inner.nextOpen(silence.to);
    }
  }

  previousOpen(time: number): number {
    let open = this.#inner.previousOpen(time);
    for (;;) {
      const silence = this.#silenceAt(open);
      if (silence === undefined) return open;
      if (silence.from === -Infinity) return -Infinity;
      open = this.#inner.previousOpen(silence.from - 1);
    }
  }

  #silenceAt(time: number): Silence | undefined {
    if (this.#silences.length === 0 || !Number.isFinite(time)) return undefined;
    return this.#silences.find((silence) => silence.from <= time && time < silence.to);
  }

  /** Last moment of trading in a base bar: Infinity when it is whole, -Infinity when there is no bar. */
  #endOf(openTime: number): number {
    let end = Infinity;
    for (const { from, to } of this.#silences) {
      if (from <= openTime && openTime < to) return -Infinity;
      if (openTime < from && from < openTime + this.baseMs && from < to) end = Math.min(end, from);
    }
    return end;
  }

  #become(standing: Standing, change: Partial<SymbolInfo>): void {
    this.#standing = standing;
    this.#info = { ...this.#info, ...change };
  }

  /** Nothing trades from `at` on, unless nothing does already. */
  #fallSilent(at: number): void {
    if (!this.#silences.some((silence) => silence.to === Infinity))
      this.#silences.push({ from: at, to: Infinity });
  }

  #speak(openTime: number): void {
    for (const silence of this.#silences) if (silence.to === Infinity) silence.to = openTime;
  }
}
