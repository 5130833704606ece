/** What happened in a simulated world, as lines: the same seed gives the same lines, and so the same hash. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

/** Text that is gathered before it is hashed and written, characters. */
const CHUNK = 65_536;

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #file: number | undefined;
  readonly #now: () => number;
  #text = '';
  #lines = 0;

  /** @param path a file that gets every line. */
  constructor(now: () => number, path?: string) {
    this.#now = now;
    this.#file = path === undefined ? undefined : openSync(path, 'w');
  }

  /** Notes that something happened now. */
  add(kind: string, what: string): void {
    this.#text += `${this.#now().toFixed(3)} ${kind} ${what}\n`;
    this.#lines += 1;
    if (this.#text.length > CHUNK) this.#flush();
  }

  get lines(): number {
    return this.#lines;
  }

  /** Of everything that was noted. Nothing can be noted afterwards. */
  end(): string {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    return this.#hash.digest('hex');
  }

  #flush(): void {
    this.#hash.update(this.#text);
    if (this.#file !== undefined) writeSync(this.#file, this.#text);
    this.#text = '';
  }
}

const DEPTH_MAX = 6;

/** A value as text, with everything that is in it and nothing that differs from run to run, as stacks do. */
export function plainText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return `[${value.map((one) => plainText(one, depth + 1)).join(' ')}]`;
  const own = Object.entries(value).map(([name, one]) => `${name}=${plainText(one, depth + 1)}`);
  if (!(value instanceof Error)) return `{${own.join(' ')}}`;
  const cause = value.cause === undefined ? '' : ` cause=${plainText(value.cause, depth + 1)}`;
  return `${value.name}(${value.message}${cause}${own.length === 0 ? '' : ` ${own.join(' ')}`})`;
}
