/**
 * How wide a text is: by a table, so that a drawing is the same wherever it is made. The advances are those of Helvetica,
 * which Arial and Liberation Sans share, in thousandths of the size.
 */
const BY_WIDTH: readonly (readonly [number, string])[] = [
  [191, "'"],
  [222, 'ijl'],
  [260, '|'],
  [278, ' !,./:;I[\\]ft'],
  [333, '()-`r“”'],
  [334, '{}'],
  [355, '"'],
  [389, '*'],
  [469, '^'],
  [500, 'Jckrsvxyz'],
  [556, '#$0123456789?L_abdeghnopqu'],
  [584, '+<=>~'],
  [611, 'FTZ'],
  [667, '&ABEKPSVXY'],
  [722, 'CDHNRUw'],
  [778, 'GOQ'],
  [833, 'Mm'],
  [889, '%'],
  [944, 'W'],
];
/** Any other: as wide as it is high. */
const OTHER = 1000;
/** A bold text is so much wider, at most. */
const BOLD = 1.09;
/** Fonts that stand in for those of the table are a little wider. */
const SPARE = 1.03;

const ADVANCE = new Map(
  BY_WIDTH.toReversed().flatMap(([width, text]) => [...text].map((it) => [it, width] as const)),
);

/** How far a text reaches, px at scale 1. */
export function textWidth(text: string, size: number, bold = false): number {
  let thousandths = 0;
  for (const letter of text) thousandths += ADVANCE.get(letter) ?? OTHER;
  return (thousandths / 1000) * size * (bold ? BOLD : 1) * SPARE;
}

/** Broken at blanks into lines no wider than `limit`, as far as words allow; each but the first begins with `indent`. */
export function wrapped(text: string, size: number, limit: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, size) > limit) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return [...lines, line];
}
