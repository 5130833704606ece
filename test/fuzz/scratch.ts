/** A folder for files that are to be read as files: made when it is needed, gone when its part has ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scratch {
  #folder: string | undefined;

  path(name: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'candlestate-fuzz-'));
    return join(this.#folder, name);
  }

  /** It may be used again. */
  remove(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}
