/** The examples for operators, read as Prometheus and Grafana would, and held to what a collector really tells. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as machines from '../../machines/index.ts';
import type { Ailment, CollectorHealth } from '../../src/health.ts';
import { RECONNECT_CAUSES } from '../../src/vitals.ts';
import { HEALTH, metricsOf } from './collector-figures.ts';
import { type Family, readExposition } from './exposition.ts';
import { leafStates, panelOffences, promqlOffences, variableOffences } from './monitoring-rules.ts';

const COMMAND = 'UPDATE=1 npx vitest run test/inspector/monitoring.test.ts';
const place = (name: string): URL => new URL(`../../docs/monitoring/${name}`, import.meta.url);
const near = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const read = (name: string): string => readFileSync(place(name), 'utf8');

/** All metrics, with everything in them that has a line only when it is known, and the states that there can be. */
async function allMetrics(): Promise<Map<string, Family>> {
  const states = Object.values(machines).flatMap(leafStates);
  const text = await metricsOf({
    vitals: {
      lastFrameAgeMs: 1,
      commits: { took: { bounds: [5], counts: [0, 0], count: 0, sum: 0 }, lastAgoMs: 1 },
      exchangeTime: 1,
    },
    actors: Object.fromEntries(states),
  }).text();
  const all = readExposition(text);
  // Garbage may not have been collected yet.
  const name = 'nodejs_gc_duration_seconds';
  const collected = { name: `${name}_sum`, labels: { kind: 'minor' }, value: 0 };
  return new Map([...all, [name, { ...all.get(name)!, samples: [collected] }]]);
}
const metrics = await allMetrics();

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly expr: string;
    readonly refId: string;
    readonly legendFormat: string;
  }[];
}

const { groups } = parse(read('alerts.yml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

describe('alerts.yml', () => {
  test('has rules of different names, each with what an operator needs at night', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
    for (const rule of rules) {
      expect(
        Object.keys(rule).filter((key) => !['alert', 'expr', 'for', 'labels', 'annotations'].includes(key)),
      ).toEqual([]);
      expect(rule.alert).toMatch(/^Candlestate[A-Z]\w+$/u);
      expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
      expect(rule.for ?? '1m', rule.alert).toMatch(/^\d+[smh]$/u);
      expect(Object.keys(rule.annotations), rule.alert).toEqual(['summary', 'description', 'runbook']);
      for (const words of Object.values(rule.annotations))
        expect(words.length, rule.alert).toBeGreaterThan(10);
      expect(`${rule.annotations['description']}${rule.annotations['runbook']}`, rule.alert).toMatch(/\.$/u);
    }
  });

  test('asks only for what there is', () => {
    expect(rules.flatMap(({ expr }) => promqlOffences(expr, metrics))).toEqual([]);
  });

  test('speaks only of labels that the alert has', () => {
    const named = rules.flatMap(({ annotations }) =>
      [
        ...Object.values(annotations)
          .join(' ')
          .matchAll(/\$labels\.(\w+)/gu),
      ].map(([, label]) => label),
    );
    expect(new Set(named)).toEqual(new Set(['instance']));
  });
});

/** Prometheus' own tool, where it is installed. */
const promtool = (args: readonly string[], input?: string) =>
  spawnSync('promtool', args, { input, encoding: 'utf8', timeout: 15_000 });
const hasPromtool = promtool(['--version']).status === 0;

describe.runIf(hasPromtool)('promtool', () => {
  test('each alert fires when it should, and none when all is well', () => {
    const { status, stdout, stderr } = promtool(['test', 'rules', near('alerts.promtool.yml')]);
    expect(stdout + stderr).toContain('SUCCESS');
    expect(status).toBe(0);
    const tried = readFileSync(near('alerts.promtool.yml'), 'utf8');
    expect(rules.map(({ alert }) => alert).filter((alert) => !tried.includes(alert))).toEqual([]);
  });

  test('the configuration and the text of /metrics are of the form', async () => {
    const config = promtool(['check', 'config', fileURLToPath(place('prometheus.yml'))]);
    expect([config.status, config.stderr]).toEqual([0, '']);
    const { stderr } = promtool(['check', 'metrics'], await metricsOf({}).text());
    expect(stderr.split('\n').filter((line) => line.startsWith('candlestate_'))).toEqual([]);
  });
});

describe('grafana.json', () => {
  const dashboard = JSON.parse(read('grafana.json')) as {
    schemaVersion: number;
    id: unknown;
    uid: string;
    title: string;
    panels: Panel[];
    templating: { list: { name: string; type: string; query: string | { query: string } }[] };
    annotations: { list: { expr: string }[] };
  };
  const { panels, templating } = dashboard;

  test('is a dashboard that can be imported anywhere', () => {
    expect(dashboard).toMatchObject({ id: null, uid: 'candlestate', title: 'candlestate' });
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Promise', 'Data path', 'Network', 'Process']);
    expect(panels.flatMap((panel) => panelOffences(panel, panels))).toEqual([]);
  });

  test('asks only for what there is', () => {
    const expressions = [
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...dashboard.annotations.list.map(({ expr }) => expr),
    ];
    expect(expressions.length).toBeGreaterThan(30);
    expect(expressions.flatMap((expr) => promqlOffences(expr, metrics))).toEqual([]);
    expect(templating.list.flatMap((variable) => variableOffences(variable, metrics))).toEqual([]);
  });

  test('shows every metric of the collector', () => {
    const text = read('grafana.json');
    const ours = [...metrics.keys()].filter((name) => name.startsWith('candlestate_'));
    // What other panels show as well: the mode says whether all sockets are proved, the offset what time it is.
    const elsewhere = ['candlestate_connected', 'candlestate_exchange_time_seconds'];
    expect(ours.filter((name) => !new RegExp(`${name}\\b|${name}_bucket`, 'u').test(text))).toEqual(
      elsewhere,
    );
  });
});

test('prometheus.yml scrapes the job that the others count on, and loads the rules', () => {
  expect(parse(read('prometheus.yml'))).toMatchObject({
    rule_files: ['alerts.yml'],
    scrape_configs: [{ job_name: 'candlestate', static_configs: [{ targets: ['127.0.0.1:8787'] }] }],
  });
});

describe('README.md', () => {
  /** First cells, without their quotes, of the table between two marks. */
  const keysOf = (mark: string): string[] => {
    const [, table = ''] =
      new RegExp(`<!-- ${mark} -->\\n([\\s\\S]*?)<!-- /${mark} -->`, 'u').exec(read('README.md')) ?? [];
    return [...table.matchAll(/^\| `(\w+)`/gmu)].map(([, key = '']) => key);
  };

  test('its table of metrics is what a collector tells', () => {
    const rows = [...metrics.values()]
      .filter(({ name }) => name.startsWith('candlestate_'))
      .map(({ name, type, help, samples }) => {
        const labels = Map.groupBy(
          samples.flatMap(({ labels }) => Object.entries(labels)).filter(([label]) => label !== 'le'),
          ([label]) => label,
        );
        const words = [...labels].map(([label, pairs]) => {
          const values = [...new Set(pairs.map(([, value]) => value))];
          const isClosed = !['version', 'machine'].includes(label) && name !== 'candlestate_actors';
          return isClosed ? `\`${label}\`: ${values.join(', ')}` : `\`${label}\``;
        });
        return `| \`${name}\` | ${type} | ${words.join('; ')} | ${help} |\n`;
      });
    const table = `| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n${rows.join('')}`;
    const written = read('README.md').replace(
      /(?<=<!-- metrics: .* -->\n)[\s\S]*(?=<!-- \/metrics -->)/u,
      () => table,
    );
    expect(written).toContain(table);
    if (process.env['UPDATE'] === '1') writeFileSync(place('README.md'), written);
    expect(read('README.md'), `stale; write it again with: ${COMMAND}`).toBe(written);
  });

  test('every other metric that it names is there', () => {
    const named = [...read('README.md').matchAll(/`((?:nodejs|process)_\w+)`/gu)].map(
      ([, name = '']) => name,
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !metrics.has(name))).toEqual([]);
  });

  test('it tells every key of /healthz, every problem and every cause of a reconnect', () => {
    const health: Required<CollectorHealth> = { ...HEALTH, lastFrameAgeMs: 1 };
    const problems: Record<Ailment['problem'], true> = { mute: true, overdue: true, store: true };
    expect(keysOf('problems')).toEqual(Object.keys(problems));
    expect(keysOf('healthz').sort()).toEqual(Object.keys(health).sort());
    expect(keysOf('causes')).toEqual([...RECONNECT_CAUSES]);
  });
});

