/** The page's colours for whoever draws on a canvas: read from the theme, and again when it changes. */
export interface Colours {
  readonly panel: string;
  readonly line: string;
  readonly text: string;
  readonly dim: string;
  readonly accent: string;
  readonly up: string;
  readonly down: string;
  readonly stream: string;
  readonly rest: string;
  readonly vision: string;
  readonly gap: string;
  readonly font: string;
}

export function readColours(element: Element): Colours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim() || '#888888';
  return {
    panel: of('panel'),
    line: of('line'),
    text: of('text'),
    dim: of('dim'),
    accent: of('accent'),
    up: of('bar-up'),
    down: of('bar-down'),
    stream: of('stream'),
    rest: of('rest'),
    vision: of('vision'),
    gap: of('gap'),
    font: style.getPropertyValue('--sans').trim() || 'sans-serif',
  };
}

/** The same colour, `share` of it. The theme's are `#rrggbb`; any other is left as it is. */
export const faded = (colour: string, share: number): string =>
  /^#[0-9a-f]{6}$/i.test(colour)
    ? `${colour}${Math.round(share * 255)
        .toString(16)
        .padStart(2, '0')}`
    : colour;
