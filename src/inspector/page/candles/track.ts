/** Where each bar came from: three lanes below the bars, each with a shape and a colour of its own. */
import {
  type CustomData,
  type CustomSeriesOptions,
  customSeriesDefaultOptions,
  type ICustomSeriesPaneRenderer,
  type ICustomSeriesPaneView,
  type IPrimitivePaneRenderer,
  type IPrimitivePaneView,
  type ISeriesPrimitive,
  type PaneRendererCustomData,
  type Time,
} from 'lightweight-charts';
import type { CandleSource } from '../../../../machines/model/kline.ts';
import type { Colours } from './colours.ts';
import { SOURCE_WORDS } from './words.ts';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

export interface TrackData extends CustomData<Time> {
  readonly source?: CandleSource;
}

export const LANES = ['stream', 'rest', 'vision'] as const satisfies readonly CandleSource[];
/** Height of the pane, px. */
export const TRACK_HEIGHT = 44;

const laneY = (lane: number, height: number): number => (height * (lane + 0.5)) / LANES.length;

/** The same marks as in the legend: a disc, a diamond, a square. */
export function drawMark(
  context: CanvasRenderingContext2D,
  source: CandleSource,
  x: number,
  y: number,
  radius: number,
): void {
  context.beginPath();
  if (source === 'stream') context.arc(x, y, radius, 0, 2 * Math.PI);
  else if (source === 'vision') context.rect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8);
  else {
    const reach = radius * 1.3;
    context.moveTo(x, y - reach);
    context.lineTo(x + reach, y);
    context.lineTo(x, y + reach);
    context.lineTo(x - reach, y);
    context.closePath();
  }
  context.fill();
}

/** The series of the track's pane. Its values are lanes, its axis names them. */
export class Track implements ICustomSeriesPaneView<Time, TrackData>, ICustomSeriesPaneRenderer {
  #data: PaneRendererCustomData<Time, TrackData> | undefined;
  #colours: Colours;

  constructor(colours: Colours) {
    this.#colours = colours;
  }

  set colours(colours: Colours) {
    this.#colours = colours;
  }

  renderer(): ICustomSeriesPaneRenderer {
    return this;
  }

  update(data: PaneRendererCustomData<Time, TrackData>): void {
    this.#data = data;
  }

  priceValueBuilder({ source }: TrackData): number[] {
    return [source === undefined ? 0 : LANES.indexOf(source)];
  }

  isWhitespace(data: TrackData): data is never {
    return data.source === undefined;
  }

  defaultOptions(): CustomSeriesOptions {
    return customSeriesDefaultOptions;
  }

  draw(target: Target): void {
    const { bars, barSpacing, visibleRange } = this.#data ?? {};
    if (bars === undefined || barSpacing === undefined || !visibleRange) return;
    target.useMediaCoordinateSpace(({ context, mediaSize: { height, width } }) => {
      context.fillStyle = this.#colours.line;
      LANES.forEach((_, lane) => {
        context.fillRect(0, Math.round(laneY(lane, height)), width, 1);
      });
      const radius = Math.min(barSpacing * 0.36, 3.6);
      for (let index = Math.max(0, visibleRange.from); index < visibleRange.to; index++) {
        const bar = bars[index];
        const source = bar?.originalData.source;
        if (bar === undefined || source === undefined) continue;
        const y = laneY(LANES.indexOf(source), height);
        context.fillStyle = this.#colours[source];
        // Too narrow for shapes: the lane alone says it, as a line.
        if (radius < 1.4) context.fillRect(bar.x - barSpacing / 2, y - 2, Math.max(barSpacing, 1), 5);
        else drawMark(context, source, bar.x, y, radius);
      }
    });
  }
}

/** Names the lanes on the axis beside them. */
export class LaneNames implements ISeriesPrimitive<Time> {
  #colours: Colours;
  readonly #views: readonly IPrimitivePaneView[];

  constructor(colours: Colours) {
    this.#colours = colours;
    this.#views = [{ renderer: () => ({ draw: (target) => this.#draw(target) }) }];
  }

  set colours(colours: Colours) {
    this.#colours = colours;
  }

  priceAxisPaneViews(): readonly IPrimitivePaneView[] {
    return this.#views;
  }

  #draw(target: Target): void {
    target.useMediaCoordinateSpace(({ context, mediaSize: { height } }) => {
      context.font = `10px ${this.#colours.font}`;
      context.textBaseline = 'middle';
      LANES.forEach((source, lane) => {
        const y = laneY(lane, height);
        context.fillStyle = this.#colours[source];
        drawMark(context, source, 10, y, 3.2);
        context.fillStyle = this.#colours.dim;
        context.fillText(SOURCE_WORDS[source], 18, y + 0.5);
      });
    });
  }
}
