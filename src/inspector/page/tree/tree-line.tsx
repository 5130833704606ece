/** One actor in the tree: its name, what is below it when that is folded away, and its state. */
import type { CSSProperties } from 'preact';
import { count } from '../format.ts';
import { StateLabel } from '../state/state-label.tsx';
import type { Entry } from './entry.ts';
import type { Line } from './flatten.ts';
import { isFresh } from './view.ts';

const INDENT_PX = 13;

export const lineId = (id: string): string => `actor-${id}`;

interface Props {
  readonly line: Line;
  readonly isDimmed: boolean;
  readonly isSelected: boolean;
  readonly isCursor: boolean;
  readonly style: CSSProperties;
}

export function TreeLine({
  line: { entry, level, open: isOpen },
  isDimmed,
  isSelected,
  isCursor,
  style,
}: Props) {
  const { id, name, machine, status } = entry.row;
  const title = [name, machine, entry.text].filter(Boolean).join('\n');
  return (
    <div
      id={lineId(id)}
      data-id={id}
      class={[
        'line',
        isFresh(entry) && 'flash',
        isSelected && 'selected',
        isCursor && 'cursor',
        isDimmed && 'dimmed',
        status,
      ]
        .filter(Boolean)
        .join(' ')}
      role="treeitem"
      tabIndex={-1}
      aria-level={level}
      aria-selected={isSelected}
      {...(isOpen === undefined ? {} : { 'aria-expanded': isOpen })}
      style={{ ...style, paddingLeft: `${4 + (level - 1) * INDENT_PX}px` }}
    >
      <span class={isOpen === true ? 'twist open' : 'twist'} aria-hidden="true">
        {isOpen === undefined ? '' : '▸'}
      </span>
      <span class={`dot ${entry.meaning}`} aria-hidden="true" />
      <span class="name" title={title}>
        {name}
      </span>
      {isOpen === false && entry.row.series === undefined && <Below entry={entry} />}
      <StateLabel text={entry.text} brief={entry.brief} meaning={entry.meaning} />
    </div>
  );
}

function Below({ entry: { below, warnings, troubles } }: { entry: Entry }) {
  return (
    <span class="below" title={`${below} below it, ${warnings} being mended, ${troubles} in trouble`}>
      {count(below)}
      {warnings > 0 && <b class="warn">{count(warnings)}</b>}
      {troubles > 0 && <b class="bad">{count(troubles)}</b>}
    </span>
  );
}
