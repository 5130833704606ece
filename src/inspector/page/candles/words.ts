/** Bars in words and figures. */
import type { CandleSource } from '../../../../machines/model/kline.ts';
import type { Bar } from '../../protocol.ts';
import type { Band } from './axis.ts';

const DECIMALS_MAX = 8;
/** Prices are of one tick: so many, the newest, show it. */
const SAMPLE = 100;

/** Decimals that the prices have: of the newest bars, so that the last digit of the axis is one that moves. */
export function decimalsOf(bars: readonly Pick<Bar, 'open' | 'high' | 'low' | 'close'>[]): number {
  let most = 0;
  for (const { open, high, low, close } of bars.slice(-SAMPLE))
    for (const price of [open, high, low, close]) most = Math.max(most, decimals(price));
  return Math.min(most, DECIMALS_MAX);
}

/** Digits behind the point of the shortest text that means this number. */
function decimals(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const [, fraction = ''] = mantissa.split('.');
  return Math.max(0, fraction.length - Number(exponent));
}

/** `2026-02-03 04:05`, UTC; seconds are always 0. */
export const timeWords = (openTime: number): string =>
  new Date(openTime).toISOString().slice(0, 16).replace('T', ' ');

/** `1.234 M`: four digits at least, as long as there are four. */
export function amountWords(amount: number): string {
  const steps = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e4, ' k'],
  ] as const;
  for (const [unit, letter] of steps)
    if (amount >= unit) return `${Number((amount / (unit === 1e4 ? 1e3 : unit)).toPrecision(4))}${letter}`;
  return String(Number(amount.toPrecision(4)));
}

export const SOURCE_WORDS: Readonly<Record<CandleSource, string>> = {
  stream: 'stream',
  rest: 'REST',
  vision: 'archive',
};

export function countSources(bars: readonly Bar[]): Record<CandleSource, number> {
  const counts = { stream: 0, rest: 0, vision: 0 };
  for (const { source } of bars) counts[source] += 1;
  return counts;
}

const BAND_WORDS: Readonly<Record<Band['kind'], string>> = {
  open: 'gap, open',
  filled: 'gap, filled',
  awaited: 'awaited',
  unknown: 'no bars',
};

/** `gap, open · 3 bars · the exchange has no such bar` */
export const bandWords = ({ kind, bars, reason }: Band): string =>
  `${BAND_WORDS[kind]} · ${bars} ${bars === 1 ? 'bar' : 'bars'} · ${reason}`;
