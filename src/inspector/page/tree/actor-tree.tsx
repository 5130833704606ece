/** The tree of actors. The keyboard's focus stays on the whole; what it is at is told by `aria-activedescendant`. */
import type { TargetedKeyboardEvent, TargetedMouseEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { showActor } from '../frame/place.ts';
import { type Scroller, VirtualList } from '../list/virtual-list.tsx';
import { selectedId } from '../model.ts';
import { act } from './tree-keys.ts';
import { lineId, TreeLine } from './tree-line.tsx';
import { changes, cursorId, faded, isFiltered, lines, open, revealed } from './view.ts';

const LINE_PX = 24;
const height = (): number => LINE_PX;

export function ActorTree() {
  const shown = lines.value;
  // What is in view is drawn anew with each message; it is some forty lines.
  changes.value;
  faded.value;
  const scroller = useRef<Scroller | undefined>(undefined);
  const at = cursorId.value;
  const selected = selectedId.value;
  const isThere = at !== undefined && shown.some(({ entry }) => entry.row.id === at);

  const asked = revealed.value;
  useEffect(() => {
    const index = asked === undefined ? -1 : lines.value.findIndex(({ entry }) => entry.row.id === asked.id);
    const range = scroller.current?.range;
    const isInView = range != null && index > range.startIndex && index < range.endIndex;
    if (index >= 0 && !isInView) scroller.current?.scrollToIndex(index, { align: 'center' });
  }, [asked]);

  const onClick = ({ target, currentTarget }: TargetedMouseEvent<HTMLDivElement>): void => {
    if (!(target instanceof Element)) return;
    const id = target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    const line = lines.value.find(({ entry }) => entry.row.id === id);
    if (id === undefined || line === undefined) return;
    // Lines come and go with what is in view: the focus belongs to the whole.
    currentTarget.focus({ preventScroll: true });
    cursorId.value = id;
    if (line.open !== undefined && target.matches('.twist')) open(id, !line.open);
    else showActor(id);
  };

  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = lines.value.findIndex(({ entry }) => entry.row.id === cursorId.value);
    const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / LINE_PX) - 1);
    const action = act(event.key, lines.value, from, page);
    if (action === undefined) return;
    event.preventDefault();
    if (action.do === 'open') open(action.id, action.isOpen);
    else if (action.do === 'select') showActor(action.id);
    else {
      cursorId.value = action.id;
      scroller.current?.scrollToIndex(action.index, { align: 'auto' });
    }
  };

  return (
    <VirtualList
      class="tree"
      id="tree"
      role="tree"
      aria-label="Actors"
      tabIndex={0}
      {...(isThere ? { 'aria-activedescendant': lineId(at) } : {})}
      onClick={onClick}
      onKeyDown={onKeyDown}
      count={shown.length}
      heightOf={height}
      scroller={(it) => {
        scroller.current = it;
      }}
      line={(index, style) => {
        const line = shown[index];
        if (line === undefined) return null;
        const { id } = line.entry.row;
        return (
          <TreeLine
            key={id}
            line={line}
            isDimmed={line.onTheWay && isFiltered.value}
            isSelected={id === selected}
            isCursor={id === at}
            style={style}
          />
        );
      }}
    />
  );
}
