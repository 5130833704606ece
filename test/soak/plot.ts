/** A soak as one picture: a panel for each figure, faults and lives above, readable on light and on dark ground. */
import { type Axis, timeAxis, valueAxis } from './axis.ts';
import type { Strike } from './drawing.ts';
import type { Figure } from './figures.ts';
import type { LifeLived } from './many-lives.ts';
import { isBad, type Point, type Verdict } from './slope.ts';

export interface Panel {
  readonly figure: Figure;
  readonly points: readonly Point[];
  readonly verdict: Verdict;
}

export interface Picture {
  readonly title: string;
  readonly subtitle: string;
  readonly panels: readonly Panel[];
  readonly strikes: readonly Strike[];
  readonly lives: readonly LifeLived[];
  /** Wall ms: all of it, and how much of it is warm-up. */
  readonly lengthMs: number;
  readonly warmUpMs: number;
}

const STYLE = `
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1c2330; --dim: #5c6675; --grid: #e3e7ee; --shade: #f3f5f9; --line: #2559c7;
  --fit: #c2410c; --good: #157347; --bad: #c1121f; --network: #7c3aed; --exchange: #b7791f; --process: #c1121f; --lived: #2f855a; --killed: #8892a2; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161d; --ink: #e6eaf1; --dim: #9aa5b5; --grid: #29303c; --shade: #191f29; --line: #7ba7ff;
  --fit: #fb923c; --good: #4ade80; --bad: #f87171; --network: #a78bfa; --exchange: #e3b341; --process: #f87171; --lived: #4ade80; --killed: #667085; } }
text { font: 12px system-ui, sans-serif; fill: var(--ink); } .dim { fill: var(--dim); } .tick { fill: var(--dim); font-size: 11px; }
.title { font-size: 17px; font-weight: 600; } .name { font-weight: 600; } .good { fill: var(--good); } .bad { fill: var(--bad); font-weight: 600; }
.grid { stroke: var(--grid); } .line { fill: none; stroke: var(--line); stroke-width: 1.6; stroke-linejoin: round; }
.fit { stroke: var(--fit); stroke-width: 1.6; stroke-dasharray: 6 4; } .shade { fill: var(--shade); } .edge { stroke: var(--grid); }
.network { stroke: var(--network); } .exchange { stroke: var(--exchange); } .process { stroke: var(--process); }
.fault { stroke-width: 1.5; } .lived { fill: var(--lived); } .killed { fill: var(--killed); }
`;

const [WIDTH, MARGIN, GUTTER, GAP] = [1_160, 28, 58, 34];
const [HEAD, LANE, PANEL, TITLE, FOOT] = [64, 20, 118, 24, 34];
const COLUMNS = 2;
const MINUTE_MS = 60_000;

