/** How many series are in which state, `live` first, then the worst; the others as their sum. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { count } from '../format.ts';
import { meaningOfSeries } from '../state/meaning.ts';
import { fitting, ordered } from './fitting.ts';

/** Before it was measured, px: at 1280 px there is more. */
const ROOM_PX = 200;

export function Streams({ streams }: { streams: Readonly<Record<string, number>> }) {
  const place = useRef<HTMLDivElement>(null);
  const [roomPx, setRoom] = useState(ROOM_PX);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setRoom(entry.contentRect.width);
    });
    if (place.current !== null) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const all = ordered(streams);
  const { shown, left } = fitting(all, roomPx);
  const title = all.map((one) => `${count(one.count)} ${one.state}`).join('\n');
  return (
    <div ref={place} class="cell streams" title={title}>
      <span class="label">streams {count(all.reduce((n, one) => n + one.count, 0))}</span>
      <span class="value">
        {shown.map(({ state, count: n }) => (
          <span key={state} class={meaningOfSeries(state)}>
            <b>{count(n)}</b> {state}
          </span>
        ))}
        {left > 0 && <i>+{count(left)}</i>}
      </span>
    </div>
  );
}
