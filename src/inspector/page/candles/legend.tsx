/** The figures of the bar in question, and what the marks of the chart mean. */
import type { CandleSource } from '../../../../machines/model/kline.ts';
import type { Bar, GapMark } from '../../protocol.ts';
import type { Place } from './axis.ts';
import { amountWords, countSources, decimalsOf, SOURCE_WORDS, timeWords } from './words.ts';

export function Mark({ source }: { readonly source: CandleSource }) {
  return (
    <svg class={`candle-mark ${source}`} viewBox="-5 -5 10 10" width="10" height="10" aria-hidden="true">
      {source === 'stream' && <circle r="3.6" />}
      {source === 'rest' && <path d="M0,-4.6L4.6,0L0,4.6L-4.6,0z" />}
      {source === 'vision' && <rect x="-3.4" y="-3.4" width="6.8" height="6.8" />}
    </svg>
  );
}

/** `isPointed`: the bar under the crosshair; else the newest one. */
export function Values({
  place,
  isPointed,
}: {
  readonly place: Place | undefined;
  readonly isPointed: boolean;
}) {
  const { bar, forming } = place ?? {};
  const shown = bar ?? forming;
  const decimals = shown === undefined ? 0 : decimalsOf([shown]);
  const values =
    shown === undefined
      ? []
      : ([
          ['O', shown.open],
          ['H', shown.high],
          ['L', shown.low],
          ['C', shown.close],
        ] as const);
  const course = shown === undefined ? '' : shown.close >= shown.open ? 'up' : 'down';
  return (
    <p class={`candle-values ${course} ${isPointed ? 'pointed' : ''}`}>
      {place !== undefined && <time>{timeWords(place.openTime)} UTC</time>}
      {values.map(([name, value]) => (
        <span key={name}>
          <i>{name}</i>
          <em>{value.toFixed(decimals)}</em>
        </span>
      ))}
      {shown !== undefined && (
        <span>
          <i>V</i>
          {amountWords(shown.volume)}
        </span>
      )}
      {bar !== undefined && (
        <span>
          <Mark source={bar.source} /> {SOURCE_WORDS[bar.source]}
          {bar.revised && ', revised'}
        </span>
      )}
      {forming !== undefined && <span>forming</span>}
      {place !== undefined && shown === undefined && <span>no bar</span>}
    </p>
  );
}

/** Everything is named by a shape as well as by a colour. */
export function Legend({ bars, gaps }: { readonly bars: readonly Bar[]; readonly gaps: readonly GapMark[] }) {
  const counts = countSources(bars);
  const open = gaps.filter(({ status }) => status === 'open').length;
  const revised = bars.filter((bar) => bar.revised).length;
  return (
    <footer class="candle-legend">
      <span>bars</span>
      {(['stream', 'rest', 'vision'] as const).map((source) => (
        <span key={source} title={`Bars that came by ${SOURCE_WORDS[source]}`}>
          <Mark source={source} /> <b>{counts[source]}</b>
        </span>
      ))}
      <span title="Bars that the exchange lacks">
        <i class="candle-swatch open" /> gap <b>{open}</b>
      </span>
      <span title="Gaps whose bars turned up">
        <i class="candle-swatch filled" /> filled <b>{gaps.length - open}</b>
      </span>
      <span title="Bars that the exchange has corrected">
        <i class="candle-arrow" /> revised <b>{revised}</b>
      </span>
      <span title="The bar that is not over yet">
        <i class="candle-swatch forming" /> forming
      </span>
      <a
        href="https://www.tradingview.com/"
        target="_blank"
        rel="noopener noreferrer"
        title="TradingView Lightweight Charts™ Copyright © 2025 TradingView, Inc. https://www.tradingview.com/"
      >
        TradingView Lightweight Charts™
      </a>
    </footer>
  );
}
