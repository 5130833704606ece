import { closeTimeOf, type Interval } from '../../machines/model/interval.ts';

/**
 * A bar in exact integers: prices in ticks, volumes in lots, quote volumes in ticks × lots. A month of the
 * busiest symbol stays below 2^53, so sums are exact and a large bar is the exact sum of its minutes.
 */
export interface Units {
  /** How many base bars were merged; 0 means that there is no bar. */
  bars: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  quote: number;
  takerVolume: number;
  takerQuote: number;
  count: number;
  firstId: number;
  lastId: number;
}

/** How the integers of {@link Units} are written as decimal text. */
export interface Scale {
  readonly priceDecimals: number;
  /** Zeros behind the tick's own decimals, as in `83084.90` with a tick of 0.1. */
  readonly pricePad: string;
  readonly volumeDecimals: number;
  readonly quoteDecimals: number;
  readonly quotePad: string;
}

/** A bar as the exchange sends it: times in ms, amounts as decimal text. */
export interface WireBar {
  readonly openTime: number;
  readonly closeTime: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quoteVolume: string;
  readonly takerBuyVolume: string;
  readonly takerBuyQuoteVolume: string;
  readonly count: number;
  /** -1 when the bar has no trades. */
  readonly firstTradeId: number;
  readonly lastTradeId: number;
}

export const emptyUnits = (): Units => ({
  bars: 0,
  open: 0,
  high: 0,
  low: 0,
  close: 0,
  volume: 0,
  quote: 0,
  takerVolume: 0,
  takerQuote: 0,
  count: 0,
  firstId: -1,
  lastId: -1,
});

/** Makes `into` the flat bar without trades at `price`. */
export function setFlat(into: Units, price: number): void {
  into.bars = 1;
  into.open = into.high = into.low = into.close = price;
  into.volume = into.quote = into.takerVolume = into.takerQuote = into.count = 0;
  into.firstId = into.lastId = -1;
}

/** Makes `into` nothing again. */
export function reset(into: Units): void {
  setFlat(into, 0);
  into.bars = 0;
}

/** Appends the later bar `add` to `into`. A bar without trades has no say about prices once there were any. */
export function append(into: Units, add: Units): void {
  if (add.bars === 0) return;
  if (into.bars === 0) {
    Object.assign(into, add);
    return;
  }
  into.bars += add.bars;
  if (add.count === 0) {
    if (into.count === 0) into.open = into.high = into.low = into.close = add.close;
    return;
  }
  if (into.count === 0) {
    into.open = add.open;
    into.high = add.high;
    into.low = add.low;
    into.firstId = add.firstId;
  } else {
    if (add.high > into.high) into.high = add.high;
    if (add.low < into.low) into.low = add.low;
  }
  into.close = add.close;
  into.volume += add.volume;
  into.quote += add.quote;
  into.takerVolume += add.takerVolume;
  into.takerQuote += add.takerQuote;
  into.count += add.count;
  into.lastId = add.lastId;
}

/** `units` × 10^-decimals as text of fixed scale. */
export function decimalText(units: number, decimals: number, pad = ''): string {
  if (decimals === 0) return pad === '' ? String(units) : `${units}.${pad}`;
  const digits = String(units).padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  return `${digits.slice(0, cut)}.${digits.slice(cut)}${pad}`;
}

/** The bar as the exchange writes it. A volume of nothing is `0`, as in the archive's rows without trades. */
export function toWire(units: Units, scale: Scale, interval: Interval, openTime: number): WireBar {
  const price = (value: number): string => decimalText(value, scale.priceDecimals, scale.pricePad);
  const volume = (value: number): string =>
    value === 0 && units.count === 0 ? '0' : decimalText(value, scale.volumeDecimals);
  const quote = (value: number): string =>
    value === 0 && units.count === 0 ? '0' : decimalText(value, scale.quoteDecimals, scale.quotePad);
  return {
    openTime,
    closeTime: closeTimeOf(interval, openTime),
    open: price(units.open),
    high: price(units.high),
    low: price(units.low),
    close: price(units.close),
    volume: volume(units.volume),
    quoteVolume: quote(units.quote),
    takerBuyVolume: volume(units.takerVolume),
    takerBuyQuoteVolume: quote(units.takerQuote),
    count: units.count,
    firstTradeId: units.firstId,
    lastTradeId: units.lastId,
  };
}
