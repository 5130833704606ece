/** Which of the states of the series there is room for: none is ever cut in the middle. */
import { count } from '../format.ts';
import { MEANINGS, meaningOfSeries } from '../state/meaning.ts';

export interface Counted {
  readonly state: string;
  readonly count: number;
}

/** Of one letter at the size of the strip, px; somewhat more than it takes on average. */
const LETTER_PX = 6.2;
const BETWEEN_PX = 10;

/** `live` first, then the worst: what is left out for want of room matters least. */
export function ordered(streams: Readonly<Record<string, number>>): Counted[] {
  return Object.entries(streams)
    .filter(([, n]) => n > 0)
    .map(([state, n]) => ({ state, count: n }))
    .sort((a, b) => rank(a.state) - rank(b.state));
}

/** As many as fit into so many px beside the sum of the others; the first one always. */
export function fitting(
  all: readonly Counted[],
  roomPx: number,
): { readonly shown: readonly Counted[]; readonly left: number } {
  for (let shown = all.length; shown > 1; shown--) {
    const left = sum(all.slice(shown));
    const texts = all.slice(0, shown).map((one) => `${count(one.count)} ${one.state}`);
    if (left > 0) texts.push(`+${count(left)}`);
    const needed = texts.reduce((px, text) => px + text.length * LETTER_PX + BETWEEN_PX, -BETWEEN_PX);
    if (needed <= roomPx) return { shown: all.slice(0, shown), left };
  }
  return { shown: all.slice(0, 1), left: sum(all.slice(1)) };
}

const sum = (counted: readonly Counted[]): number => counted.reduce((n, one) => n + one.count, 0);
const rank = (state: string): number => (state === 'live' ? -1 : MEANINGS.indexOf(meaningOfSeries(state)));
