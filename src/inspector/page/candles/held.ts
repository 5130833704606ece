/** The bars of one series as the page holds them: a picture of the server, and the news since. No document in here. */
import { nextOpenTime } from '../../../../machines/model/interval.ts';
import { sameShape } from '../../../../machines/model/kline.ts';
import type { Bar, GapMark, SeriesNews, SeriesPicture } from '../../protocol.ts';

export type Forming = NonNullable<SeriesPicture['forming']>;
export type Held = SeriesPicture;

/** Bars that are kept; the oldest leave by the hundred, so that the chart is not built anew for each. */
const BARS_MAX = 3_000;
const BARS_SPARE = 300;

/** What a picture has, with the news that came while it was on its way: they may be older than it, or newer. */
export const taken = (picture: SeriesPicture, news: readonly SeriesNews[]): Held =>
  news.reduce(merged, tidy(picture));

/** A bar that came again takes the place of the one before; one that is older than all that is held stays out. */
export function merged(held: Held, news: SeriesNews): Held {
  const { forming } = held;
  return tidy({
    ...held,
    bars: withBars(held.bars, news.bars),
    ...(news.forming !== undefined && !isBehind(news.forming, forming) ? { forming: news.forming } : {}),
    gaps: news.gaps ?? held.gaps,
  });
}

function withBars(bars: readonly Bar[], more: readonly Bar[]): readonly Bar[] {
  const oldest = bars[0]?.openTime ?? Number.NEGATIVE_INFINITY;
  const newest = bars.at(-1)?.openTime ?? Number.NEGATIVE_INFINITY;
  const behind = more.filter(({ openTime }) => openTime > newest);
  const known = more.filter(({ openTime }) => openTime >= oldest && openTime <= newest);
  if (known.length === 0) return behind.length === 0 ? bars : [...bars, ...behind];
  const byTime = new Map(bars.map((bar) => [bar.openTime, bar]));
  let isChanged = behind.length > 0;
  for (const bar of known) {
    const before = byTime.get(bar.openTime);
    if (before !== undefined && (isSame(before, bar) || (before.revised && !bar.revised))) continue;
    byTime.set(bar.openTime, bar);
    isChanged = true;
  }
  if (!isChanged) return bars;
  return [...byTime.values(), ...behind].sort((one, other) => one.openTime - other.openTime);
}

/** Without a forming bar that has closed by now, and bounded. */
function tidy(held: Held): Held {
  const { forming, ...rest } = held;
  const { bars } = held;
  const newest = bars.at(-1)?.openTime ?? Number.NEGATIVE_INFINITY;
  return {
    ...rest,
    bars: bars.length > BARS_MAX + BARS_SPARE ? bars.slice(-BARS_MAX) : bars,
    ...(forming === undefined || forming.openTime <= newest ? {} : { forming }),
  };
}

/** The same bar with less traded, or an earlier one. */
const isBehind = (one: Forming, other: Forming | undefined): boolean =>
  other !== undefined &&
  (one.openTime < other.openTime || (one.openTime === other.openTime && one.volume < other.volume));

const isSame = (one: Bar, other: Bar): boolean =>
  sameShape(one, other) && one.source === other.source && one.revised === other.revised;

/**
 * Open time of the bar behind which the news leave a hole that no gap explains: then something was missed, and the
 * server is to be asked for all of it again. Undefined: they join on.
 */
export function missedBehind(held: Held, news: SeriesNews): number | undefined {
  const newest = held.bars.at(-1)?.openTime;
  const next = news.bars.find(({ openTime }) => newest !== undefined && openTime > newest);
  if (newest === undefined || next === undefined) return undefined;
  const due = nextOpenTime(held.interval, newest);
  if (next.openTime === due || covers(news.gaps ?? held.gaps, due)) return undefined;
  return newest;
}

const covers = (gaps: readonly GapMark[], openTime: number): boolean =>
  gaps.some(({ fromOpenTime, toOpenTime }) => openTime >= fromOpenTime && openTime <= toOpenTime);
