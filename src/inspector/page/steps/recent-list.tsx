/** The transitions that were taken last, newest first. Scrolling away from the newest holds the list still. */
import type { CSSProperties } from 'preact';
import { useRef } from 'preact/hooks';
import type { RecentStep } from '../../protocol.ts';
import { count, wallTime } from '../format.ts';
import { showActor } from '../frame/place.ts';
import { type Scroller, VirtualList } from '../list/virtual-list.tsx';
import { actors } from '../model.ts';
import { EventLabel } from '../state/event-label.tsx';
import { StateOf } from '../state/state-label.tsx';
import { isOfAll, isPaused, missed, pause, steps } from './view.ts';

const HEIGHT_PX = 42;
const WITH_REASON_PX = 58;
/** More than are ever drawn: a step keeps its element as it moves down, and in a flood elements are used again. */
const PLACES = 128;

export function RecentList() {
  const shown = steps.value;
  const scroller = useRef<Scroller | undefined>(undefined);
  const goOn = (): void => {
    scroller.current?.scrollToOffset(0);
    pause(false);
  };
  return (
    <section class="recent" aria-label="Recent transitions">
      <header>
        <h2>Transitions</h2>
        <fieldset class="choice" aria-label="Of which actors">
          <button type="button" aria-pressed={!isOfAll.value} onClick={() => choose(false)}>
            this actor
          </button>
          <button type="button" aria-pressed={isOfAll.value} onClick={() => choose(true)}>
            all
          </button>
        </fieldset>
        <button
          type="button"
          class="pause"
          aria-pressed={isPaused.value}
          title={isPaused.value ? 'Go on (p)' : 'Hold the list still (p)'}
          onClick={() => (isPaused.value ? goOn() : pause(true))}
        >
          {isPaused.value ? `▶ ${count(missed.value)} new` : '❚❚ pause'}
        </button>
      </header>
      {shown.length === 0 ? (
        <p class="none">{isOfAll.value ? 'None yet.' : 'None of this actor among the last.'}</p>
      ) : (
        <VirtualList
          class="steps"
          count={shown.length}
          heightOf={(index) => (shown[index]?.reason === undefined ? HEIGHT_PX : WITH_REASON_PX)}
          keyOf={(index) => shown[index]?.seq ?? index}
          scroller={(it) => {
            scroller.current = it;
          }}
          onScroll={(event) => {
            if (event.currentTarget.scrollTop > HEIGHT_PX && !isPaused.value) pause(true);
          }}
          line={(index, style) => {
            const step = shown[index];
            return step && <StepLine key={step.seq % PLACES} step={step} style={style} />;
          }}
        />
      )}
    </section>
  );
}

function choose(all: boolean): void {
  isOfAll.value = all;
}

function StepLine({ step, style }: { step: RecentStep; style: CSSProperties }) {
  const { at, actor, name, machine, event, reason, value } = step;
  const isThere = actors.value.has(actor);
  return (
    <div class="step" style={style}>
      <button
        type="button"
        disabled={!isThere}
        title={`${name} (${machine})`}
        onClick={() => showActor(actor)}
      >
        <span class="who">
          <time>{wallTime(at)}</time>
          <span class="name">{name}</span>
          <span class="machine">{machine}</span>
        </span>
        <span class="what">
          <EventLabel type={event} />
          <span class="arrow">→</span>
          <StateOf machine={machine} value={value} />
        </span>
        {reason !== undefined && (
          <span class="reason" title={reason}>
            {reason}
          </span>
        )}
      </button>
    </div>
  );
}
