/** The statechart of a machine, with what is active in it and what was taken last. */
import { effect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { StateValue } from '../../protocol.ts';
import { fitRequests, heardAt } from '../model.ts';
import { activeStates } from './active.ts';
import { drawingOf } from './drawings.ts';
import { Kinds } from './kinds.tsx';
import type { ChartView, Marks } from './view.ts';
import './statechart.css';

interface Props {
  readonly machine: string;
  /** Undefined: nobody is in it. */
  readonly value: StateValue | undefined;
  /** Keys of the edges taken last. */
  readonly edges: readonly string[];
  /** When, wall ms of the collector's machine. */
  readonly at: number | undefined;
}

/** px of the frame. */
const STEP = 60;

/** Keys: arrows move, + and - zoom, f fits. Drag, wheel and double click do the same. */
export function Statechart({ machine, value, edges, at }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<ChartView | undefined>(undefined);
  const marks = useRef<Marks | undefined>(undefined);
  const [trouble, setTrouble] = useState<string>();
  const [isFollowing, setFollowing] = useState(false);

  useEffect(() => {
    let isOver = false;
    const drawing = drawingOf(machine);
    if (drawing === undefined) {
      setTrouble(`There is no drawing of the machine “${machine}”: it is none of those in docs/charts.`);
      return;
    }
    void Promise.all([drawing, import('./view.ts')]).then(
      ([text, { ChartView }]) => {
        if (isOver || place.current === null) return;
        const made = new ChartView(place.current, text, () => {
          made.follow(false);
          setFollowing(false);
        });
        view.current = made;
        if (marks.current !== undefined) made.mark(marks.current);
        made.fit(false);
        const isLive = (marks.current?.active.size ?? 0) > 0;
        if (made.isLegible()) return;
        // All of it would be too small to be read: then what is going on is more than everything.
        if (isLive) made.follow(true, false);
        else made.top();
        setFollowing(isLive);
      },
      () => setTrouble('The drawing could not be loaded.'),
    );
    let requests = fitRequests.peek();
    const stop = effect(() => {
      if (fitRequests.value === requests) return;
      requests = fitRequests.value;
      fitAll();
    });
    return () => {
      isOver = true;
      stop();
      view.current?.close();
      view.current = undefined;
      setTrouble(undefined);
    };
  }, [machine]);

  useEffect(() => {
    const agoMs = at === undefined ? Number.POSITIVE_INFINITY : (heardAt.peek() ?? at) - at;
    marks.current = { active: activeStates(machine, value), edges, agoMs };
    view.current?.mark(marks.current);
  }, [machine, value, edges, at]);

  function follow(wanted: boolean): void {
    view.current?.follow(wanted);
    setFollowing(wanted);
  }

  function fitAll(): void {
    follow(false);
    view.current?.fit();
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys: Record<string, (() => void) | undefined> = {
      ArrowLeft: () => pan(-STEP, 0),
      ArrowRight: () => pan(STEP, 0),
      ArrowUp: () => pan(0, -STEP),
      ArrowDown: () => pan(0, STEP),
      '+': () => view.current?.zoomBy(1.25),
      '=': () => view.current?.zoomBy(1.25),
      '-': () => view.current?.zoomBy(0.8),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const pan = (x: number, y: number): void => {
    follow(false);
    view.current?.panBy(x, y);
  };

  return (
    <div class="chart-panel" data-machine={machine} data-following={isFollowing}>
      <div
        class="chart-frame"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved and zoomed by keys
        tabIndex={0}
        onKeyDown={onKeyDown}
        aria-label={`Statechart ${machine}: arrows move, plus and minus zoom, f fits`}
      >
        <div class="chart-place" ref={place} />
        {trouble !== undefined && <p class="chart-trouble">{trouble}</p>}
      </div>
      {trouble === undefined && (
        <footer class="chart-foot">
          <Kinds isLive={value !== undefined} />
          <span class="chart-tools">
            {value !== undefined && (
              <button type="button" aria-pressed={isFollowing} onClick={() => follow(!isFollowing)}>
                follow
              </button>
            )}
            <button type="button" title="Fit (f)" onClick={fitAll}>
              fit
            </button>
            <button
              type="button"
              title="Smaller (-)"
              aria-label="Smaller"
              onClick={() => view.current?.zoomBy(0.8)}
            >
              −
            </button>
            <button
              type="button"
              title="Larger (+)"
              aria-label="Larger"
              onClick={() => view.current?.zoomBy(1.25)}
            >
              +
            </button>
          </span>
        </footer>
      )}
    </div>
  );
}
