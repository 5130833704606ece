/** All statecharts, without an actor: how the machines are built. */
import { count } from '../format.ts';
import { showCharts } from '../frame/place.ts';
import { Statechart } from '../statechart/index.tsx';
import { stateCounts } from '../tree/view.ts';

/** Only their names; a drawing is loaded when it is looked at. */
const MACHINES = Object.keys(import.meta.glob('../../../../docs/charts/*.svg'))
  .map((path) => path.replace(/^.*\/|\.svg$/g, ''))
  .sort();

export function ChartsView({ machine = MACHINES[0] }: { machine: string | undefined }) {
  return (
    <>
      <header class="actor">
        <div class="identity">
          <h2>Charts</h2>
          <span class="hint-line">As the machines are, whoever is in them.</span>
        </div>
      </header>
      <div class="charts">
        <nav aria-label="Machines">
          {MACHINES.map((name) => (
            <button type="button" key={name} aria-pressed={name === machine} onClick={() => showCharts(name)}>
              <span>{name}</span>
              <b title="Actors of it now">{actorsOf(name)}</b>
            </button>
          ))}
        </nav>
        <section class="chart" aria-label={`Statechart ${machine ?? ''}`}>
          {machine !== undefined && (
            <Statechart key={machine} machine={machine} value={undefined} edges={[]} at={undefined} />
          )}
        </section>
      </div>
    </>
  );
}

function actorsOf(machine: string): string {
  const states = stateCounts.value.get(machine) ?? [];
  const n = states.reduce((sum, state) => sum + state.count, 0);
  return n === 0 ? '' : count(n);
}
