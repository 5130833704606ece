/** The states of all machines with how many are in each: those that are chosen narrow the tree. */
import { signal } from '@preact/signals';
import { count } from '../format.ts';
import { recall, remember } from '../frame/memory.ts';
import { chooseState, chosenStates, stateCounts } from './view.ts';

const isUnfolded = signal(recall('states') !== 'folded');

export function StateFilter() {
  const chosen = chosenStates.value;
  return (
    <section class="states" aria-label="Filter by state">
      <header>
        <button
          type="button"
          class="fold"
          aria-expanded={isUnfolded.value}
          onClick={() => {
            isUnfolded.value = !isUnfolded.value;
            remember('states', isUnfolded.value ? 'unfolded' : 'folded');
          }}
        >
          <span class={isUnfolded.value ? 'twist open' : 'twist'} aria-hidden="true">
            ▸
          </span>
          States
        </button>
        {chosen.size > 0 && (
          <button
            type="button"
            class="clear"
            onClick={() => {
              chosenStates.value = new Set();
            }}
          >
            all states
          </button>
        )}
      </header>
      {isUnfolded.value && <Choices />}
    </section>
  );
}

function Choices() {
  const chosen = chosenStates.value;
  return (
    <div class="choices">
      {[...stateCounts.value].map(([machine, states]) => (
        <fieldset key={machine} class="machine" aria-label={machine}>
          <span class="label" title={machine}>
            {machine}
          </span>
          <div>
            {states
              .filter((state) => state.count > 0 || chosen.has(state.key))
              .map((state) => (
                <button
                  type="button"
                  key={state.key}
                  class={`chip ${state.meaning}`}
                  aria-pressed={chosen.has(state.key)}
                  title={`${machine}: ${state.text}`}
                  onClick={() => chooseState(state.key)}
                >
                  <span>{state.brief}</span>
                  <b>{count(state.count)}</b>
                </button>
              ))}
          </div>
        </fieldset>
      ))}
    </div>
  );
}
