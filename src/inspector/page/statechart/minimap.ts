/** All of a drawing in a corner, with what of it is in sight; a click there goes there. */
import type { Box } from './frame.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Of the corner, px. */
const WIDTH_MAX = 96;
const HEIGHT_MAX = 132;

export class Minimap {
  readonly #svg: SVGSVGElement;
  readonly #sight: SVGRectElement;
  readonly #states = new Map<string, SVGRectElement>();

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
    this.#svg.setAttribute('width', String(Math.round(bounds.width * k)));
    this.#svg.setAttribute('height', String(Math.round(bounds.height * k)));
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

  mark(active: ReadonlySet<string>): void {
    for (const [id, rect] of this.#states) rect.classList.toggle('active', active.has(id));
  }

  /** Needed only where not all is in sight. */
  show(sight: Box, isNeeded: boolean): void {
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
