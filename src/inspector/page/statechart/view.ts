/** A drawing in its frame: moved and zoomed, with marks on what is active and what was taken. */
import { select } from 'd3-selection';
import { type D3ZoomEvent, type ZoomBehavior, zoom, zoomIdentity } from 'd3-zoom';
import { innermost } from './active.ts';
import {
  around,
  type Box,
  centred,
  fitScale,
  fitted,
  focused,
  inSight,
  isWithin,
  type Placement,
  placed,
  READABLE,
  type Size,
  topped,
} from './frame.ts';
import { Minimap } from './minimap.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** A transition stands out for so long; after it, it is only marked. */
const FRESH_MS = 4_000;
/** The drawing may be moved out of its frame by so much, px of the drawing. */
const BEYOND = 240;
const ZOOM_MAX = 3;

export interface Marks {
  readonly active: ReadonlySet<string>;
  /** Keys of the edges that were taken last. */
  readonly edges: readonly string[];
  /** How long ago that was, ms. */
  readonly agoMs: number;
}

export class ChartView {
  readonly #frame: HTMLElement;
  readonly #svg: SVGSVGElement;
  readonly #plane: SVGGElement;
  readonly #bounds: Box;
  readonly #states: ReadonlyMap<string, Box>;
  readonly #zoom: ZoomBehavior<SVGSVGElement, unknown>;
  readonly #map: Minimap;
  readonly #resizes: ResizeObserver;
  #marks: Marks = { active: new Set(), edges: [], agoMs: Number.POSITIVE_INFINITY };
  #isFollowing = false;
  /** Nobody has moved it: it may be put right when the frame changes. */
  #isUntouched = true;
  #settling: ReturnType<typeof setTimeout> | undefined;

  /** `drawing`: SVG text of our own making. `onMoved`: somebody has moved or zoomed it by hand. */
  constructor(frame: HTMLElement, drawing: string, onMoved: () => void) {
    this.#frame = frame;
    const parsed = new DOMParser().parseFromString(drawing, 'image/svg+xml').documentElement;
    this.#svg = document.importNode(parsed, true) as unknown as SVGSVGElement;
    const { x, y, width, height } = this.#svg.viewBox.baseVal;
    this.#bounds = { x, y, width, height };
    for (const name of ['viewBox', 'width', 'height']) this.#svg.removeAttribute(name);
    this.#plane = document.createElementNS(SVG, 'g');
    this.#plane.setAttribute('class', 'plane');
    this.#plane.append(...[...this.#svg.children].filter(({ tagName }) => tagName !== 'style'));
    this.#svg.append(this.#plane);
    this.#states = statesOf(this.#plane);
    frame.append(this.#svg);
    this.#map = new Minimap(frame, this.#bounds, this.#states, (mapX, mapY) => {
      onMoved();
      this.#isUntouched = false;
      const { k } = this.#placement();
      this.#put(centred({ x: mapX, y: mapY, width: 0, height: 0 }, this.#size(), k), false);
    });

