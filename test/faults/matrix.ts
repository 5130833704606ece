/** The fault matrix: its rows, the tests that are named after them, and the document that brings both together. */

/** Groups of rows, in the order of the document. */
export const GROUPS = {
  C: 'Connection',
  P: 'Subscription and messages',
  D: 'Truth of the data',
  H: 'History and repair',
  T: 'Time',
  S: 'Store and crashes',
  B: 'Load, consumers, logs',
  L: 'Lifecycle',
  A: 'Actors',
  O: 'Options',
  X: 'Security',
} as const;

const ID = `[${Object.keys(GROUPS).join('')}]\\d\\d`;

export interface Row {
  readonly id: string;
  readonly fault: string;
}

/** Rows of the tables of a text: whatever has an id in its first cell; the fault is in the second. */
export const rowsOf = (text: string): Row[] =>
  [...text.matchAll(new RegExp(`^\\| (${ID}) \\| ((?:\\\\.|[^\\\\|\\n])*?) \\|`, 'gmu'))].map(
    ([, id = '', fault = '']) => ({ id, fault: fault.replace(/, see [\w-]+\.md/u, '') }),
  );

/** A row as it is shown by a file. */
export interface Shown {
  readonly id: string;
  readonly path: string;
}

/**
 * Ids at the start of titles. A title is the first text behind `test(`, `describe(`, `test.each(…)(` and the like, or
 * the first cell of a table's row where that begins a line.
 */
const TITLE = new RegExp(
  `(?:\\b(?:test|it|describe)(?:\\.\\w+)*\\(\\s*|\\)\\(\\s*|^\\s*\\[?\\s*)(['"\`])(${ID}):? `,
  'gmu',
);
/** In a list of cases that a test and a command share: any text that begins with an id. */
const CASE = new RegExp(`(['"\`])(${ID}):? `, 'gmu');
/** What a command shows that no quick test does, said in the comment at its head. */
const BY_COMMAND = new RegExp(`^ \\* Rows of the fault matrix: ((?:${ID}(?:, )?)+)\\.`, 'mu');

export function shownBy(path: string, source: string): Shown[] {
  const isTest = path.endsWith('.test.ts');
  const titles = [...source.matchAll(isTest ? TITLE : CASE)].map(([, , id = '']) => id);
  const [, listed] = (!isTest && BY_COMMAND.exec(source)) || [];
  return [...new Set([...titles, ...(listed?.split(', ') ?? [])])].map((id) => ({ id, path }));
}

/** Ids that a list of drawn faults names: texts of their own. */
export const drawnIn = (source: string): string[] =>
  [...source.matchAll(new RegExp(`(['"\`])(${ID})\\1`, 'gu'))].map(([, , id = '']) => id);

/** A part of the document, from its mark to the end mark or the next heading. */
export const between = (text: string, from: string, to: string): string =>
  text.split(from)[1]?.split(to)[0] ?? '';

const wordsIn = (text: string, section: string): Map<string, string> =>
  new Map(rowsOf(between(text, `## ${section}\n`, '\n## ')).map(({ id, fault }) => [id, fault]));

/** Of what is written in the section about them: id → why it has no test. */
export const reasonsIn = (text: string): Map<string, string> => wordsIn(text, 'Rows without a test');

/** The same: id → what of the row no test shows. */
export const unshownIn = (text: string): Map<string, string> => wordsIn(text, 'Shown in part');

export const BEGIN = '<!-- rows -->\n';
export const END = '<!-- /rows -->';

/** What is known of the rows. */
export interface Evidence {
  readonly shown: readonly Shown[];
  /** Ids of the rows that the simulation draws its faults from. */
  readonly drawn: ReadonlySet<string>;
  readonly reasons: ReadonlyMap<string, string>;
  /** Rows of which something is not shown. */
  readonly unshown: ReadonlyMap<string, string>;
}

/** The tables of the document: each row with the files that show it. */
export function tablesOf(rows: readonly Row[], { shown, drawn, reasons, unshown }: Evidence): string {
  const files = Map.groupBy(shown, ({ id }) => id);
  const cell = (id: string): string => {
    const paths = [...new Set(files.get(id)?.map(({ path }) => path))].sort();
    const links = paths.map((path) => `[${path.replace(/^test\/|(?:\.test)?\.ts$/gu, '')}](../${path})`);
    if (unshown.has(id)) links.push('[in part](#shown-in-part)');
    return links.join(', ') || (reasons.has(id) ? '[none](#rows-without-a-test)' : 'none');
  };
  return Object.entries(GROUPS)
    .map(([group, title]) => {
      const lines = rows
        .filter(({ id }) => id.startsWith(group))
        .map(({ id, fault }) => `| ${id} | ${fault} | ${cell(id)} | ${drawn.has(id) ? 'yes' : ''} |\n`);
      return `## ${title}\n\n| row | fault | shown by | simulated |\n| --- | --- | --- | --- |\n${lines.join('')}`;
    })
    .join('\n');
}
