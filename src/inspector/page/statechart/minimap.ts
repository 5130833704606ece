/** All of a drawing in a corner, with what of it is in sight; a click there goes there. */
import { type Box, type Corner, freeCorner, type Size } from './frame.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Of the corner, px. */
const WIDTH_MAX = 96;
const HEIGHT_MAX = 132;
/** Between it and the frame, px. */
const MARGIN = 8;

export class Minimap {
  readonly #svg: SVGSVGElement;
  readonly #sight: SVGRectElement;
  readonly #states = new Map<string, SVGRectElement>();
  readonly #size: Size;
  #corner: Corner = 'bottom-right';

  constructor(
    frame: HTMLElement,
    bounds: Box,
    states: ReadonlyMap<string, Box>,
    goTo: (x: number, y: number) => void,
  ) {
    const k = Math.min(WIDTH_MAX / bounds.width, HEIGHT_MAX / bounds.height);
    this.#svg = document.createElementNS(SVG, 'svg');
    this.#svg.setAttribute('class', 'chart-map');
    this.#svg.setAttribute('aria-hidden', 'true');
    this.#svg.setAttribute('viewBox', `${bounds.x} ${bounds.y} ${bounds.width} ${bounds.height}`);
    const [width, height] = [Math.round(bounds.width * k), Math.round(bounds.height * k)];
    this.#svg.setAttribute('width', String(width));
    this.#svg.setAttribute('height', String(height));
    this.#size = { width: width + 2 * MARGIN, height: height + 2 * MARGIN };
    for (const [id, box] of states) this.#states.set(id, this.#rect('chart-map-state', box));
    this.#sight = this.#rect('chart-map-sight', bounds);
    this.#svg.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      this.#svg.setPointerCapture(event.pointerId);
      this.#go(event, goTo);
    });
    this.#svg.addEventListener('pointermove', (event) => {
      if (this.#svg.hasPointerCapture(event.pointerId)) this.#go(event, goTo);
    });
    frame.append(this.#svg);
  }

  /** `inner`: those of the active states that hold no other. */
  mark(active: ReadonlySet<string>, inner: readonly string[]): void {
    for (const [id, rect] of this.#states) {
      rect.classList.toggle('active', active.has(id));
      rect.classList.toggle('inner', inner.includes(id));
    }
  }

  /** Needed only where not all is in sight. Keeps out of the way of `important`, boxes of the frame. */
  show(sight: Box, isNeeded: boolean, frame: Size, important: readonly Box[]): void {
    this.#corner = freeCorner(this.#size, frame, important, this.#corner);
    this.#svg.dataset['corner'] = this.#corner;
    this.#svg.classList.toggle('needed', isNeeded);
    for (const side of ['x', 'y', 'width', 'height'] as const)
      this.#sight.setAttribute(side, String(sight[side]));
  }

  #rect(name: string, box: Box): SVGRectElement {
    const rect = document.createElementNS(SVG, 'rect');
    rect.setAttribute('class', name);
    for (const side of ['x', 'y', 'width', 'height'] as const) rect.setAttribute(side, String(box[side]));
    this.#svg.append(rect);
    return rect;
  }

  #go({ clientX, clientY }: PointerEvent, goTo: (x: number, y: number) => void): void {
    const matrix = this.#svg.getScreenCTM();
    if (matrix === null) return;
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
    goTo(x, y);
  }
}
