/** The page: the strip above, the actors on the left, the one in view in the middle, what happened on the right. */
import { useRef } from 'preact/hooks';
import type { ActorRow } from '../protocol.ts';
import { ActorPanel } from './actor/actor-panel.tsx';
import { ChartsView } from './actor/charts-view.tsx';
import { ContextPanel } from './context/context-panel.tsx';
import { Help } from './frame/help.tsx';
import { LinkNotice } from './frame/link-notice.tsx';
import { place } from './frame/place.ts';
import { standing } from './frame/standing.ts';
import { selected } from './model.ts';
import { RecentList } from './steps/recent-list.tsx';
import { Strip } from './strip/strip.tsx';
import { ActorTree } from './tree/actor-tree.tsx';
import { Search } from './tree/search.tsx';
import { StateFilter } from './tree/state-filter.tsx';

export function Page() {
  const at = place.value;
  const row = useLast(selected.value);
  return (
    <div class={`page ${standing.value}`}>
      <Strip />
      <LinkNotice />
      <main>
        <aside class="left" aria-label="Actors">
          <Search />
          <StateFilter />
          <ActorTree />
        </aside>
        <div class="middle">
          {at.view === 'charts' ? <ChartsView machine={at.machine} /> : <ActorPanel row={row} />}
        </div>
        <aside class="right" aria-label="What happened">
          <RecentList />
          <ContextPanel row={selected.value} />
        </aside>
      </main>
      <Help />
    </div>
  );
}

/** An actor that has ended and is forgotten stays in view as it last was. */
function useLast(row: ActorRow | undefined): ActorRow | undefined {
  const last = useRef(row);
  if (row !== undefined) last.current = row;
  return row ?? (last.current && { ...last.current, status: 'stopped' });
}
