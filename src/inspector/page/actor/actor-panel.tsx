/** The actor in view: what it is, its candles if it is about a series, and its statechart. */
import type { ActorRow } from '../../protocol.ts';
import { CandleChart } from '../candles/index.tsx';
import { Statechart } from '../statechart/index.tsx';
import { ActorHeader } from './actor-header.tsx';
import { candleShare, Split } from './split.tsx';

export function ActorPanel({ row }: { row: ActorRow | undefined }) {
  if (row === undefined) return <p class="none">No actor is chosen.</p>;
  const { series, machine, value, last } = row;
  return (
    <>
      <ActorHeader row={row} />
      {series !== undefined && (
        <>
          <section
            class="candles"
            style={{ flexGrow: candleShare.value }}
            aria-label={`Candles of ${series}`}
          >
            <CandleChart key={series} series={series} />
          </section>
          <Split />
        </>
      )}
      {machine === undefined ? (
        <p class="none">It has no statechart: a promise, a callback, or a function.</p>
      ) : (
        <section
          class="chart"
          style={series === undefined ? {} : { flexGrow: 100 - candleShare.value }}
          aria-label={`Statechart ${machine}`}
        >
          <Statechart key={machine} machine={machine} value={value} edges={last?.edges ?? []} at={last?.at} />
        </section>
      )}
    </>
  );
}
