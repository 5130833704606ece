/** A long list of which only what is in view is in the document. The height of a line is known beforehand. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { ComponentChildren, CSSProperties, HTMLAttributes } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';

export type Scroller = Virtualizer<HTMLDivElement, HTMLElement>;

interface Props extends Omit<HTMLAttributes<HTMLDivElement>, 'children' | 'ref'> {
  readonly count: number;
  readonly heightOf: (index: number) => number;
  /** Another function: other heights. */
  readonly keyOf?: (index: number) => string | number;
  /** It is placed by the style that it is given. */
  readonly line: (index: number, style: CSSProperties) => ComponentChildren;
  readonly scroller?: (scroller: Scroller) => void;
}

const asCounted = (index: number): number => index;

export function VirtualList({ count, heightOf, keyOf = asCounted, line, scroller, ...rest }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((n: number, _: undefined) => n + 1, 0);
  const options = {
    count,
    getScrollElement: () => frame.current,
    estimateSize: heightOf,
    getItemKey: keyOf,
    overscan: 10,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(undefined),
  };
  const kept = useRef<Scroller | undefined>(undefined);
  kept.current ??= new Virtualizer<HTMLDivElement, HTMLElement>(options);
  const virtual = kept.current;
  virtual.setOptions(options);
  useEffect(() => virtual._didMount(), [virtual]);
  useLayoutEffect(() => virtual._willUpdate());
  useEffect(() => scroller?.(virtual), [scroller, virtual]);
  return (
    <div ref={frame} {...rest}>
      <div class="whole" role="presentation" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual
          .getVirtualItems()
          .map(({ index, start, size }) =>
            line(index, { transform: `translateY(${start}px)`, height: `${size}px` }),
          )}
      </div>
    </div>
  );
}
