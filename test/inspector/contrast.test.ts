/** Colours can be told from what is behind them: WCAG 2.2 AA, computed from the styles themselves, in both themes. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { STYLE } from '../../src/inspector/chart/style.ts';

type Colour = readonly number[];
type Palette = Readonly<Record<string, Colour>>;

const TEXT_MIN = 4.5;
const GRAPHIC_MIN = 3;

const colour = (hex: string): Colour => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
const palette = (css: string, pattern: RegExp): Palette =>
  Object.fromEntries([...css.matchAll(pattern)].map(([, name = '', hex = '']) => [name, colour(hex)]));

const theme = readFileSync(new URL('../../src/inspector/page/style/theme.css', import.meta.url), 'utf8');
const page = theme.split('[data-theme="dark"]').map((css) => palette(css, /--([\w-]+): (#[0-9a-f]{6})/g));
const drawn = STYLE.split('prefers-color-scheme:dark').map((css) =>
  palette(css, /--chart-(\w+):var\(--\w+,(#[0-9a-f]{6})\)/g),
);

const luminance = (of: Colour): number => {
  const [r = 0, g = 0, b = 0] = of.map((part) => {
    const share = part / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one: Colour, other: Colour): number => {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const mixed = (one: Colour, share: number, other: Colour): Colour =>
  one.map((part, at) => part * share + (other[at] ?? 0) * (1 - share));

function tooClose(colours: Palette, names: readonly string[], grounds: Palette, least: number): string[] {
  return names.flatMap((name) =>
    Object.entries(grounds).flatMap(([ground, behind]) => {
      const ratio = contrast(colours[name] ?? behind, behind);
      return ratio < least ? [`${name} on ${ground}: ${ratio.toFixed(2)}`] : [];
    }),
  );
}

const share = (pattern: RegExp): number => Number(pattern.exec(STYLE)?.[1]);

describe.each([
  ['light', page[0] ?? {}, drawn[0] ?? {}],
  ['dark', page[1] ?? {}, drawn[1] ?? {}],
])('in the %s theme', (_, colours, ownColours) => {
  test('the texts of the page', () => {
    const { bg, panel, raised } = colours as Record<string, Colour>;
    const grounds = { bg, panel, raised, selected: colours['accent-soft'] } as Palette;
    expect(tooClose(colours, ['text', 'dim', 'accent', 'good', 'warn', 'bad'], grounds, TEXT_MIN)).toEqual(
      [],
    );
    const marks = ['after', 'error', 'done', 'stream', 'rest', 'vision', 'bar-up', 'bar-down', 'taken'];
    expect(tooClose(colours, marks, { panel } as Palette, TEXT_MIN)).toEqual([]);
    for (const name of ['good', 'warn', 'bad', 'going', 'dim'])
      expect(contrast(colours[name]!, mixed(colours[name]!, 0.13, panel!)), `pill ${name}`).toBeGreaterThan(
        TEXT_MIN,
      );
  });

  test.each([
    ['on the page', { ...colours, bg: colours['ground']!, line: colours['outline']! }],
    ['by itself', ownColours],
  ])('a statechart %s', (_where, of) => {
    const shade = share(/fill-opacity:(\.?[\d.]+)\}/);
    const { text, bg, panel, active } = of as Record<'text' | 'bg' | 'panel' | 'active', Colour>;
    const holders = Object.fromEntries(
      Array.from({ length: 6 }, (__, depth) => [
        `holder ${depth}`,
        mixed(text, 1 - (1 - shade) ** (depth + 1), bg),
      ]),
    );
    const tinted = mixed(active, share(/--chart-active\) (\d+)%/) / 100, panel);
    const kinds = ['after', 'error', 'done', 'always'];
    expect(
      tooClose(of, ['text', 'dim', 'active', ...kinds], { bg, panel, tinted, ...holders }, TEXT_MIN),
    ).toEqual([]);
    expect(tooClose(of, ['bg'], { taken: of['taken']! }, TEXT_MIN)).toEqual([]);
    expect(tooClose(of, ['taken', 'active', 'line'], { bg, panel, ...holders }, GRAPHIC_MIN)).toEqual([]);
  });
});
