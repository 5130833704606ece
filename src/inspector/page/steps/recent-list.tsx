/** The transitions that were taken last, newest first. Scrolling away from the newest holds the list still. */
import type { CSSProperties } from 'preact';
import { useRef } from 'preact/hooks';
import { count, wallTime } from '../format.ts';
import { showActor } from '../frame/place.ts';
import { type Scroller, VirtualList } from '../list/virtual-list.tsx';
import { actors } from '../model.ts';
import { EventLabel } from '../state/event-label.tsx';
import { StateOf } from '../state/state-label.tsx';
import type { Listed } from './listed.ts';
import { hasChatter, isOfAll, isPaused, missed, pause, showChatter, steps } from './view.ts';

const HEIGHT_PX = 42;
const WITH_REASON_PX = 58;
/** Of those who took the same step so many are named. */
const NAMES_MAX = 20;

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
      {isOfAll.value && (
        <p class="chatter">
          <button
            type="button"
            aria-pressed={hasChatter.value}
            title="Requests and commits are many. What goes wrong there is always listed."
            onClick={() => showChatter(!hasChatter.value)}
          >
            rest and store
          </button>
          {hasChatter.value ? 'with their everyday work' : 'left out, but for trouble'}
        </p>
      )}
      {shown.length === 0 ? (
        <p class="none">{isOfAll.value ? 'None yet.' : 'None of this actor among the last.'}</p>
      ) : (
        <VirtualList
          class="steps"
          count={shown.length}
          heightOf={(index) => (shown[index]?.step.reason === undefined ? HEIGHT_PX : WITH_REASON_PX)}
          keyOf={(index) => shown[index]?.key ?? index}
          scroller={(it) => {
            scroller.current = it;
          }}
          onScroll={(event) => {
            if (event.currentTarget.scrollTop > HEIGHT_PX && !isPaused.value) pause(true);
          }}
          line={(index, style) => {
            const it = shown[index];
            return it && <StepLine key={it.key} listed={it} style={style} />;
          }}
        />
      )}
    </section>
  );
}

function choose(all: boolean): void {
  isOfAll.value = all;
}

function StepLine({ listed: { step, times, names }, style }: { listed: Listed; style: CSSProperties }) {
  const { at, actor, name, machine, event, reason, value } = step;
  const isThere = actors.value.has(actor);
  return (
    <div class="step" style={style}>
      <button
        type="button"
        disabled={!isThere}
        title={whoSaid(names, machine)}
        onClick={() => showActor(actor)}
      >
        <span class="who">
          <time>{wallTime(at)}</time>
          <span class="name">{name}</span>
          {times > 1 ? <b class="times">×{count(times)}</b> : <span class="machine">{machine}</span>}
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

function whoSaid(names: readonly string[], machine: string): string {
  const more = names.length - NAMES_MAX;
  const said = names.slice(0, NAMES_MAX).join('\n');
  return `${said}${more > 0 ? `\nand ${count(more)} more` : ''} (${machine})`;
}
