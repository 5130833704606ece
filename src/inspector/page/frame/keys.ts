/** Keys that work wherever the focus is, except where somebody types. */
import { fitRequests } from '../model.ts';
import { isPaused, pause } from '../steps/view.ts';
import { SEARCH_ID } from '../tree/search.tsx';
import { isHelpOpen } from './help.tsx';
import { leaveCharts, place, showCharts } from './place.ts';
import { toggleTheme } from './theme.ts';

const KEYS: Readonly<Record<string, () => void>> = {
  '/': () => document.getElementById(SEARCH_ID)?.focus(),
  t: toggleTheme,
  f: () => {
    fitRequests.value++;
  },
  p: () => pause(!isPaused.value),
  c: () => (place.value.view === 'charts' ? leaveCharts() : showCharts()),
  '?': () => {
    isHelpOpen.value = !isHelpOpen.value;
  },
};

export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target instanceof HTMLElement && event.target.matches('input, textarea, select')) return;
    const does = KEYS[event.key];
    if (does === undefined || (isHelpOpen.value && event.key !== '?')) return;
    event.preventDefault();
    does();
  });
}
