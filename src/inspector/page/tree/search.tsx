/** Finds actors by name, machine, series or state, and by the states that are chosen. */
import type { TargetedKeyboardEvent } from 'preact';
import { count } from '../format.ts';
import { actors } from '../model.ts';
import { clearFilter, cursorId, hits, isFiltered, lines, query } from './view.ts';

export const SEARCH_ID = 'search';

export function Search() {
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Escape') {
      clearFilter();
      event.currentTarget.blur();
    } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      cursorId.value = lines.value.find(({ onTheWay }) => !onTheWay)?.entry.row.id;
      document.getElementById('tree')?.focus();
    }
  };
  return (
    <div class="search">
      <div class="field">
        <input
          id={SEARCH_ID}
          type="search"
          placeholder="Name, machine, series, state"
          aria-label="Search actors"
          aria-controls="tree"
          autocomplete="off"
          spellcheck={false}
          value={query.value}
          onInput={(event) => {
            query.value = event.currentTarget.value;
          }}
          onKeyDown={onKeyDown}
        />
        {query.value === '' && <kbd>/</kbd>}
      </div>
      <span class="hits" title="Actors found, of all">
        {isFiltered.value ? `${count(hits.value)} / ${count(actors.value.size)}` : count(actors.value.size)}
      </span>
    </div>
  );
}
