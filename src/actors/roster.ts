import type { RetiredStreams, SymbolNews } from '../../machines/collector.types.ts';
import type { Interval } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import { firstOpenFrom } from '../../machines/model/ledger.ts';
import { isDelivered, isPerpetual, type ListedSymbol, type Phase, phaseOf } from '../binance/symbols.ts';

/** Where a symbol stands: asked for and not trading yet, collected, collected though halted, or over. */
export type Standing = 'waiting' | 'trading' | 'halted' | 'retired';

/** What an answer of the exchange changes. */
export interface RosterChange {
  /** Their streams start now. */
  readonly start: readonly ListedSymbol[];
  /** Their streams end at the first bar that opens at or after `at`, exchange ms. */
  readonly retire: readonly { readonly symbol: string; readonly at: number }[];
  readonly news: readonly SymbolNews[];
}

interface Entry {
  readonly listed: ListedSymbol;
  readonly standing: Standing;
}

/** An event that the list has not confirmed yet. */
interface Rumour {
  readonly listed: ListedSymbol;
  /** Monotonic ms. */
  readonly since: number;
}

/** An event that the list contradicts for so long was wrong, wall ms: answers may be older than the event. */
const RUMOUR_MS = 60_000;
const RUMOURS_MAX = 5_000;
/** A list this much shorter than the one before is not believed at once … */
const SUSPICIOUS_SHARE = 0.5;
/** … but when it has been heard so often in a row. */
const HEARINGS = 3;

/** The id of a stream in the charts. */
export const streamId = (series: Series): string => `stream.${seriesKey(series)}`;

/**
 * Who is collected, and where each symbol stands: state only, fed with what the exchange lists. An event holds at
 * once, for a settled contract goes on closing bars that nobody traded; the list is the truth, and has a minute to
 * confirm it. An end that was none leaves no hole: the series goes on where it ended.
 */
export class Roster {
  readonly #wanted: 'all' | readonly string[];
  /** Monotonic ms. */
  readonly #now: () => number;
  #entries = new Map<string, Entry>();
  #rumours = new Map<string, Rumour>();
  #listedCount = 0;
  #shortAnswers = 0;
  /** Hears of events; set while the list is being watched. */
  onEvent: ((listed: ListedSymbol) => void) | undefined;
  /** Hears that the list may have news; set while the list is being watched. */
  onDoubt: (() => void) | undefined;

  constructor(wanted: 'all' | readonly string[], now: () => number) {
    this.#wanted = wanted;
    this.#now = now;
  }

  /** Where a symbol stands; undefined while the exchange has not been asked, and for one that is not collected. */
  standing(symbol: string): Standing | undefined {
    return this.#entries.get(symbol)?.standing;
  }

  /** Whether an event awaits its confirmation by the list. */
  get isUnsettled(): boolean {
    return this.#rumours.size > 0;
  }

  /** The exchange lacks the newest bar of a symbol that trades as far as is known: it may have ended unheard. */
  doubt(symbol: string): void {
    if (this.standing(symbol) === 'trading') this.onDoubt?.();
  }

  /** When the next of those that are collected is delivered, exchange ms; undefined when none is known to be. */
  nextDelivery(exchangeTime: number): number | undefined {
    let next: number | undefined;
    for (const { listed, standing } of this.#entries.values()) {
      if (standing === 'retired' || listed.deliveryDate <= exchangeTime) continue;
      if (next === undefined || listed.deliveryDate < next) next = listed.deliveryDate;
    }
    return next;
  }

  /** A run begins, knowing only this list. */
  begin(listed: readonly ListedSymbol[], exchangeTime: number): RosterChange {
    this.#entries = new Map();
    this.#rumours = new Map();
    this.#shortAnswers = 0;
    return this.#judge(listed, exchangeTime);
  }

  /** Whether a list may be true: one that has lost half of its symbols is asked for again first. */
  believes(listed: readonly ListedSymbol[]): boolean {
    if (listed.length >= this.#listedCount * SUSPICIOUS_SHARE) {
      this.#shortAnswers = 0;
      return true;
    }
    this.#shortAnswers += 1;
    return this.#shortAnswers >= HEARINGS;
  }

