/** What stands at each place of the time axis: a bar, the forming bar, or nothing, and then why. */
import { countBars, nextOpenTime } from '../../../../machines/model/interval.ts';
import type { Bar, GapMark } from '../../protocol.ts';
import type { Forming, Held } from './held.ts';

/** Places that one hole takes at most: a longer one is drawn as long as this, and says how long it is. */
export const HOLE_PLACES_MAX = 90;

/** One open time. Neither bar nor forming: there is none. */
export interface Place {
  readonly openTime: number;
  readonly bar?: Bar;
  readonly forming?: Forming;
}

/**
 * `open`: the exchange lacks these bars, and may bring them yet; `filled`: it lacked them, and they turned up; `awaited`:
 * they have ended and are being fetched; `unknown`: nobody collected them.
 */
export type BandKind = 'open' | 'filled' | 'awaited' | 'unknown';

/** A stretch of the axis that is marked, by places, both inclusive. */
export interface Band {
  readonly kind: BandKind;
  readonly fromOpenTime: number;
  readonly toOpenTime: number;
  /** Bars that it is about. */
  readonly bars: number;
  readonly reason: string;
}

export interface Axis {
  readonly places: readonly Place[];
  readonly bands: readonly Band[];
}

export function axisOf(held: Held): Axis {
  const { interval, bars, forming, gaps } = held;
  const places: Place[] = [];
  const bands: Band[] = [];
  const sorted = [...gaps].sort((one, other) => one.fromOpenTime - other.fromOpenTime);
  let due: number | undefined;
  const put = (openTime: number, rest: Omit<Place, 'openTime'>): void => {
    if (due !== undefined && due < openTime) {
      const [from, to] = [due, openTime];
      const runs = holesOf(interval, from, to, sorted, rest.forming === undefined ? 'unknown' : 'awaited');
      for (const run of runs) {
        const shown = emptyPlaces(interval, run);
        places.push(...shown);
        bands.push({ ...run, toOpenTime: shown.at(-1)?.openTime ?? run.fromOpenTime });
      }
    }
    places.push({ openTime, ...rest });
    due = nextOpenTime(interval, openTime);
  };
  for (const bar of bars) put(bar.openTime, { bar });
  if (forming !== undefined) put(forming.openTime, { forming });
  else if (due !== undefined) {
    // A gap at the very end is as much a hole as one between bars.
    const last = sorted.filter((gap) => gap.status === 'open' && gap.toOpenTime >= due!).at(-1);
    if (last !== undefined) {
      const end = nextOpenTime(interval, last.toOpenTime);
      for (const run of holesOf(interval, due, end, sorted, 'unknown')) {
        const shown = emptyPlaces(interval, run);
        places.push(...shown);
        bands.push({ ...run, toOpenTime: shown.at(-1)?.openTime ?? run.fromOpenTime });
      }
    }
  }
  return { places, bands: [...bands, ...filledBands(interval, places, sorted)].sort(byTime) };
}

/** The bars in [from, to), of which there is none, as runs with one reason each. */
function holesOf(
  interval: Held['interval'],
  from: number,
  to: number,
  gaps: readonly GapMark[],
  otherwise: 'awaited' | 'unknown',
): Band[] {
  const runs: Band[] = [];
  const add = (kind: BandKind, reason: string, begin: number, end: number): void => {
    if (begin >= end) return;
    const bars = countBars(interval, begin, end);
    // The last place of the run is found when its places are.
    runs.push({ kind, reason, fromOpenTime: begin, toOpenTime: end - 1, bars });
  };
  const other = otherwise === 'awaited' ? 'ended, and is being fetched' : 'not collected';
  let at = from;
  for (const gap of gaps) {
    const end = Math.min(nextOpenTime(interval, gap.toOpenTime), to);
    if (gap.status !== 'open' || end <= at || gap.fromOpenTime >= to) continue;
    add(otherwise, other, at, Math.min(gap.fromOpenTime, to));
    add('open', gap.reason, Math.max(at, gap.fromOpenTime), end);
    at = Math.max(at, end);
  }
  add(otherwise, other, at, to);
  return runs;
}

function emptyPlaces(interval: Held['interval'], { fromOpenTime, toOpenTime }: Band): Place[] {
  const places: Place[] = [];
  for (let at = fromOpenTime; at <= toOpenTime; at = nextOpenTime(interval, at)) {
    if (places.length === HOLE_PLACES_MAX) break;
    places.push({ openTime: at });
  }
  return places;
}

/** Gaps that turned up, where their bars are shown. */
function filledBands(interval: Held['interval'], places: readonly Place[], gaps: readonly GapMark[]): Band[] {
  const [first, last] = [places[0]?.openTime, places.at(-1)?.openTime];
  if (first === undefined || last === undefined) return [];
  return gaps.flatMap(({ status, fromOpenTime, toOpenTime, reason }) => {
    const [from, to] = [Math.max(fromOpenTime, first), Math.min(toOpenTime, last)];
    if (status !== 'filled' || from > to) return [];
    const bars = countBars(interval, from, nextOpenTime(interval, to));
    return [{ kind: 'filled' as const, fromOpenTime: from, toOpenTime: to, bars, reason }];
  });
}

const byTime = (one: Band, other: Band): number => one.fromOpenTime - other.fromOpenTime;

/** The first place that is not as it was; the length of both when all are. */
export function firstChange(before: readonly Place[], after: readonly Place[]): number {
  const length = Math.min(before.length, after.length);
  for (let index = 0; index < length; index++) {
    const [one, other] = [before[index]!, after[index]!];
    const isSame = one.openTime === other.openTime && one.bar === other.bar && one.forming === other.forming;
    if (!isSame) return index;
  }
  return length;
}

/** Whether all that is new stands at the newest place or behind it: only there can a drawing be gone on with. */
export function goesOn(before: readonly Place[], after: readonly Place[]): boolean {
  const last = before.at(-1)?.openTime;
  const from = firstChange(before, after);
  if (last === undefined || after.length < before.length || from < before.length - 1) return false;
  return (after[from]?.openTime ?? last) >= last;
}
