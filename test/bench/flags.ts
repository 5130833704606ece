/** What the benchmark is told on the command line. */
import { parseArgs } from 'node:util';
import { numberOf } from '../support/command.ts';
import { ENTRIES, FLOOR, OURS } from './contenders/catalog.ts';

export interface Flags {
  readonly rounds: number;
  /** Of one contender in one round, about: 1 in 250 closes a bar, so 250 to 4,500 for each stream. */
  readonly frames: number;
  /** Sizes, one after the other. */
  readonly streams: readonly number[];
  /** Ids of contenders; the floor is always among them. */
  readonly only: readonly string[] | undefined;
  readonly peers: boolean;
  readonly out: readonly string[];
  readonly readme: string | undefined;
  readonly check: boolean;
  readonly record: boolean;
  readonly baseline: string | undefined;
}

/** Streams are symbols times four intervals. */
const STREAMS_STEP = 4;
const STREAMS_MAX = 4_000;

function streamsOf(text: string): number[] {
  const sizes = text.split(',').map(Number);
  const isGood = (size: number): boolean =>
    Number.isSafeInteger(size / STREAMS_STEP) && size >= STREAMS_STEP && size <= STREAMS_MAX;
  if (sizes.every(isGood) && new Set(sizes).size === sizes.length) return sizes;
  throw new RangeError(
    `--streams: multiples of ${STREAMS_STEP} up to ${STREAMS_MAX}, each once, as 100,1000; given was ${text}`,
  );
}

function idsOf(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const ids = text.split(',');
  const unknown = ids.find((id) => !ENTRIES.some((entry) => entry.id === id));
  if (unknown === undefined) return [...new Set([...ids, FLOOR])];
  throw new RangeError(`--only: of ${ENTRIES.map(({ id }) => id).join()}; given was ${unknown}`);
}

function fileOf(flag: string, path: string | undefined, endings: readonly string[]): string | undefined {
  if (path === undefined || endings.some((ending) => path.endsWith(ending))) return path;
  throw new RangeError(`--${flag}: a file that ends with ${endings.join(' or ')}; given was ${path}`);
}

/** Throws an error that names the flag, what was given and what is allowed. */
export function readFlags(args: readonly string[]): Flags {
  const isQuick = args.includes('--quick');
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: isQuick ? '3' : '7' },
      frames: { type: 'string', default: isQuick ? '100000' : '300000' },
      streams: { type: 'string', default: isQuick ? '100' : '100,1000' },
      only: { type: 'string' },
      peers: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      out: { type: 'string', multiple: true, default: [] },
      readme: { type: 'string' },
      check: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      baseline: { type: 'string' },
    },
  });
  if (values.check && values.record)
    throw new RangeError('--check, --record: one of them: what was just recorded is never worse');
  const only = idsOf(values.only);
  const isPeer = (id: string): boolean =>
    ENTRIES.some((entry) => entry.id === id && entry.peer !== undefined);
  if (!values.peers && only?.some(isPeer))
    throw new RangeError('--only: names a peer, which takes part with --peers alone');
  if ((values.check || values.record) && only?.every((id) => !OURS.has(id)))
    throw new RangeError(`--${values.check ? 'check' : 'record'}: nothing of candlestate is among --only`);
  for (const path of values.out) fileOf('out', path, ['.json', '.md']);
  return {
    rounds: numberOf(values, 'rounds', 1, 100),
    frames: numberOf(values, 'frames', 100, 4_000_000),
    streams: streamsOf(values.streams),
    only,
    peers: values.peers,
    out: values.out,
    readme: fileOf('readme', values.readme, ['.md']),
    check: values.check,
    record: values.record,
    baseline: fileOf('baseline', values.baseline, ['.json']),
  };
}
