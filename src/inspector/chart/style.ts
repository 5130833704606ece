/** How a drawing looks. A page that shows one inside itself gives the colours by its own variables. */
const LIGHT = {
  bg: '#ffffff',
  panel: '#ffffff',
  line: '#74839a',
  text: '#0f172a',
  dim: '#475569',
  active: '#1d4ed8',
  taken: '#c026d3',
  after: '#92400e',
  error: '#b91c1c',
  done: '#036b4e',
  always: '#7c3aed',
};
const DARK: typeof LIGHT = {
  bg: '#0b1120',
  panel: '#111a2e',
  line: '#6b7a90',
  text: '#e2e8f0',
  dim: '#a3b1c6',
  active: '#60a5fa',
  taken: '#e879f9',
  after: '#fbbf24',
  error: '#f87171',
  done: '#34d399',
  always: '#a78bfa',
};

/** A name of its own, so that the page's variable wins over both themes. */
const variables = (theme: typeof LIGHT): string =>
  Object.entries(theme)
    .map(([name, colour]) => `--chart-${name}:var(--${name},${colour})`)
    .join(';');

const kindRules = (['after', 'error', 'done', 'always'] as const)
  .map(
    (kind) => `.statechart .edge.${kind} .line{stroke:var(--chart-${kind})}
.statechart .edge.${kind} .head{fill:var(--chart-${kind})}
.statechart .label.${kind} text{fill:var(--chart-${kind})}`,
  )
  .join('\n');

/** Each holder of states is so much darker than what holds it: enough to be told apart, and no text is hard to read. */
const SHADE = 0.015;
/** What is active is tinted so much: its texts have colours of their own. */
const ACTIVE_PERCENT = 15;

/** The ground that texts in a state that holds others are on: each holder shades what is below it a little. */
const SHADES = [0, 1, 2, 3, 4, 5, 6]
  .map((depth) => {
    const percent = Math.round((1 - (1 - SHADE) ** (depth + 1)) * 1000) / 10;
    return `.statechart .d${depth}{--shade:color-mix(in srgb,var(--chart-text) ${percent}%,var(--chart-bg))}`;
  })
  .join('\n');

export const STYLE = `.statechart{${variables(LIGHT)};background:var(--chart-bg);font-family:Helvetica,Arial,'Liberation Sans',sans-serif;font-size:11px}
@media (prefers-color-scheme:dark){.statechart{${variables(DARK)}}}
.statechart text{fill:var(--chart-text);white-space:pre}
.statechart .state .box{fill:var(--chart-panel);stroke:var(--chart-line);stroke-width:1.2}
.statechart .state.holder .box{fill:var(--chart-text);fill-opacity:${SHADE}}
${SHADES}
.statechart .holder text{paint-order:stroke;stroke:var(--shade);stroke-width:3px;stroke-linejoin:round}
.statechart .holder .tag text{stroke:none}
.statechart .holder .tag rect{fill:var(--shade)}
.statechart .state.region .box{stroke-dasharray:6 4}
.statechart .state .inner,.statechart .state .rule{fill:none;stroke:var(--chart-line)}
.statechart .state .rule{stroke-opacity:.6}
.statechart .name{font-size:13px;font-weight:700}
.statechart .state .doing,.statechart .tag text{fill:var(--chart-dim)}
.statechart .tag rect{fill:none;stroke:var(--chart-line)}
.statechart .dot{fill:var(--chart-dim)}
.statechart .edge .line{fill:none;stroke:var(--chart-dim);stroke-width:1.3;stroke-linejoin:round}
.statechart .edge .head{fill:var(--chart-dim)}
.statechart .edge.after .line{stroke-dasharray:6 3}
.statechart .edge.error .line{stroke-dasharray:9 3 2 3}
.statechart .edge.always .line{stroke-dasharray:2 3}
.statechart .label rect{fill:var(--chart-bg);fill-opacity:.9}
.statechart .label.inside rect{fill:none}
${kindRules}
.statechart .edge.twin:not(.taken){display:none}
.statechart .state.active .box{stroke:var(--chart-active);stroke-width:3;stroke-dasharray:none}
.statechart .state.active:not(.holder) .box{fill:color-mix(in srgb,var(--chart-active) ${ACTIVE_PERCENT}%,var(--chart-panel))}
.statechart .state.active .name{fill:var(--chart-active)}
.statechart .edge.taken .line{stroke:var(--chart-taken);stroke-width:3.4;stroke-dasharray:none}
.statechart .edge.taken .head{fill:var(--chart-taken);stroke:var(--chart-taken);stroke-width:2}
.statechart .label.taken rect,.statechart .label.inside.taken rect{fill:var(--chart-taken);fill-opacity:1}
.statechart .label.taken text{stroke:none;fill:var(--chart-bg)}`;
