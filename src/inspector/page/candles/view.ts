/** The chart of one series: what stands on the axis becomes candles, volumes, marks and bands. */
import {
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  createSeriesMarkers,
  HistogramSeries,
  type IChartApi,
  type MouseEventParams,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { type Interval, isInterval } from '../../../../machines/model/interval.ts';
import { type Axis, type Band, firstChange, goesOn, type Place } from './axis.ts';
import { Bands } from './bands.ts';
import { type Colours, faded, readColours } from './colours.ts';
import { LaneNames, TRACK_HEIGHT, Track, type TrackData } from './track.ts';
import { decimalsOf, timeWords } from './words.ts';

/** What the pointer is at. */
export interface Pointed {
  readonly place: Place | undefined;
  readonly band: Band | undefined;
  /** px within the chart. */
  readonly x: number;
  readonly y: number;
}

export interface ViewEvents {
  onPoint(pointed: Pointed | undefined): void;
  /** Whether the newest bar is in view, and kept there. */
  onFollow(isFollowing: boolean): void;
}

/** Places between the newest bar and the edge. */
const ROOM = 3;
const BAR_SPACING = 8;
/** Of a day and longer: their bars have no time of the day. */
const DAYS: ReadonlySet<Interval> = new Set(['1d', '3d', '1w', '1M']);

const timeOf = (openTime: number): UTCTimestamp => (openTime / 1000) as UTCTimestamp;

export class CandleView {
  readonly #chart: IChartApi;
  readonly #element: HTMLElement;
  readonly #track: Track;
  readonly #names: LaneNames;
  readonly #bands: Bands;
  readonly #series;
  readonly #themes: MutationObserver;
  readonly #resizes: ResizeObserver;
  #colours: Colours;
  #axis: Axis = { places: [], bands: [] };
  #byTime: ReadonlyMap<number, Place> = new Map();
  #decimals = -1;
  #frame = 0;

  constructor(element: HTMLElement, interval: string, events: ViewEvents) {
    this.#element = element;
    this.#colours = readColours(element);
    const timeVisible = !(isInterval(interval) && DAYS.has(interval));
    this.#chart = createChart(element, {
      autoSize: true,
      crosshair: { mode: CrosshairMode.Normal },
      // Our own line of attribution stands in the legend, with all of the notice.
      layout: { attributionLogo: false },
      localization: { timeFormatter: (time: number) => `${timeWords(time * 1000)} UTC` },
      timeScale: {
        timeVisible,
        secondsVisible: false,
        barSpacing: BAR_SPACING,
        minBarSpacing: 1,
        rightOffset: ROOM,
      },
    });
    this.#track = new Track(this.#colours);
    this.#names = new LaneNames(this.#colours);
    this.#bands = new Bands(this.#colours);
    const candles = this.#chart.addSeries(CandlestickSeries, { borderVisible: true });
    const volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: '',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    const track = this.#chart.addCustomSeries(
      this.#track,
      {
        lastValueVisible: false,
        priceLineVisible: false,
        priceFormat: { type: 'custom', minMove: 1, formatter: () => '' },
      },
      1,
    );
    this.#series = { candles, volumes, track, markers: createSeriesMarkers(candles, []) };
    candles.priceScale().applyOptions({ scaleMargins: { top: 0.1, bottom: 0.24 } });
    volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    candles.attachPrimitive(this.#bands);
    track.attachPrimitive(this.#names);
    this.#applyColours();

    this.#chart.subscribeCrosshairMove((param) => events.onPoint(this.#pointed(param)));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange(() => events.onFollow(this.#isFollowing()));
    this.#chart.timeScale().subscribeSizeChange(() => this.#fixTrack());
    // Behind the chart's own observer: by the next frame it has its new height.
    this.#resizes = new ResizeObserver(() => {
      cancelAnimationFrame(this.#frame);
      this.#frame = requestAnimationFrame(() => this.#fixTrack());
    });
    this.#resizes.observe(element);
    this.#themes = new MutationObserver(() => this.#retheme());
    this.#themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  }

  close(): void {
    this.#themes.disconnect();
    this.#resizes.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#chart.remove();
  }

  /** Draws what has changed. Stays where it is, unless the newest bar is in view: then that stays in view. */
  show(axis: Axis): void {
    const before = this.#axis.places;
    const { places } = axis;
    this.#axis = axis;
    this.#byTime = new Map(places.map((place) => [place.openTime, place]));
    this.#fitDecimals();
    const from = firstChange(before, places);
    if (goesOn(before, places)) for (const place of places.slice(from)) this.#update(place);
    else this.#drawAll(before);
    if (from < places.length || places.length < before.length) this.#mark();
    this.#bands.show(axis.bands, this.#colours);
  }

  /** Moves by so many bars; to the left is to the past. */
  scroll(bars: number): void {
    const scale = this.#chart.timeScale();
    scale.scrollToPosition(scale.scrollPosition() + bars, false);
  }

  zoom(factor: number): void {
    const scale = this.#chart.timeScale();
    const { barSpacing } = scale.options();
    scale.applyOptions({ barSpacing: Math.min(Math.max(barSpacing * factor, 1), 60) });
  }

  toNewest(): void {
    this.#chart.timeScale().scrollToPosition(ROOM, false);
  }

  toOldest(): void {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range !== null) scale.setVisibleLogicalRange({ from: -1, to: range.to - range.from - 1 });
  }

  #isFollowing(): boolean {
    return this.#chart.timeScale().scrollPosition() > -0.5;
  }

  #drawAll(before: readonly Place[]): void {
    const scale = this.#chart.timeScale();
    const position = scale.scrollPosition();
    const isFollowing = before.length === 0 || this.#isFollowing();
    const range = scale.getVisibleLogicalRange();
    const { places } = this.#axis;
    this.#series.candles.setData(places.map((place) => this.#candle(place)));
    this.#series.volumes.setData(places.map((place) => this.#volume(place)));
    this.#series.track.setData(places.map(trackOf));
    this.#fixTrack();
    if (isFollowing) {
      scale.scrollToPosition(before.length === 0 ? ROOM : position, false);
      return;
    }
    if (range === null) return;
    const anchor = before[Math.max(0, Math.ceil(range.from))]?.openTime;
    const moved = places.findIndex(({ openTime }) => openTime === anchor);
    const by = moved < 0 ? 0 : moved - Math.max(0, Math.ceil(range.from));
    scale.setVisibleLogicalRange({ from: range.from + by, to: range.to + by });
  }

  #update(place: Place): void {
    this.#series.candles.update(this.#candle(place));
    this.#series.volumes.update(this.#volume(place));
    this.#series.track.update(trackOf(place));
  }

  /** A forming bar is hollow, a closed one is solid. */
  #candle({ openTime, bar, forming }: Place) {
    const time = timeOf(openTime);
    const shown = bar ?? forming;
    if (shown === undefined) return { time };
    const { open, high, low, close } = shown;
    const colour = close >= open ? this.#colours.up : this.#colours.down;
    const values = { time, open, high, low, close };
    if (bar !== undefined) return values;
    return { ...values, color: faded(colour, 0.12), borderColor: colour, wickColor: colour };
  }

  #volume({ openTime, bar, forming }: Place) {
    const time = timeOf(openTime);
    const shown = bar ?? forming;
    if (shown === undefined) return { time };
    const colour = shown.close >= shown.open ? this.#colours.up : this.#colours.down;
    return { time, value: shown.volume, color: faded(colour, bar === undefined ? 0.22 : 0.5) };
  }

  #mark(): void {
    const revised = this.#axis.places.filter(({ bar }) => bar?.revised);
    this.#series.markers.setMarkers(
      revised.map(({ openTime }) => ({
        time: timeOf(openTime) as Time,
        position: 'aboveBar' as const,
        shape: 'arrowDown' as const,
        color: this.#colours.accent,
        size: 1,
      })),
    );
  }

  #fitDecimals(): void {
    const { places } = this.#axis;
    const bars = places.slice(-100).flatMap(({ bar, forming }) => bar ?? forming ?? []);
    // It only grows: an axis that changes its width with each round price would not stand still.
    const decimals = Math.max(decimalsOf(bars), this.#decimals);
    if (decimals === this.#decimals) return;
    this.#decimals = decimals;
    const priceFormat = { type: 'price' as const, precision: decimals, minMove: 10 ** -decimals };
    this.#series.candles.applyOptions({ priceFormat });
  }

  #pointed({ time, point }: MouseEventParams): Pointed | undefined {
    if (time === undefined || point === undefined) return undefined;
    const openTime = Number(time) * 1000;
    const band = this.#axis.bands.find(
      ({ fromOpenTime, toOpenTime }) => openTime >= fromOpenTime && openTime <= toOpenTime,
    );
    return { place: this.#byTime.get(openTime), band, x: point.x, y: point.y };
  }

  /** The track keeps its height, whatever becomes of the chart's. */
  #fixTrack(): void {
    this.#chart.panes()[1]?.setHeight(TRACK_HEIGHT);
  }

  #retheme(): void {
    this.#colours = readColours(this.#element);
    this.#applyColours();
    this.#drawAll(this.#axis.places);
    this.#mark();
    this.#bands.show(this.#axis.bands, this.#colours);
  }

  #applyColours(): void {
    const { panel, line, text, dim, up, down, font } = this.#colours;
    this.#track.colours = this.#colours;
    this.#names.colours = this.#colours;
    const crosshair = { color: dim, labelBackgroundColor: text };
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: panel },
        textColor: dim,
        fontFamily: font,
        fontSize: 11,
        panes: { separatorColor: line, enableResize: false },
      },
      grid: { vertLines: { color: faded(line, 0.6) }, horzLines: { color: faded(line, 0.6) } },
      crosshair: { vertLine: crosshair, horzLine: crosshair },
      timeScale: { borderColor: line },
      rightPriceScale: { borderColor: line, entireTextOnly: true },
    });
    this.#series.candles.applyOptions({
      upColor: up,
      downColor: down,
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
  }
}

const trackOf = ({ openTime, bar }: Place): TrackData => ({
  time: timeOf(openTime),
  ...(bar === undefined ? {} : { source: bar.source }),
});
