/** What the long commands have in common: numbers that they are told, and what becomes of wrong ones. */

/** @throws {RangeError} that names the flag, what was given and what is allowed. */
export function numberOf<Name extends string>(
  values: { readonly [name in Name]: string },
  name: Name,
  from: number,
  to: number,
  kind: 'a number' | 'a whole number' = 'a whole number',
): number {
  const value = values[name].trim() === '' ? Number.NaN : Number(values[name]);
  const isFitting = kind === 'a number' || Number.isSafeInteger(value);
  if (value >= from && value <= to && isFitting) return value;
  throw new RangeError(`--${name}: ${values[name]} is not ${kind} from ${from} to ${to}`);
}

/** What a command is told; undefined: that was wrong usage, which has been said, and it is to end with 2. */
export function toldOf<Told>(read: () => Told): Told | undefined {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
    return undefined;
  }
}
