/** What `simulation.ts` is told. */
import { closeSync, openSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { numberOf } from '../support/command.ts';
import { STREAMS_MAX } from './draw/draw.ts';

export interface Flags {
  readonly seed: number;
  readonly seeds: number;
  readonly days: number;
  readonly streams: number;
  readonly parallel: number;
  readonly trace: string | undefined;
  readonly coverage: boolean;
  readonly shrink: boolean;
  readonly regressions: boolean;
  /** For one that was started by another: the verdict as JSON. */
  readonly json: boolean;
}

const SEED_MAX = 2 ** 31 - 1;
const DAYS_MAX = 366;

/** @throws {RangeError | TypeError} with what is wrong, for the user. */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      days: { type: 'string', default: '1' },
      streams: { type: 'string', default: '20' },
      parallel: { type: 'string', default: '1' },
      trace: { type: 'string' },
      coverage: { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
      regressions: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const flags: Flags = {
    seed: numberOf(values, 'seed', 1, SEED_MAX),
    seeds: numberOf(values, 'seeds', 1, 1_000_000),
    days: numberOf(values, 'days', 0.01, DAYS_MAX, 'a number'),
    streams: numberOf(values, 'streams', 1, STREAMS_MAX),
    parallel: numberOf(values, 'parallel', 1, 64),
    trace: values.trace,
    coverage: values.coverage,
    shrink: values.shrink,
    regressions: values.regressions,
    json: values.json,
  };
  for (const name of ['trace', 'shrink'] as const)
    if (flags[name] && flags.seeds > 1)
      throw new RangeError(`--${name} is for one seed, not for ${flags.seeds}`);
  if (flags.seed + flags.seeds - 1 > SEED_MAX)
    throw new RangeError(`--seeds: ${flags.seeds} from ${flags.seed} on are more than up to ${SEED_MAX}`);
  if (flags.trace !== undefined) checkPath(flags.trace);
  return flags;
}

/** The file is there afterwards, and empty. */
function checkPath(path: string): void {
  try {
    closeSync(openSync(path, 'w'));
  } catch (error) {
    throw new RangeError(`--trace: ${(error as Error).message}`);
  }
}
