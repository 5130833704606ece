/** Every statechart of the project, drawn: the files below `docs` that show them. */
import { readFileSync } from 'node:fs';
import { type AnyStateMachine, StateMachine } from 'xstate';
import * as machines from '../../../machines/index.ts';
import { type Chart, describe } from './describe.ts';
import { type Drawing, layOut, type Take } from './layout.ts';
import { overlaps } from './legible.ts';
import { svgOf } from './svg.ts';

export const COMMAND = 'npm run charts';

const drawn = Object.values(machines).filter((it): it is AnyStateMachine => it instanceof StateMachine);

/** From what stands outermost to what is inside: first a process, then the collector's actors, then what is apart. */
const ORDER = [
  'process',
  'supervisor',
  'component',
  'collector',
  'feed',
  'connection',
  'klineStream',
  'restSession',
  'store',
];
const place = ({ id }: AnyStateMachine): number =>
  (ORDER.indexOf(id) + ORDER.length + 1) % (ORDER.length + 1);

/** Path below `docs` → content: a drawing for each machine, and the page that shows them all. */
export async function gallery(): Promise<Map<string, string>> {
  const sorted = drawn.toSorted((a, b) => place(a) - place(b) || a.id.localeCompare(b.id));
  const files = new Map<string, string>();
  for (const machine of sorted) {
    const chart = describe(machine);
    files.set(`charts/${machine.id}.svg`, svgOf(chart.id, await draw(chart)));
  }
  return files.set('charts.md', page(sorted));
}

/** Which of elk's ways suits a chart best, as judged by eye. */
const TAKES: Readonly<Record<string, Take>> = {
  process: { labels: 'MEDIAN', seed: 5 },
  supervisor: { labels: 'SPACE_EFFICIENT', seed: 2 },
  component: { labels: 'TAIL', seed: 2 },
  collector: { labels: 'TAIL', seed: 2 },
  connection: { labels: 'SPACE_EFFICIENT', seed: 9 },
  klineStream: { labels: 'SPACE_EFFICIENT', seed: 1 },
  restSession: { labels: 'HEAD', seed: 3 },
  store: { labels: 'TAIL', seed: 2 },
  history: { labels: 'HEAD', seed: 2 },
  cleanup: { labels: 'MEDIAN', seed: 2 },
};
const SEEDS = 8;

/** The first way that can be read: a chart that has grown may need another one than before. */
async function draw(chart: Chart): Promise<Drawing> {
  const others = Array.from({ length: SEEDS }, (_, index): Take => ({ labels: 'MEDIAN', seed: index + 1 }));
  const [first = others[0]!, ...rest] = [
    ...(TAKES[chart.id] === undefined ? [] : [TAKES[chart.id]!]),
    ...others,
  ];
  const drawing = await layOut(chart, first);
  if (overlaps(drawing).length === 0) return drawing;
  for (const take of rest) {
    const other = await layOut(chart, take);
    if (overlaps(other).length === 0) return other;
  }
  return drawing;
}

/** `klineStream` → `kline-stream.machine.ts` */
const fileOf = ({ id }: AnyStateMachine): string =>
  `${id.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.machine.ts`;

/** What a machine is for: the first words of its file. */
function purposeOf(machine: AnyStateMachine): string {
  const source = readFileSync(new URL(`../../../machines/${fileOf(machine)}`, import.meta.url), 'utf8');
  const [, head = ''] = /^\/\*\*\s*\n((?: \* .+\n)+)/.exec(source) ?? [];
  // A list may follow.
  return head.replaceAll(/^ \* /gm, '').trim().replaceAll('\n', ' ').replace(/:$/, '.');
}

const page = (sorted: readonly AnyStateMachine[]): string => `# Statecharts

Every statechart in \`machines/\`, drawn from the machine itself. The inspector's page shows the same drawings and marks in
them what is active and what has just happened. A test fails when they are stale. They are drawn by

    ${COMMAND}

| chart | what it is |
| --- | --- |
${sorted.map((machine) => `| [${machine.id}](#${machine.id.toLowerCase()}) | ${purposeOf(machine)} |`).join('\n')}

## How to read them

| drawn as | means |
| --- | --- |
| solid, grey | an event, by its name |
| dashed, amber: \`after pingInterval\` | a delay that ran out while the state was active, by its name |
| solid, green: \`done: permit\` | a child has ended well; \`any child\`: whichever it was |
| dash and dot, red: \`error: permit\` | a child has failed |
| dotted, violet: \`always\` | taken as soon as its guard holds |
| \`[isQuiet]\`, \`[else]\` | only if; when the ones before it were not |
| \`/ noteEnd “no answer”\` | what is done on the way, with the text that is given along |
| \`CLOSE → closed\` inside a state | a transition that leads out of what the state is in, or into the state itself: its line begins there |
| \`PROBE / probe\` inside a state | done without leaving the state |
| \`↻ after backoff\` | leaves the state and enters it again |
| \`ignores CLOSE\` | heard here, and nothing is done; else what holds the state would act on it |
| \`invoke / permit\`, \`entry /\`, \`exit /\` | a child that lives as long as the state; what is done on entering and leaving |
| a dot | where a state is entered that holds others |
| a dashed frame | a region: active together with those beside it |
| a double frame | final: the machine has ended |
| a word in a pill | a tag: what others ask for, instead of the state's name |

${sorted.map(section).join('\n\n')}
`;

const section = (machine: AnyStateMachine): string => `## ${machine.id}

${purposeOf(machine)}

From [machines/${fileOf(machine)}](../machines/${fileOf(machine)});
[its transitions as a list](transitions.md#${machine.id.toLowerCase()}).

![Statechart ${machine.id}](charts/${machine.id}.svg)`;
