/** The drawings in `docs` are of the machines as they are now, can be read, and stand alone. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, describe as group, test } from 'vitest';
import { createMachine } from 'xstate';
import { describe } from '../../../src/inspector/chart/describe.ts';
import { COMMAND, gallery } from '../../../src/inspector/chart/gallery.ts';
import { layOut } from '../../../src/inspector/chart/layout.ts';
import { overlaps } from '../../../src/inspector/chart/legible.ts';
import { svgOf } from '../../../src/inspector/chart/svg.ts';
import { filesBelow, importsOf, ROOT, read } from '../../architecture/source.ts';

const files = await gallery();
const drawings = [...files].filter(([path]) => path.endsWith('.svg'));

group('docs/charts', () => {
  test.each([...files.keys()])('docs/%s is what the machines are', (path) => {
    expect(read(`docs/${path}`), `stale; draw it again with: ${COMMAND}`).toBe(files.get(path));
  });

  test('holds a drawing for each machine, and no other', () => {
    const drawn = readdirSync(join(ROOT, 'docs/charts')).map((name) => `charts/${name}`);
    expect(drawn.sort()).toEqual(drawings.map(([path]) => path).sort());
    expect(drawn).toHaveLength(filesBelow('machines', '.machine.ts').length);
  });

  test('is named by docs/charts.md, each with what it is for', () => {
    const page = files.get('charts.md') ?? '';
    for (const [path] of drawings) expect(page).toContain(`(${path})`);
    const purposes = [...page.matchAll(/^\| \[\w+\]\(#\w+\) \| (.*) \|$/gm)].map((row) => row[1]);
    expect(purposes).toHaveLength(drawings.length);
    expect(purposes.filter((purpose) => (purpose?.length ?? 0) < 30)).toEqual([]);
  });

  test('comes out the same a second time', async () => {
    expect(await gallery()).toEqual(files);
  });
});

group('a drawing', () => {
  test.each(drawings)(
    '%s stands alone: no script, nothing from elsewhere, no ids, tenths of pixels',
    (_, svg) => {
      expect(svg).not.toMatch(/<script|\son\w+=|<foreignObject|javascript:/i);
      expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
        /https?:|url\(|@import|href=/i,
      );
      expect(svg).not.toMatch(/\sid="/);
      expect(svg.replace(/<style>[\s\S]*<\/style>/, '')).not.toMatch(/\d\.\d\d/);
    },
  );

  test.each(drawings)('%s has no text below 10.5 px', (_, svg) => {
    const sizes = [...svg.matchAll(/font-size:([\d.]+)px/g)].map((size) => Number(size[1]));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(10.5);
  });

  test('shows what a machine can be made of', async () => {
    const machine = createMachine({
      id: 'every',
      initial: 'a',
      states: {
        a: {
          tags: 'ready',
          description: 'The <first> one',
          entry: 'begin',
          exit: 'leave',
          on: {
            GO: [
              { guard: 'may', target: 'b' },
              { target: 'c', actions: { type: 'say', params: { why: 'no way' } } },
            ],
          },
          after: { 2000: 'b', patience: { target: 'b', reenter: true } },
          always: { guard: 'atOnce', target: 'b' },
        },
        b: { on: { STAY: { actions: 'count' }, HUSH: {}, AGAIN: { target: 'b', reenter: true } } },
        c: { type: 'parallel', onDone: 'd', states: { left: {}, right: {} } },
        d: { type: 'final' },
      },
    });
    const svg = svgOf('every', await layOut(describe(machine), { labels: 'MEDIAN', seed: 1 }));
    for (const words of [
      'GO [may]',
      'GO [else]',
      '/ say “no way”',
      'after 2 s',
      'after patience',
      'always [atOnce]',
      'entry / begin',
      'exit / leave',
      'STAY / count',
      'ignores HUSH',
      '↻ AGAIN',
      '>done<',
      '>ready<',
      'every.a: The &lt;first&gt; one',
    ])
      expect(svg).toContain(words);
    expect(svg).toMatch(/class="state final[^"]*" data-state="every\.d"/);
    expect(svg).toMatch(/class="state atomic region" data-state="every\.c\.left"/);
  });

  test('that cannot be read is told from one that can', async () => {
    const go = createMachine({ id: 'm', initial: 'a', states: { a: { on: { GO: 'b' } }, b: {} } });
    const drawing = await layOut(describe(go), { labels: 'MEDIAN', seed: 1 });
    expect(overlaps(drawing)).toEqual([]);
    const label = { ...drawing.labels[0]!, ...{ x: drawing.boxes[1]!.x, y: drawing.boxes[1]!.y } };
    expect(overlaps({ ...drawing, labels: [label] })).toEqual([expect.stringContaining('label m.a|GO|0')]);
    const across = {
      edges: [],
      points: [
        { x: 0, y: label.y + 5 },
        { x: 500, y: label.y + 5 },
      ],
    };
    expect(overlaps({ ...drawing, lines: [across] })).toEqual([expect.stringContaining('state m.a')]);
  });
});

test('nothing that runs beside a collector loads elk', () => {
  const reached = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { specifier, typeOnly } of importsOf(read(path))) {
      if (typeOnly) continue;
      if (specifier.startsWith('.')) visit(join(path, '..', specifier));
      else packages.add(specifier);
    }
  };
  for (const entry of ['src/index.ts', 'src/cli/main.ts', 'src/inspector/start.ts', 'machines/index.ts'])
    visit(entry);
  expect(packages).toContain('xstate');
  expect([...packages].filter((name) => name.startsWith('elk'))).toEqual([]);
});
