import { readFileSync, statSync } from 'node:fs';
import { ConfigurationError } from '../errors.ts';
import { nearest, printable, printableUnknown } from '../options.ts';
import type { Source } from './settings.ts';

const BYTES_MAX = 1_048_576;

const refuse = (option: string, given: string, allowed: string, cause?: unknown): never => {
  throw new ConfigurationError([{ option, given, allowed }], cause);
};

function readJson(path: string): object {
  const given = printable(path);
  let text: string;
  try {
    const facts = statSync(path);
    if (!facts.isFile() || facts.size > BYTES_MAX)
      return refuse('--config', given, 'a JSON file of at most 1 MB');
    text = readFileSync(path, 'utf8').replace(/^\ufeff/u, '');
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    return refuse('--config', given, 'a file that can be read', error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold secrets.
    return refuse('--config', given, 'a file with JSON, as {"symbols": ["BTCUSDT"], "stopTimeout": "5s"}');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return refuse('--config', given, 'a file with one JSON object, as {"symbols": ["BTCUSDT"]}');
}

/**
 * The settings in a JSON file, named as the flags but in camel case. A name that is not a setting is refused,
 * so that a typing error can't be taken for a default.
 */
export function fileSource(path: string, names: readonly string[]): Source {
  const values = readJson(path);
  const unknown = Object.entries(values).filter(([name]) => !names.includes(name));
  if (unknown.length > 0) {
    throw new ConfigurationError(
      unknown.map(([name, value]) => {
        const meant = nearest(name, names);
        const hint = meant === undefined ? `known are ${names.join(', ')}` : `did you mean ${meant}?`;
        const option = `--config (${printable(name)} in ${printable(path)})`;
        return { option, given: printableUnknown(value, name), allowed: `there is no such setting; ${hint}` };
      }),
    );
  }
  const nulls = Object.entries(values).filter(([, value]) => value === null);
  if (nulls.length > 0) {
    throw new ConfigurationError(
      nulls.map(([name]) => ({
        option: `--config (${name} in ${printable(path)})`,
        given: 'null',
        allowed: 'leave it out to get the default',
      })),
    );
  }
  return { values: { ...values }, nameOf: (setting) => `${setting} in ${printable(path)}` };
}