  /** A list that came while the collector runs. */
  update(listed: readonly ListedSymbol[], exchangeTime: number): RosterChange {
    this.#forgetRumours(({ since }) => this.#now() - since >= RUMOUR_MS);
    const change = this.#judge(listed, exchangeTime);
    const bySymbol = new Map(listed.map((entry) => [entry.symbol, entry]));
    this.#forgetRumours(
      (rumour) =>
        phaseOf(rumour.listed, exchangeTime) === said(bySymbol.get(rumour.listed.symbol), exchangeTime),
    );
    return change;
  }

  /** An event; undefined when it says nothing new of what is collected. */
  hear(listed: ListedSymbol, exchangeTime: number): RosterChange | undefined {
    const entry = this.#entries.get(listed.symbol);
    if (entry === undefined && !this.#joins(listed)) return undefined;
    const phase = phaseOf(listed, exchangeTime);
    if (entry === undefined ? phase !== 'trading' : phase === phaseOf(entry.listed, exchangeTime))
      return undefined;
    if (this.#rumours.get(listed.symbol)?.listed.status === listed.status) return undefined;
    if (this.#rumours.size < RUMOURS_MAX) this.#rumours.set(listed.symbol, { listed, since: this.#now() });
    const hadAny = this.#isAnyLeft();
    const change = new Change();
    this.#move(change, listed.symbol, listed, exchangeTime);
    if (hadAny && !this.#isAnyLeft()) change.gone([...this.#entries.keys()]);
    return change;
  }

  #judge(listed: readonly ListedSymbol[], exchangeTime: number): RosterChange {
    this.#listedCount = listed.length;
    const bySymbol = new Map(listed.map((entry) => [entry.symbol, entry]));
    const hadAny = this.#isAnyLeft();
    const isFirst = this.#entries.size === 0;
    const change = new Change();
    const candidates =
      this.#wanted === 'all'
        ? [...this.#entries.keys(), ...listed.filter((one) => this.#joins(one)).map(({ symbol }) => symbol)]
        : this.#wanted;
    for (const symbol of new Set(candidates)) {
      const entry = bySymbol.get(symbol);
      if (!this.#isBehind(symbol, entry, exchangeTime)) this.#move(change, symbol, entry, exchangeTime);
    }
    if ((hadAny || isFirst) && !this.#isAnyLeft()) change.gone([...this.#entries.keys()]);
    return change;
  }

  /** Moves one symbol to where it stands by what the exchange says of it. */
  #move(change: Change, symbol: string, listed: ListedSymbol | undefined, exchangeTime: number): void {
    const entry = this.#entries.get(symbol);
    // Of what is listed no more, an event may have said when it ended.
    const known = listed ?? this.#rumours.get(symbol)?.listed ?? entry?.listed;
    if (known === undefined) return;
    const phase = said(listed, exchangeTime);
    if (entry === undefined && this.#wanted === 'all' && phase !== 'trading') return;
    const standing = next(entry?.standing, phase);
    this.#entries.set(symbol, { listed: known, standing });
    change.note(entry?.standing, standing, known);
    if (standing === 'retired' && entry?.standing !== 'retired' && entry?.standing !== 'waiting')
      change.end(symbol, isDelivered(known, exchangeTime) ? known.deliveryDate : exchangeTime);
  }

  /** Whether a symbol may join that nobody asked for by name. */
  #joins(listed: ListedSymbol): boolean {
    return this.#wanted === 'all' && isPerpetual(listed);
  }

  /** Whether the list seems not to have heard yet of what an event said; that something listed has ended is heard. */
  #isBehind(symbol: string, listed: ListedSymbol | undefined, exchangeTime: number): boolean {
    if (!this.#rumours.has(symbol)) return false;
    return listed === undefined || phaseOf(listed, exchangeTime) !== 'ended';
  }

  #isAnyLeft(): boolean {
    return [...this.#entries.values()].some(({ standing }) => standing !== 'retired');
  }

  #forgetRumours(isOver: (rumour: Rumour) => boolean): void {
    for (const [symbol, rumour] of this.#rumours) if (isOver(rumour)) this.#rumours.delete(symbol);
  }
}

/** What the list says of a symbol: what is listed no more has ended, whatever was said of it last. */
const said = (listed: ListedSymbol | undefined, exchangeTime: number): Phase =>
  listed === undefined ? 'ended' : phaseOf(listed, exchangeTime);

/** Where a symbol goes from where it stands. One that was never there starts even when it has ended: bars may be owed. */
function next(from: Standing | undefined, phase: Phase): Standing {
  if (phase === 'ended') return 'retired';
  if (phase === 'trading') return 'trading';
  if (from === 'retired' || from === 'waiting') return from;
  if (phase === 'pending') return from === undefined ? 'waiting' : 'halted';
  return 'halted';
}

/** A change while it is being put together. */
class Change implements RosterChange {
  readonly start: ListedSymbol[] = [];
  readonly retire: { symbol: string; at: number }[] = [];
  readonly #news = new Map<SymbolNews['code'], string[]>();

  get news(): SymbolNews[] {
    return [...this.#news].map(([code, symbols]) => ({ code, symbols }));
  }

  end(symbol: string, at: number): void {
    this.retire.push({ symbol, at });
  }

  gone(symbols: readonly string[]): void {
    if (symbols.length > 0) this.#news.set('SYMBOLS_GONE', [...symbols]);
  }

  note(from: Standing | undefined, to: Standing, listed: ListedSymbol): void {
    const isOff = from === undefined || from === 'waiting' || from === 'retired';
    const isFirstEnd = from === undefined && to === 'retired';
    if (isOff && (to === 'trading' || to === 'halted' || isFirstEnd)) this.start.push(listed);
    if (from === to) return;
    const code = newsOf(from, to);
    if (code === undefined) return;
    const told = this.#news.get(code);
    if (told === undefined) this.#news.set(code, [listed.symbol]);
    else told.push(listed.symbol);
  }
}

function newsOf(from: Standing | undefined, to: Standing): SymbolNews['code'] | undefined {
  if (to === 'retired') return 'SYMBOL_RETIRED';
  if (to === 'halted') return 'SYMBOL_HALTED';
  if (to === 'trading') return from === 'halted' ? 'SYMBOL_RESUMED' : 'SYMBOL_LISTED';
  return undefined;
}

/** When the streams of symbols end, by interval: no bar that opens at or after `endTime` is theirs. */
export function retirements(ended: RosterChange['retire'], intervals: readonly Interval[]): RetiredStreams[] {
  const ids = new Map<number, string[]>();
  for (const { symbol, at } of ended)
    for (const interval of intervals) {
      const endTime = firstOpenFrom(interval, at);
      ids.set(endTime, [...(ids.get(endTime) ?? []), streamId({ symbol, interval })]);
    }
  return [...ids].map(([endTime, streams]) => ({ ids: streams, endTime }));
}
