/** What `scale:burst` and `scale:pressure` are told on the command line, and what becomes of wrong flags. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { numberOf, toldOf } from '../support/command.ts';

/** Without these V8 lets its young generation grow to 128 MB, and the old one far beyond what lives in it. */
const CAREFUL = '--optimize-for-size --max-semi-space-size=4';
/** What the exchange knows how to number. */
const SYMBOLS_MAX = 1_000;
/** As the collector has it. */
const BUFFER_MAX = 100_000;

export interface BurstFlags {
  readonly symbols: number;
  readonly framesPerSecond: number;
  /** Closes of midnight come within so long, wall ms. */
  readonly spreadMs: number;
  readonly bufferSize: number;
  readonly memoryMiB: number;
  readonly nodeArgs: readonly string[];
  readonly short: boolean;
}

export interface PressureFlags<Situation extends string> {
  readonly symbols: number;
  readonly timeScale: number;
  readonly seconds: number;
  readonly bufferSize: number;
  readonly situations: readonly Situation[];
}

/** @throws {Error} that names the flag. */
export function burstFlags(args: readonly string[]): BurstFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      symbols: { type: 'string', default: '667' },
      'frames-per-second': { type: 'string', default: '2' },
      spread: { type: 'string', default: '1000' },
      'buffer-size': { type: 'string', default: '500' },
      'memory-mib': { type: 'string', default: '150' },
      'node-args': { type: 'string', default: CAREFUL },
      short: { type: 'boolean', default: false },
    },
  });
  return {
    symbols: numberOf(values, 'symbols', 1, SYMBOLS_MAX),
    framesPerSecond: numberOf(values, 'frames-per-second', 0.01, 100, 'a number'),
    spreadMs: numberOf(values, 'spread', 0, 60_000),
    bufferSize: numberOf(values, 'buffer-size', 1, BUFFER_MAX),
    memoryMiB: numberOf(values, 'memory-mib', 1, 100_000),
    nodeArgs: values['node-args'].split(' ').filter((argument) => argument !== ''),
    short: values.short,
  };
}

/** `known`: all that may be slow. @throws {Error} that names the flag. */
export function pressureFlags<Situation extends string>(
  args: readonly string[],
  known: readonly Situation[],
): PressureFlags<Situation> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      symbols: { type: 'string', default: '667' },
      'time-scale': { type: 'string', default: '60' },
      seconds: { type: 'string', default: '30' },
      'buffer-size': { type: 'string', default: '500' },
      while: { type: 'string', default: known.join() },
    },
  });
  const situations = values.while.split(',').map((name) => {
    const situation = known.find((one) => one === name);
    if (situation !== undefined) return situation;
    throw new RangeError(`--while: of ${known.join()}; given was ${name}`);
  });
  return {
    symbols: numberOf(values, 'symbols', 1, SYMBOLS_MAX),
    timeScale: numberOf(values, 'time-scale', 0.1, 3_600, 'a number'),
    seconds: numberOf(values, 'seconds', 0.1, 3_600, 'a number'),
    bufferSize: numberOf(values, 'buffer-size', 1, BUFFER_MAX),
    situations,
  };
}

/** Ends the process with 2 when it was told wrong, or when nothing is built. */
export function told<Flags>(read: (args: readonly string[]) => Flags): Flags {
  const flags = toldOf(() => {
    const all = read(process.argv.slice(2));
    if (!existsSync(new URL('../../dist/index.js', import.meta.url)))
      throw new Error('dist/ is missing: npm run build');
    return all;
  });
  return flags ?? process.exit();
}
