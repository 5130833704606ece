/** Between the candles and the statechart: dragged, or moved by arrows; what was chosen is remembered. */
import { signal } from '@preact/signals';
import type { TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { recall, remember } from '../frame/memory.ts';

/** Per cent of the height that the candles may have. */
const LEAST = 30;
const MOST = 80;
const HALF = 50;
const STEP = 5;

const within = (percent: number): number => Math.min(MOST, Math.max(LEAST, Math.round(percent)));

/** What the candles have of the height, per cent. */
export const candleShare = signal(within(Number(recall('candles') ?? HALF) || HALF));

function put(percent: number): void {
  candleShare.value = within(percent);
  remember('candles', String(candleShare.value));
}

export function Split() {
  const onPointerMove = (event: TargetedPointerEvent<HTMLElement>): void => {
    const { currentTarget: line } = event;
    if (!line.hasPointerCapture(event.pointerId)) return;
    const top = line.previousElementSibling?.getBoundingClientRect().top ?? 0;
    const bottom = line.nextElementSibling?.getBoundingClientRect().bottom ?? 0;
    if (bottom > top) put(((event.clientY - top) / (bottom - top)) * 100);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to: Readonly<Record<string, number>> = {
      ArrowUp: candleShare.value - STEP,
      ArrowDown: candleShare.value + STEP,
      Home: LEAST,
      End: MOST,
    };
    const percent = to[event.key];
    if (percent === undefined) return;
    event.preventDefault();
    put(percent);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a line between two panels that can be moved is no hr
    <div
      class="split"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the candles"
      aria-valuenow={candleShare.value}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      title="Drag, or arrows; double click: half and half"
      tabIndex={0}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.focus();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onPointerMove}
      onDblClick={() => put(HALF)}
      onKeyDown={onKeyDown}
    />
  );
}
