/** The collector at a glance. */
import type { Strip as Figures } from '../../protocol.ts';
import { count, rate, span, utc } from '../format.ts';
import icon from '../icon.svg';
import { strip } from '../model.ts';
import { meaningOfCollector } from '../state/meaning.ts';
import { Cell } from './cell.tsx';
import { Health } from './health.tsx';
import { Streams } from './streams.tsx';
import { Tools } from './tools.tsx';

const NONE = '–';

export function Strip() {
  const figures = strip.value;
  return (
    <header class="strip">
      <h1 class="mark">
        <img src={icon} alt="candlestate" title="candlestate" width={20} height={20} />
      </h1>
      {figures === undefined ? <div class="figures" /> : <FiguresOf figures={figures} />}
      <Tools />
    </header>
  );
}

function FiguresOf({ figures }: { figures: Figures }) {
  const { state, mode, streams, messagesPerSecond, lagMs, lastCommit, rowsWaiting, gaps, bars } = figures;
  return (
    <div class="figures">
      <span class={`pill ${meaningOfCollector(state)}`} title="State of the collector">
        {state}
      </span>
      <Health figures={figures} />
      <Cell name="mode" width={7} title="How bars close now">
        {mode}
      </Cell>
      <Streams streams={streams} />
      <Cell name="messages/s" width={6} class="figure">
        {rate(messagesPerSecond)}
      </Cell>
      <Cell name="close lag" width={7} class="figure" title="Of the last closes: arrival − end of the bar">
        {lagMs === undefined ? NONE : span(lagMs)}
      </Cell>
      <Weight {...figures.weight} />
      <Cell name="last commit, took" width={14} title="When rows were last committed, and how long that took">
        {lastCommit === undefined ? (
          NONE
        ) : (
          <span>
            {span(lastCommit.agoMs)} <i>ago,</i> {span(lastCommit.tookMs)}
          </span>
        )}
      </Cell>
      <Cell name="waiting" width={5} class="figure" title="Rows that wait for the store">
        {count(rowsWaiting)}
      </Cell>
      <Cell
        name="gaps"
        width={5}
        class="figure"
        title={`${gaps.open} open, ${gaps.named} named in this process`}
      >
        <span>
          <span class={gaps.open > 0 ? 'warn' : ''}>{count(gaps.open)}</span>
          <i>/{count(gaps.named)}</i>
        </span>
      </Cell>
      <div class="bars">
        <Cell name="bars stream" width={6} class="figure stream" title="Closed bars that came by a stream">
          {count(bars.stream)}
        </Cell>
        <Cell name="REST" width={4} class="figure rest" title="Closed bars that came by REST">
          {count(bars.rest)}
        </Cell>
        <Cell name="archive" width={4} class="figure vision" title="Closed bars that came of the archive">
          {count(bars.vision)}
        </Cell>
      </div>
      <ExchangeTime {...figures} />
    </div>
  );
}

function Weight({ used, limit }: Figures['weight']) {
  const share = limit > 0 ? Math.min(1, used / limit) : 0;
  const look = share > 0.9 ? 'bad' : share > 0.7 ? 'warn' : '';
  return (
    <Cell name="weight" title={`${used} of ${limit} in this minute`} class="weight">
      <span class="figure">
        {count(used)}
        <i>/{count(limit)}</i>
      </span>
      <span class={`bar ${look}`} aria-hidden="true">
        <span style={{ transform: `scaleX(${share})` }} />
      </span>
    </Cell>
  );
}

function ExchangeTime({ exchangeTime, timeScale }: Pick<Figures, 'exchangeTime' | 'timeScale'>) {
  const { date, time } = exchangeTime === undefined ? { date: '', time: NONE } : utc(exchangeTime);
  return (
    <Cell
      name={`exchange UTC${timeScale === 1 ? '' : ` ×${timeScale}`}`}
      width={8}
      title={`${date} ${time} UTC`}
    >
      {time}
    </Cell>
  );
}
