/** Stretches of the time axis that are marked, drawn behind the bars. */
import type {
  IChartApi,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  Time,
  UTCTimestamp,
} from 'lightweight-charts';
import type { Band, BandKind } from './axis.ts';
import { type Colours, faded } from './colours.ts';

type Canvas = CanvasRenderingContext2D;
type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

/** Between two lines of a hatching, px. */
const HATCH = 7;
const WORDS: Readonly<Record<BandKind, string>> = {
  open: 'gap',
  filled: 'filled',
  awaited: 'awaited',
  unknown: 'no bars',
};

/** Open gaps are hatched, filled ones dotted at their edges, and each says what it is where there is room. */
export class Bands implements ISeriesPrimitive<Time> {
  #chart: IChartApi | undefined;
  #redraw: (() => void) | undefined;
  #bands: readonly Band[] = [];
  #colours: Colours;
  readonly #views: readonly IPrimitivePaneView[];

  constructor(colours: Colours) {
    this.#colours = colours;
    const renderer: IPrimitivePaneRenderer = {
      draw: () => {},
      drawBackground: (target) => this.#draw(target),
    };
    this.#views = [{ zOrder: () => 'bottom', renderer: () => renderer }];
  }

  attached({ chart, requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.#chart = chart as IChartApi;
    this.#redraw = requestUpdate;
  }

  detached(): void {
    this.#chart = undefined;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views;
  }

  show(bands: readonly Band[], colours: Colours = this.#colours): void {
    this.#bands = bands;
    this.#colours = colours;
    this.#redraw?.();
  }

  #draw(target: Target): void {
    const scale = this.#chart?.timeScale();
    if (scale === undefined) return;
    const half = scale.options().barSpacing / 2;
    target.useMediaCoordinateSpace(({ context, mediaSize: { width, height } }) => {
      for (const band of this.#bands) {
        const from = scale.timeToCoordinate((band.fromOpenTime / 1000) as UTCTimestamp);
        const to = scale.timeToCoordinate((band.toOpenTime / 1000) as UTCTimestamp);
        if (from === null || to === null) continue;
        const left = Math.max(Math.round(from - half), -1);
        const right = Math.min(Math.max(Math.round(to + half), left + 3), width + 1);
        if (right > 0 && left < width) this.#drawBand(context, band, left, right, height);
      }
    });
  }

  #drawBand(context: Canvas, band: Band, left: number, right: number, height: number): void {
    const colour = band.kind === 'open' || band.kind === 'filled' ? this.#colours.gap : this.#colours.dim;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    context.fillStyle = faded(colour, band.kind === 'open' ? 0.14 : 0.07);
    context.fillRect(left, 0, right - left, height);
    if (band.kind !== 'filled') hatch(context, faded(colour, 0.35), left, right, height);
    edges(context, faded(colour, 0.8), left, right, height, band.kind === 'filled' ? [2, 4] : []);
    this.#label(context, band, colour, left, right);
    context.restore();
  }

  #label(context: Canvas, { kind, bars }: Band, colour: string, left: number, right: number): void {
    context.font = `600 10px ${this.#colours.font}`;
    const count = `${bars}`;
    const words = [`${WORDS[kind]} · ${bars}`, count].find(
      (text) => context.measureText(text).width + 10 <= right - left,
    );
    if (words === undefined) return;
    const width = context.measureText(words).width + 8;
    const middle = (left + right) / 2;
    context.fillStyle = this.#colours.panel;
    context.fillRect(middle - width / 2, 4, width, 15);
    context.fillStyle = colour;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(words, middle, 12);
  }
}

function hatch(context: Canvas, colour: string, left: number, right: number, height: number): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  // From the same corner of the pane, so that neighbours join.
  const first = Math.floor((left - height) / HATCH) * HATCH;
  for (let x = first; x < right; x += HATCH) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
}

function edges(
  context: Canvas,
  colour: string,
  left: number,
  right: number,
  height: number,
  dash: number[],
): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash(dash);
  context.beginPath();
  for (const x of [left + 0.5, right - 0.5]) {
    context.moveTo(x, 0);
    context.lineTo(x, height);
  }
  context.stroke();
}