    this.#zoom = zoom<SVGSVGElement, unknown>()
      .extent(() => [
        [0, 0],
        [this.#size().width, this.#size().height],
      ])
      .translateExtent([
        [x - BEYOND, y - BEYOND],
        [x + width + BEYOND, y + height + BEYOND],
      ])
      .on('zoom', ({ transform, sourceEvent }: D3ZoomEvent<SVGSVGElement, unknown>) => {
        this.#plane.style.transform = `translate(${transform.x}px, ${transform.y}px) scale(${transform.k})`;
        this.#showSight(transform);
        if (!sourceEvent) return;
        this.#plane.classList.remove('gliding');
        this.#isUntouched = false;
        onMoved();
      });
    select(this.#svg).call(this.#zoom);
    this.#limitZoom();
    this.#resizes = new ResizeObserver(() => {
      this.#limitZoom();
      if (this.#isFollowing) this.#focus(false);
      else if (this.#isUntouched) this.fit(false);
      else this.#showSight(this.#placement());
    });
    this.#resizes.observe(frame);
  }

  close(): void {
    clearTimeout(this.#settling);
    this.#resizes.disconnect();
    this.#frame.replaceChildren();
  }

  /** Whether all of it can be in sight and be read. */
  isLegible(): boolean {
    return fitScale(this.#bounds, this.#size()) >= READABLE;
  }

  mark(marks: Marks): void {
    const before = this.#marks;
    this.#marks = marks;
    for (const element of this.#plane.querySelectorAll<SVGElement>('[data-state]'))
      element.classList.toggle('active', marks.active.has(element.dataset['state'] ?? ''));
    this.#map.mark(marks.active, innermost(marks.active));
    const taken = new Set(marks.edges);
    const isFresh = taken.size > 0 && marks.agoMs < FRESH_MS;
    for (const element of this.#plane.querySelectorAll<SVGElement>('[data-edge]')) {
      const isTaken = taken.has(element.dataset['edge'] ?? '');
      element.classList.toggle('taken', isTaken);
      element.classList.toggle('fresh', isTaken && isFresh);
    }
    clearTimeout(this.#settling);
    if (isFresh) this.#settling = setTimeout(() => this.#settle(), FRESH_MS - marks.agoMs);
    if (sameSet(before.active, marks.active)) return;
    if (this.#isFollowing) this.#focus(true);
    this.#showSight(this.#placement());
  }

  /** Goes to what is active, and with it, until it is told otherwise. */
  follow(isFollowing: boolean, isGliding = true): void {
    this.#isFollowing = isFollowing;
    if (isFollowing) this.#focus(isGliding);
  }

  /** All of it, however small. */
  fit(isGliding = true): void {
    this.#isUntouched = true;
    this.#put(fitted(this.#bounds, this.#size()), isGliding);
  }

  /** From its upper end on, legible. */
  top(): void {
    this.#isUntouched = false;
    this.#put(topped(this.#bounds, this.#size()), false);
  }

  zoomBy(factor: number): void {
    this.#isUntouched = false;
    this.#plane.classList.remove('gliding');
    select(this.#svg).call(this.#zoom.scaleBy, factor);
  }

  /** Moves what is seen, px of the frame. */
  panBy(x: number, y: number): void {
    this.#isUntouched = false;
    this.#plane.classList.remove('gliding');
    const { k } = this.#placement();
    select(this.#svg).call(this.#zoom.translateBy, -x / k, -y / k);
  }

  #focus(isGliding: boolean): void {
    const active = this.#activeBoxes();
    const box = around(active);
    const frame = this.#size();
    // What can be read and is in sight stays where it is: a chart that jumps at each event can't be read either.
    const isSeen =
      box !== undefined &&
      this.#placement().k >= READABLE &&
      isWithin(box, inSight(this.#placement(), frame));
    if (isSeen && isGliding) return;
    const taken = [...this.#plane.querySelectorAll('.label.taken > rect')].map(boxOf);
    const placement = focused(active, taken, frame);
    if (placement !== undefined) this.#put(placement, isGliding);
  }

  #put({ x, y, k }: Placement, isGliding: boolean): void {
    this.#plane.classList.toggle('gliding', isGliding);
    select(this.#svg).call(this.#zoom.transform, zoomIdentity.translate(x, y).scale(k));
  }

  #placement(): Placement {
    return (this.#svg as SVGSVGElement & { __zoom?: Placement }).__zoom ?? zoomIdentity;
  }

  #size(): Size {
    return { width: this.#frame.clientWidth, height: this.#frame.clientHeight };
  }

  #limitZoom(): void {
    this.#zoom.scaleExtent([Math.min(fitScale(this.#bounds, this.#size()), 1), ZOOM_MAX]);
  }

  /** Of the states that it is in, without those that hold them. */
  #activeBoxes(): Box[] {
    return innermost(this.#marks.active).flatMap((id) => this.#states.get(id) ?? []);
  }

  #showSight(placement: Placement): void {
    const frame = this.#size();
    const sight = inSight(placement, frame);
    this.#map.show(sight, !isWithin(this.#bounds, sight), frame, placed(this.#activeBoxes(), placement));
  }

  #settle(): void {
    for (const element of this.#plane.querySelectorAll('.fresh')) element.classList.remove('fresh');
  }
}

/** Where each state is drawn. */
function statesOf(plane: SVGGElement): Map<string, Box> {
  const boxes = new Map<string, Box>();
  for (const state of plane.querySelectorAll<SVGElement>('[data-state]')) {
    const rect = state.querySelector('rect.box');
    const id = state.dataset['state'];
    if (rect === null || id === undefined) continue;
    boxes.set(id, boxOf(rect));
  }
  return boxes;
}

/** A rectangle as it is drawn. */
function boxOf(rect: Element): Box {
  const of = (name: string): number => Number(rect.getAttribute(name));
  return { x: of('x'), y: of('y'), width: of('width'), height: of('height') };
}

const sameSet = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((id) => other.has(id));
