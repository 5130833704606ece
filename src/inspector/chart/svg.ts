/** A drawing as SVG that stands alone: in a document, or inside a page that marks what is active. */
import { DOT } from './graph.ts';
import type { Box, Drawing, Label, Line, Point } from './layout.ts';
import { type Block, HEAD, LINE, PAD, SMALL, TITLE, tagWidth, widest } from './measure.ts';
import { STYLE } from './style.ts';
import { textWidth } from './text.ts';

const MARGIN = 8;
const CORNER = 6;

/** To a tenth of a pixel: the same text wherever it is made. */
const round = (value: number): string => String(Math.round(value * 10) / 10);
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export function svgOf(id: string, drawing: Drawing): string {
  const [width, height] = [drawing.width, drawing.height].map((it) => Math.ceil(it) + 2 * MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="statechart" data-chart="${escaped(id)}" viewBox="-${MARGIN} -${MARGIN} ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Statechart ${escaped(id)}">`,
    `<style>${STYLE}</style>`,
    ...drawing.lines.flatMap(lineSvg),
    // Above the lines, so that what is written in a state that holds others can be read where a line passes.
    ...drawing.boxes.map(boxSvg),
    ...drawing.dots.map(
      ({ x, y }) =>
        `<circle class="dot" cx="${round(x + DOT / 2)}" cy="${round(y + DOT / 2)}" r="${DOT / 2}"/>`,
    ),
    ...drawing.labels.map(labelSvg),
    '</svg>',
    '',
  ].join('\n');
}

function boxSvg({ x, y, width, height, state, body, depth, isRegion }: Box): string {
  const isHolder = state.children.length > 0;
  const classes = ['state', state.type, isHolder ? `holder d${depth}` : '', isRegion ? 'region' : ''];
  const out = [
    rect('box', x, y, width, height, 8),
    state.type === 'final' ? rect('inner', x + 3, y + 3, width - 6, height - 6, 5) : '',
    text('name', x + PAD, y + 17, state.key),
    ...tagsSvg(state.tags, x + PAD + textWidth(state.key, TITLE, true) + 8, y + 5),
  ];
  if (body.length > 0) out.push(rule(x, y + HEAD, width));
  let top = y + HEAD + 4;
  for (const block of body) {
    out.push(blockSvg(block, x + PAD, top));
    top += block.lines.length * LINE;
  }
  if (body.length > 0 && isHolder) out.push(rule(x, top + 4, width));
  const title = state.description === undefined ? state.id : `${state.id}: ${state.description}`;
  return `<g class="${classes.filter(Boolean).join(' ')}" data-state="${escaped(state.id)}"><title>${escaped(title)}</title>${out.join('')}</g>`;
}

function tagsSvg(tags: readonly string[], x: number, y: number): string[] {
  let left = x;
  return tags.map((tag) => {
    const pill = rect('', left, y, tagWidth(tag), 16, 8);
    const words = text('', left + 5, y + 11.5, tag);
    left += tagWidth(tag) + 6;
    return `<g class="tag">${pill}${words}</g>`;
  });
}

function blockSvg({ lines, edge, kind }: Block, x: number, y: number): string {
  const name = edge === undefined ? 'doing' : '';
  const rows = lines.map((line, index) => text(name, x, y + index * LINE + SMALL, line)).join('');
  if (edge === undefined) return rows;
  const ground = rect('', x - 4, y - 1, widest(lines) + 8, lines.length * LINE, 3);
  return `<g class="label inside ${kind}" data-edge="${escaped(edge)}">${ground}${rows}</g>`;
}

const rule = (x: number, y: number, width: number): string =>
  `<path class="rule" d="M${round(x)},${round(y)}h${round(width)}"/>`;

const rect = (name: string, x: number, y: number, width: number, height: number, corner: number): string =>
  `<rect${name === '' ? '' : ` class="${name}"`} x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${corner}"/>`;

const text = (name: string, x: number, y: number, words: string): string =>
  `<text${name === '' ? '' : ` class="${name}"`} x="${round(x)}" y="${round(y)}">${escaped(words)}</text>`;

function lineSvg({ edges, points }: Line): string[] {
  const parts = `<path class="line" d="${rounded(points)}"/><path class="head" d="${arrow(points)}"/>`;
  if (edges.length === 0) return [`<g class="edge initial">${parts}</g>`];
  return edges.map(
    ({ key, kind }, index) =>
      `<g class="edge ${kind}${index > 0 ? ' twin' : ''}" data-edge="${escaped(key)}">${parts}</g>`,
  );
}

/** The way through the points, its corners rounded, up to where the arrow begins. */
function rounded(points: readonly Point[]): string {
  const parts = [`M${round(points[0]!.x)},${round(points[0]!.y)}`];
  for (let index = 1; index < points.length; index++) {
    const [before, here, next] = [points[index - 1]!, points[index]!, points[index + 1]];
    if (next === undefined) {
      const end = toward(here, before, 4);
      parts.push(`L${round(end.x)},${round(end.y)}`);
      continue;
    }
    const corner = Math.min(CORNER, distance(before, here) / 2, distance(here, next) / 2);
    const [into, out] = [toward(here, before, corner), toward(here, next, corner)];
    parts.push(
      `L${round(into.x)},${round(into.y)}Q${round(here.x)},${round(here.y)} ${round(out.x)},${round(out.y)}`,
    );
  }
  return parts.join('');
}

function arrow(points: readonly Point[]): string {
  const [tip, before] = [points.at(-1)!, points.at(-2)!];
  const base = toward(tip, before, 9);
  const side = { x: (base.y - tip.y) * 0.45, y: (tip.x - base.x) * 0.45 };
  return `M${round(tip.x)},${round(tip.y)}L${round(base.x + side.x)},${round(base.y + side.y)}L${round(base.x - side.x)},${round(base.y - side.y)}z`;
}

const distance = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y);

/** So far from one point toward another. */
function toward(from: Point, to: Point, by: number): Point {
  const share = by / (distance(from, to) || 1);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function labelSvg({ x, y, width, height, edge, lines }: Label): string {
  const rows = lines.map((line, index) => text('', x + 4, y + 1 + index * LINE + SMALL, line)).join('');
  return `<g class="label ${edge.kind}" data-edge="${escaped(edge.key)}">${rect('', x, y, width, height, 4)}${rows}</g>`;
}