describe('the checks can fail', () => {
  test.each([
    ['rate(candlestate_frames_total[5m]', 'no expression'],
    ['candlestate_frame_total > 0', 'no metric'],
    [
      'histogram_quantile(0.9, rate(candlestate_close_lag_seconds[5m]))',
      'the parts of a histogram alone have lines',
    ],
    ['candlestate_streams{status="mute"} > 0', 'no label'],
    ['candlestate_streams{state="deaf"} > 0', 'no value'],
    ['candlestate_actors{machine="restSession",state="open.barred"} > 0', 'no state of that machine'],
    ['candlestate_collector_state{state=~"connecting|streeming"}', 'one of the values'],
    ['sum by (symbol) (candlestate_streams)', 'no label to sum by'],
    ['1 > 0', 'nothing is asked'],
  ])('%s: %s', (expression) => expect(promqlOffences(expression, metrics)).not.toEqual([]));

  test('a panel that overlaps another, has no unit or no words', () => {
    const panel = {
      id: 1,
      type: 'timeseries',
      title: 'a',
      description: 'Words.',
      datasource: { uid: ['$', '{datasource}'].join('') },
      fieldConfig: { defaults: { unit: 's' } },
      gridPos: { x: 0, y: 0, w: 8, h: 8 },
      targets: [{ expr: 'up', refId: 'A', legendFormat: 'a' }],
    };
    expect(panelOffences(panel, [panel])).toEqual([]);
    expect(panelOffences(panel, [panel, { ...panel, id: 2 }])).toHaveLength(1);
    expect(panelOffences(panel, [panel, { ...panel, gridPos: { ...panel.gridPos, x: 8 } }])).toHaveLength(1);
    expect(panelOffences({ ...panel, gridPos: { ...panel.gridPos, x: 20 } }, [])).toHaveLength(1);
    expect(panelOffences({ ...panel, description: '' }, [])).toHaveLength(1);
    expect(panelOffences({ ...panel, fieldConfig: { defaults: { unit: 'seconds' } } }, [])).toHaveLength(1);
    expect(panelOffences({ ...panel, datasource: { uid: 'mine' } }, [])).toHaveLength(1);
    expect(panelOffences({ ...panel, targets: [] }, [])).toHaveLength(1);
  });
});
