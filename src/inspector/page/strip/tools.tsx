/** Charts, theme, help. */

import { isHelpOpen } from '../frame/help.tsx';
import { leaveCharts, place, showCharts } from '../frame/place.ts';
import { toggleTheme } from '../frame/theme.ts';
import { theme } from '../model.ts';

export function Tools() {
  const isCharts = place.value.view === 'charts';
  return (
    <nav class="tools" aria-label="Page">
      <button
        type="button"
        aria-pressed={isCharts}
        title="All statecharts (c)"
        onClick={() => (isCharts ? leaveCharts() : showCharts())}
      >
        Charts
      </button>
      <button
        type="button"
        aria-label={`Theme: ${theme.value}`}
        title="Light or dark (t)"
        onClick={toggleTheme}
      >
        {theme.value === 'dark' ? '☾' : '☀'}
      </button>
      <button
        type="button"
        aria-label="Help"
        title="Keys and signs (?)"
        onClick={() => {
          isHelpOpen.value = true;
        }}
      >
        ?
      </button>
    </nav>
  );
}
