/** How many series are in which state, the worst first. */
import { count } from '../format.ts';
import { MEANINGS, meaningOfSeries } from '../state/meaning.ts';
import { Cell } from './cell.tsx';

export function Streams({ streams }: { streams: Readonly<Record<string, number>> }) {
  const there = Object.entries(streams)
    .filter(([, n]) => n > 0)
    .sort(([a], [b]) => rank(a) - rank(b));
  const all = there.reduce((sum, [, n]) => sum + n, 0);
  const title = there.map(([state, n]) => `${count(n)} ${state}`).join('\n');
  return (
    <Cell name={`streams ${count(all)}`} class="streams" title={title}>
      {there.map(([state, n]) => (
        <span key={state} class={meaningOfSeries(state)}>
          <b>{count(n)}</b> {state}
        </span>
      ))}
    </Cell>
  );
}

const rank = (state: string): number => MEANINGS.indexOf(meaningOfSeries(state));
