/** Lines of figures, and which of them are beyond their bounds. */

export class Findings {
  readonly #beyond: string[] = [];

  say(what: string, value: string | number, isWithin = true): void {
    process.stdout.write(`${what.padEnd(46)} ${value}${isWithin ? '' : '  ← beyond its bound'}\n`);
    if (!isWithin) this.#beyond.push(what);
  }

  /** A number that must be below its bound; one that is not known is not. */
  below(what: string, value: number, bound: number, unit: string): void {
    this.say(what, `${round(value)} ${unit}, below ${Math.round(bound)}`, value < bound);
  }

  /** Nothing must be wrong. */
  none(what: string, faults: readonly string[], good: string | number): void {
    this.say(what, faults.length === 0 ? good : faults.join(', '), faults.length === 0);
  }

  /** The process is to exit with 1 when a bound was passed. */
  end(): void {
    if (this.#beyond.length > 0) process.exitCode = 1;
  }
}

export const round = (value: number): string => (value < 100 ? value.toFixed(1) : String(Math.round(value)));
export const mib = (bytes: number): number => bytes / 1_048_576;
