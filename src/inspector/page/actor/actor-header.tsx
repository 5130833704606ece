/** Name, machine, state and last transition of the actor in view. */
import type { ActorRow } from '../../protocol.ts';
import { age, count, wallTime } from '../format.ts';
import { now } from '../frame/clock.ts';
import { showActor, showCharts } from '../frame/place.ts';
import { standing } from '../frame/standing.ts';
import { heardAt, receivedAt } from '../model.ts';
import { EventLabel } from '../state/event-label.tsx';
import { meaningOf } from '../state/meaning.ts';
import { stateBrief, stateText } from '../state/value.ts';
import { forest } from '../tree/view.ts';

export function ActorHeader({ row }: { row: ActorRow }) {
  const { id, name, machine, value, status, last, dueAt, steps } = row;
  const isLive = standing.value === 'live';
  return (
    <header class="actor">
      <div class="identity">
        <Ancestors id={id} />
        <h2 title={name}>{name}</h2>
        {machine !== undefined && (
          <button
            type="button"
            class="machine"
            title={`Chart of ${machine} alone`}
            onClick={() => showCharts(machine)}
          >
            {machine}
          </button>
        )}
        <span class={`pill ${meaningOf(row)}`} title={value === undefined ? status : stateText(value)}>
          {value === undefined || status !== 'active' ? status : stateBrief(value)}
        </span>
      </div>
      <p class="last">
        {last === undefined ? (
          'No transition since the inspector began to look.'
        ) : (
          <>
            <time>{wallTime(last.at)}</time>
            <EventLabel type={last.event} />
            {last.reason !== undefined && (
              <span class="reason" title={last.reason}>
                {last.reason}
              </span>
            )}
            <span class="ago">
              {isLive && dueAt !== undefined && status === 'active' && <Due at={dueAt} />}
              {isLive && `${age(theirNow() - last.at)} ago, `}
              {count(steps)} in all
            </span>
          </>
        )}
      </p>
    </header>
  );
}

/** The clock of the collector's machine may be another than ours. */
const theirNow = (): number => now.value + (heardAt.value ?? 0) - (receivedAt.value ?? 0);

/** What counts down is over when it is due: then a transition follows at once. */
function Due({ at }: { at: number }) {
  const inMs = at - theirNow();
  return inMs > 0 && <b class="due">goes on in {age(inMs)}</b>;
}

function Ancestors({ id }: { id: string }) {
  const above = [];
  for (let at = forest.get(id)?.parent; at !== undefined; at = at.parent) above.unshift(at.row);
  return (
    <>
      {above.map((row) => (
        <span key={row.id} class="above">
          <button type="button" onClick={() => showActor(row.id)}>
            {row.name}
          </button>
          <span aria-hidden="true">›</span>
        </span>
      ))}
    </>
  );
}