const escaped = (text: string): string =>
  text.replace(/[<>&"]/gu, (it) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[it] ?? it);
const text = (x: number, y: number, words: string, kind = '', anchor = 'start'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${kind}" text-anchor="${anchor}">${escaped(words)}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" class="${kind}"/>`;
const box = (x: number, y: number, width: number, height: number, kind: string, title = ''): string =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(0, width).toFixed(1)}" height="${height}" class="${kind}">${title && `<title>${escaped(title)}</title>`}</rect>`;

/** The whole picture as SVG. */
export function drawPicture(picture: Picture): string {
  const { panels, title, subtitle } = picture;
  const lanesY = HEAD + MARGIN;
  const panelsY = lanesY + 4 * LANE + FOOT + 8;
  const rows = Math.ceil(panels.length / COLUMNS);
  const height = panelsY + rows * (TITLE + PANEL + FOOT) + MARGIN / 2;
  const width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
  const parts = panels.map((panel, index) => {
    const x = MARGIN + (index % COLUMNS) * (width + GAP);
    return drawPanel(
      panel,
      picture,
      x,
      panelsY + Math.floor(index / COLUMNS) * (TITLE + PANEL + FOOT),
      width,
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style><rect width="100%" height="100%" style="fill: var(--ground)"/>`,
    text(MARGIN, MARGIN + 10, title, 'title'),
    text(MARGIN, MARGIN + 32, subtitle, 'dim'),
    ...drawLegend(MARGIN + 10),
    ...drawLanes(picture, lanesY),
    ...parts.flat(),
    '</svg>\n',
  ].join('\n');
}

/** What colours mean that no label stands at. */
function drawLegend(y: number): string[] {
  const [killed, lived, shade, fit] = [WIDTH - 476, WIDTH - 396, WIDTH - 282, WIDTH - 196];
  return [
    box(killed, y - 10, 12, 12, 'killed'),
    text(killed + 18, y, 'killed', 'dim'),
    box(lived, y - 10, 12, 12, 'lived'),
    text(lived + 18, y, 'ended itself', 'dim'),
    box(shade, y - 10, 12, 12, 'shade edge'),
    text(shade + 18, y, 'warm-up', 'dim'),
    line(fit, y - 4, fit + 26, y - 4, 'fit'),
    text(fit + 33, y, 'line through medians', 'dim'),
  ];
}

/** When which faults struck, and the lives of the collector that was killed again and again. */
function drawLanes({ strikes, lives, lengthMs }: Picture, y: number): string[] {
  const left = MARGIN + 162;
  const time = timeAxis(lengthMs / MINUTE_MS, 16, left, WIDTH - MARGIN);
  const x = (atMs: number): number => time.at(Math.min(atMs, lengthMs) / MINUTE_MS);
  const lanes = (['network', 'exchange', 'process'] as const).flatMap((target, index) => {
    const struck = strikes.filter((strike) => strike.target === target);
    const middle = y + index * LANE + LANE / 2;
    return [
      text(
        left - 12,
        middle + 4,
        `${target === 'process' ? 'put to sleep' : `faults of the ${target}`}, ${struck.length}`,
        '',
        'end',
      ),
      ...struck.map(
        ({ atMs, name }) =>
          `<g><title>${escaped(name)}, ${(atMs / 1_000).toFixed(0)} s</title>${line(x(atMs), middle - 7, x(atMs), middle + 7, `${target} fault`)}</g>`,
      ),
    ];
  });
  const livesY = y + 3 * LANE + 3;
  return [
    ...lanes,
    text(left - 12, livesY + 11, `many lives, ${lives.length}`, '', 'end'),
    ...lives.map(({ death, fromMs, toMs }) =>
      box(
        x(fromMs),
        livesY,
        x(toMs) - x(fromMs) - 1,
        14,
        death === 'SIGKILL' ? 'killed' : 'lived',
        `${death}, ${((toMs - fromMs) / 1_000).toFixed(1)} s`,
      ),
    ),
    ...drawTime(time, y + 4 * LANE + 2, y),
  ];
}

const drawTime = (time: Axis, bottom: number, top: number): string[] =>
  time.ticks.flatMap((tick, index) => [
    line(time.at(tick), top, time.at(tick), bottom, 'grid'),
    text(time.at(tick), bottom + 15, index === 0 ? '0 min' : tick.toFixed(time.decimals), 'tick', 'middle'),
  ]);

function drawPanel(
  { figure, points, verdict }: Panel,
  picture: Picture,
  x: number,
  y: number,
  width: number,
): string[] {
  const { lengthMs, warmUpMs, strikes } = picture;
  const [left, right, top, bottom] = [x + GUTTER, x + width, y + TITLE, y + TITLE + PANEL];
  const time = timeAxis(lengthMs / MINUTE_MS, 8, left, right);
  const shown = points.length === 0 ? [0, 1] : points.map(({ value }) => value);
  const axis = valueAxis(shown, 4, bottom, top);
  const place = ({ atMs, value }: Point): [number, number] => [
    time.at(Math.min(atMs, lengthMs) / MINUTE_MS),
    axis.at(value),
  ];
  const path = points
    .map((point) =>
      place(point)
        .map((one) => one.toFixed(1))
        .join(','),
    )
    .join(' ');
  // A line through spikes may leave the panel.
  const inside = ([atX, atY]: [number, number]): [number, number] => [
    atX,
    Math.min(bottom, Math.max(top, atY)),
  ];
  const [from, to] = [inside(place(verdict.from)), inside(place(verdict.to))];
  const isJudged = figure.perHour !== undefined && verdict.outcome !== 'too short';
  return [
    box(left, top, Math.min(right, time.at(warmUpMs / MINUTE_MS)) - left, PANEL, 'shade'),
    text(x, y + 12, figure.name, 'name'),
    text(right, y + 12, judgement(figure, verdict), toneOf(verdict), 'end'),
    ...axis.ticks.flatMap((tick) => [
      line(left, axis.at(tick), right, axis.at(tick), 'grid'),
      text(
        left - 8,
        axis.at(tick) + 4,
        `${tick.toFixed(axis.decimals)}${figure.unit && ` ${figure.unit}`}`,
        'tick',
        'end',
      ),
    ]),
    ...drawTime(time, bottom, top),
    // The more of them, the fainter: they are ground, not figure.
    `<g opacity="${Math.min(0.2, 16 / strikes.length).toFixed(3)}">`,
    ...strikes.map(({ atMs, target }) => {
      const at = time.at(Math.min(atMs, lengthMs) / MINUTE_MS);
      return line(at, top, at, bottom, target);
    }),
    '</g>',
    `<polyline points="${path}" class="line"/>`,
    ...(isJudged ? [line(...from, ...to, 'fit')] : []),
  ];
}

const toneOf = ({ outcome }: Verdict): string =>
  isBad(outcome) ? 'bad' : outcome === 'flat' ? 'good' : 'dim';

/** What became of a figure, in words. */
export function judgement({ unit, perHour, most }: Figure, verdict: Verdict): string {
  const amount = (value: number): string =>
    `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)}${unit && ` ${unit}`}`;
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${amount(Math.abs(value))}`;
  if (verdict.outcome === 'too much') return `too much: ${amount(verdict.most)}, not ${amount(most)} at most`;
  if (verdict.outcome === 'not measured') return 'NOT MEASURED';
  if (verdict.outcome === 'too short') return `too short to say; at most ${amount(verdict.most)}`;
  if (perHour === undefined) return `${signed(verdict.growth)}`;
  const word = verdict.outcome === 'grows' ? 'GROWS' : 'flat';
  return `${word}: ${signed(verdict.growth)}, for sure ${signed(verdict.growthLeast)}; allowed ${amount(verdict.allowed)}`;
}
