/** Mutations of JSON that mostly leave it JSON: what is at a place, what it is called, how it is written. */
import { oneOf } from '../support/seeded.ts';
import { upTo } from './bytes.ts';

type Random = () => number;

/** JSON as it is written: keys may be there twice, and numbers spelled in odd ways. */
type Node =
  | { kind: 'leaf'; text: string }
  | { kind: 'list'; items: Node[] }
  | { kind: 'object'; entries: [key: string, value: Node][] };

const leaf = (text: string): Node => ({ kind: 'leaf', text });

/** What may stand in any place; some of it is no JSON. */
const ODD: readonly string[] = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1',
  '1.0',
  '1.5',
  '1e3',
  '1E+3',
  '1e400',
  '-1e400',
  '1e-400',
  '007',
  '-00',
  '0x10',
  'NaN',
  'Infinity',
  'undefined',
  '9007199254740991',
  '9007199254740992',
  '9223372036854775807',
  '1e15',
  '""',
  '" "',
  '"0"',
  '"-0"',
  '"-1"',
  '"1"',
  '"1."',
  '".5"',
  '"+1"',
  '"1e5"',
  '"1e400"',
  '"1,5"',
  '"NaN"',
  '"Infinity"',
  '"0x1"',
  '"1\\n"',
  '"\\u0031"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"币安人生USDT"',
  '"١٢٣"',
  '"x\'; DROP TABLE candles--"',
  '"../../x"',
  '"__proto__"',
  '"constructor"',
  '"kline"',
  '"1m"',
  '"1M"',
  '"1mo"',
  '"1H"',
  '"btcusdt@kline_1m"',
  `"${'9'.repeat(400)}"`,
  `"0.${'0'.repeat(400)}1"`,
  '"0.1000000000000000055511151231257827"',
  '[]',
  '{}',
  '[[]]',
  '{"__proto__":{}}',
  '{"e":"kline"}',
  '{"code":3,"msg":"x"}',
]; // prettier-ignore

const NAMES: readonly string[] = [
  ...'eEskxtTifLohlcvqnVQB',
  ...[
    'stream',
    'data',
    'result',
    'error',
    'id',
    'code',
    'msg',
    '__proto__',
    'constructor',
    'toString',
    'x\0',
    '币',
    '',
  ],
];

function treeOf(value: unknown): Node {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(treeOf) };
  if (typeof value !== 'object' || value === null) return leaf(JSON.stringify(value));
  return {
    kind: 'object',
    entries: Object.entries(value).map(([key, item]) => [JSON.stringify(key), treeOf(item)]),
  };
}

function write(node: Node, blank: string): string {
  if (node.kind === 'leaf') return node.text;
  if (node.kind === 'list') return `[${node.items.map((item) => write(item, blank)).join(`,${blank}`)}]`;
  const entries = node.entries.map(([key, item]) => `${key}:${blank}${write(item, blank)}`);
  return `{${blank}${entries.join(`,${blank}`)}${blank}}`;
}

/** All places, each as a way to put something else there. */
interface Place {
  readonly node: Node;
  put(node: Node): void;
}
function placesOf(node: Node, put: (node: Node) => void): Place[] {
  const inner =
    node.kind === 'list'
      ? node.items.flatMap((item, index) =>
          placesOf(item, (other) => {
            node.items[index] = other;
          }),
        )
      : node.kind === 'object'
        ? node.entries.flatMap((entry) =>
            placesOf(entry[1], (other) => {
              entry[1] = other;
            }),
          )
        : [];
  return [{ node, put }, ...inner];
}

/** The same text, letter by letter as escapes. */
const escaped = (text: string): string =>
  text.replace(/[a-zA-Z0-9.]/gu, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

function respelled(text: string, random: Random): string {
  if (text.startsWith('"')) return random() < 0.5 ? `"${escaped(text.slice(1, -1))}"` : text.slice(1, -1);
  return oneOf(
    [`"${text}"`, `${text}.0`, `${text}e0`, `-${text}`, `0${text}`, `${text}0`, ` ${text}`],
    random,
  );
}

/** A value that lies deep in lists or objects. */
function buried(node: Node, random: Random): Node {
  const depth = 1 + upTo(random() < 0.9 ? 3 : 2_000, random);
  const text = write(node, '');
  const [open, close] = oneOf(
    [
      ['[', ']'],
      ['{"k":', '}'],
      ['{"data":', '}'],
    ] as const,
    random,
  );
  return leaf(`${open.repeat(depth)}${text}${close.repeat(depth)}`);
}

/** Puts something else in a place. */
function editPlace(places: readonly Place[], random: Random): void {
  const place = oneOf(places, random);
  const dice = upTo(6, random);
  if (dice < 3) place.put(leaf(oneOf(ODD, random)));
  else if (dice === 3) place.put(buried(place.node, random));
  else if (place.node.kind === 'leaf') {
    const other = oneOf(places, random);
    const held = place.node;
    if (dice === 4) place.put(leaf(respelled(held.text, random)));
    else if (other.node.kind === 'leaf') {
      place.put(other.node);
      other.put(held);
    }
  }
}

/** Takes away, doubles, renames or adds what has a name. */
function editEntries(entries: [key: string, value: Node][], random: Random): void {
  const at = upTo(entries.length, random);
  const [key, value] = entries[at] as [string, Node];
  const name = JSON.stringify(oneOf(NAMES, random));
  const other = random() < 0.5 ? value : leaf(oneOf(ODD, random));
  const dice = upTo(4, random);
  if (dice === 0) entries.splice(at, 1);
  else if (dice === 1) entries.splice(upTo(entries.length, random), 0, [key, other]);
  else if (dice === 2) entries[at] = [random() < 0.3 ? `"${escaped(key.slice(1, -1))}"` : name, value];
  else entries.splice(at, 0, [name, other]);
}

function edit(root: { node: Node }, random: Random): void {
  const places = placesOf(root.node, (node) => {
    root.node = node;
  });
  const named = places.flatMap(({ node }) =>
    node.kind === 'object' && node.entries.length > 0 ? [node] : [],
  );
  if (random() < 0.6 || named.length === 0) editPlace(places, random);
  else editEntries(oneOf(named, random).entries, random);
}

/** The JSON of a value after one to three edits. */
export function mutateJson(value: unknown, random: Random): string {
  const root = { node: treeOf(value) };
  for (let edits = 1 + upTo(random() < 0.5 ? 1 : 3, random); edits > 0; edits--) edit(root, random);
  return write(root.node, random() < 0.9 ? '' : oneOf([' ', '\n ', '\t', '\r\n'], random));
}
