/** What a soak is told on the command line. */
import { parseArgs } from 'node:util';
import { numberOf } from '../support/command.ts';

export interface Flags {
  readonly minutes: number;
  readonly seed: number;
  readonly streams: number;
  readonly svg: string | undefined;
  readonly verbose: boolean;
}

/** Throws an error that names the flag, what was given and what is allowed. */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(1 + (Date.now() % 1_000_000)) },
      streams: { type: 'string', default: '20' },
      svg: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  if (values.svg?.trim() === '') throw new RangeError('--svg: the path of a file, as soak.svg');
  return {
    minutes: numberOf(values, 'minutes', 0.5, 10_080, 'a number'),
    seed: numberOf(values, 'seed', 1, Number.MAX_SAFE_INTEGER),
    streams: numberOf(values, 'streams', 1, 40),
    svg: values.svg,
    verbose: values.verbose,
  };
}
