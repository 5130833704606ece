/** The candles of one series, as they come. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { link, seriesNews, watchSeries } from '../model.ts';
import { type Axis, axisOf, type Place } from './axis.ts';
import { followSeries } from './feed.ts';
import type { Held } from './held.ts';
import { Legend, Values } from './legend.tsx';
import type { CandleView, Pointed } from './view.ts';
import { bandWords } from './words.ts';
import './candles.css';

interface Shown {
  readonly held: Held;
  readonly axis: Axis;
}

/** `series`: `BTCUSDT@1m`. Keys: arrows move (Shift: by twenty), + and - zoom, Home and End go to the ends. */
export function CandleChart({ series }: { readonly series: string }) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<CandleView | undefined>(undefined);
  const [shown, setShown] = useState<Shown>();
  const [trouble, setTrouble] = useState<string>();
  const [pointed, setPointed] = useState<Pointed>();
  const [isFollowing, setFollowing] = useState(true);

  useEffect(() => {
    let isOver = false;
    let latest: Axis | undefined;
    const ports = {
      seriesNews,
      link,
      watchSeries,
      fetch: (path: string, signal: AbortSignal) => fetch(path, { signal }),
    };
    const interval = series.slice(series.lastIndexOf('@') + 1);
    const end = followSeries(series, ports, {
      onTrouble: setTrouble,
      onChange: (held) => {
        latest = axisOf(held);
        view.current?.show(latest);
        setShown({ held, axis: latest });
      },
    });
    // The library comes when a chart is wanted, and no page that shows none has to wait for it.
    void import('./view.ts').then(
      ({ CandleView }) => {
        if (isOver || place.current === null) return;
        view.current = new CandleView(place.current, interval, {
          onPoint: setPointed,
          onFollow: setFollowing,
        });
        if (latest !== undefined) view.current.show(latest);
      },
      () => setTrouble('the chart could not be loaded'),
    );
    return () => {
      isOver = true;
      end();
      view.current?.close();
      view.current = undefined;
      setShown(undefined);
      setTrouble(undefined);
      setPointed(undefined);
      setFollowing(true);
    };
  }, [series]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 20 : 1;
    const keys: Record<string, (() => void) | undefined> = {
      ArrowLeft: () => view.current?.scroll(-step),
      ArrowRight: () => view.current?.scroll(step),
      Home: () => view.current?.toOldest(),
      End: () => view.current?.toNewest(),
      '+': () => view.current?.zoom(1.25),
      '=': () => view.current?.zoom(1.25),
      '-': () => view.current?.zoom(0.8),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  const held = shown?.held;
  const bars = held?.bars ?? [];
  return (
    <div
      class="candle-panel"
      data-series={series}
      data-bars={bars.length}
      data-last-open={bars.at(-1)?.openTime ?? ''}
      data-gaps={held?.gaps.filter(({ status }) => status === 'open').length ?? 0}
      data-filled={held?.gaps.filter(({ status }) => status === 'filled').length ?? 0}
      data-forming={held?.forming?.openTime ?? ''}
      data-following={isFollowing}
    >
      <Values place={pointed?.place ?? newestPlace(shown?.axis)} isPointed={pointed !== undefined} />
      <div
        class="candle-frame"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved and zoomed by keys
        tabIndex={0}
        onKeyDown={onKeyDown}
        aria-label={`Chart of ${series}: arrows move, plus and minus zoom, Home and End go to the ends`}
      >
        <div class="candle-canvas" ref={place} />
        {trouble !== undefined && <p class="candle-trouble">{trouble}</p>}
        {trouble === undefined && held !== undefined && bars.length === 0 && (
          <p class="candle-trouble">no bar has closed yet</p>
        )}
        {pointed?.band !== undefined && (
          <p class="candle-tip" style={tipPlace(pointed, place.current?.clientWidth ?? 0)}>
            {bandWords(pointed.band)}
          </p>
        )}
        {!isFollowing && (
          <button type="button" class="candle-newest" onClick={() => view.current?.toNewest()}>
            newest →
          </button>
        )}
      </div>
      <Legend bars={bars} gaps={held?.gaps ?? []} />
    </div>
  );
}

const newestPlace = (axis: Axis | undefined): Place | undefined =>
  axis?.places.findLast(({ bar, forming }) => bar !== undefined || forming !== undefined);

/** Beside the pointer, on the side with room. */
const tipPlace = ({ x, y }: Pointed, width: number): Record<string, string> =>
  x > width / 2
    ? { right: `${width - x + 12}px`, top: `${y + 12}px` }
    : { left: `${x + 12}px`, top: `${y + 12}px` };
