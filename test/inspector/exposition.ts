/**
 * A strict reader of Prometheus' text format 0.0.4, as its documentation has it: stricter than Prometheus itself, which
 * takes much that `promtool` and the conventions do not.
 */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Line[];
}

export interface Line {
  /** With the suffix of a histogram's part. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/u;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"/u;
/** NaN is allowed by the format; here nothing has a reason to be no number. */
const VALUE = /^[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)$/u;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/** The families of a text, by name. Throws, with the line, at the first thing that is not as it should be. */
export function readExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family & { samples: Line[] }>();
  const seen = new Set<string>();
  let current: (Family & { samples: Line[] }) | undefined;
  let help: { name: string; text: string } | undefined;
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const refuse = (why: string): never => {
      throw new Error(`line ${index + 1}: ${why}: ${line}`);
    };
    if (line === '') continue;
    if (line.startsWith('# HELP ')) {
      const [, name = '', words = ''] = /^# HELP (\S+) (.+)$/u.exec(line) ?? refuse('a HELP without words');
      if (/\\[^\\n]|\\$/u.test(words)) refuse('an escape that is none');
      help = { name, text: words };
    } else if (line.startsWith('# TYPE ')) {
      const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/u.exec(line) ?? refuse('a TYPE without a type');
      if (!TYPES.includes(type)) refuse('a type that is none');
      if (help?.name !== name) refuse('a TYPE without its HELP');
      if (NAME.exec(name)?.[0] !== name) refuse('a name that is none');
      if (families.has(name)) refuse('a family for the second time');
      current = { name, type, help: help?.text ?? '', samples: [] };
      families.set(name, current);
    } else if (line.startsWith('#')) refuse('a comment');
    else {
      const sample = readLine(line, refuse);
      const suffixes = PARTS[current?.type ?? ''] ?? [''];
      if (!suffixes.some((suffix) => sample.name === `${current?.name}${suffix}`))
        refuse('outside its family');
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(identity)) refuse('a line for the second time');
      seen.add(identity);
      current?.samples.push(sample);
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function readLine(line: string, refuse: (why: string) => never): Line {
  const name = NAME.exec(line)?.[0] ?? refuse('a name that is none');
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    for (rest = rest.slice(1); !rest.startsWith('}'); ) {
      const [whole, key = '', value = ''] = LABEL.exec(rest) ?? refuse('a label that is none');
      if (key in labels) refuse('a label for the second time');
      labels[key] = value.replace(/\\([\\n"])/gu, (_, it: string) => (it === 'n' ? '\n' : it));
      rest = rest.slice(whole.length);
      if (rest.startsWith(',')) rest = rest.slice(1);
      else if (!rest.startsWith('}')) refuse('labels without a comma');
    }
    rest = rest.slice(1);
  }
  if (!rest.startsWith(' ') || !VALUE.test(rest.slice(1))) refuse('a value that is none');
  const word = rest.slice(1).replace('Inf', 'Infinity');
  return { name, labels, value: Number(word) };
}

function checkFamily({ name, type, samples }: Family): void {
  const refuse = (why: string): never => {
    throw new Error(`${name}: ${why}`);
  };
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) refuse('a counter below 0');
  if (type !== 'histogram') return;
  const series = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const lines of series.values()) {
    const buckets = lines.filter((line) => line.name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? '').replace('Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    if (bounds.some((bound, i) => !(bound > (bounds[i - 1] ?? -Infinity)))) refuse('bounds do not ascend');
    if (counts.some((count, i) => count < (counts[i - 1] ?? 0))) refuse('counts fall');
    if (bounds.at(-1) !== Infinity) refuse('no bucket for all');
    if (lines.find((line) => line.name === `${name}_count`)?.value !== counts.at(-1)) refuse('another count');
    if (!lines.some((line) => line.name === `${name}_sum`)) refuse('no sum');
  }
}

/** The value of the line with these labels, and no others. */
export function sampled(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/u, ''));
  const same = (line: Line): boolean =>
    line.name === name &&
    Object.keys(line.labels).length === Object.keys(labels).length &&
    Object.entries(labels).every(([key, value]) => line.labels[key] === value);
  return family?.samples.find(same)?.value;
}
