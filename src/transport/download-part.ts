/** How far a download has come, and whether an answer goes on with it. */
import { ExchangeError } from '../errors.ts';

export type DownloadPart =
  /** The server has no such file; nothing else comes. */
  | { readonly kind: 'absent' }
  /** The bytes of the file come from its first one on; those that came before are void. */
  | { readonly kind: 'begin'; readonly sizeBytes: number | undefined; readonly etag: string | undefined }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** What is known of a file of which a part has come. */
export class Progress {
  #received = 0;
  #total: number | undefined;
  /** By which the server can tell whether it is still the same file. */
  #validator: string | undefined;

  get received(): number {
    return this.#received;
  }

  /** Headers that ask for the rest alone; none when there is nothing to go on with. */
  get headers(): Record<string, string> {
    return this.#received === 0 || this.#validator === undefined
      ? {}
      : { range: `bytes=${this.#received}-`, 'if-range': this.#validator };
  }

  /** An answer that has the whole file. Returns how large it is, where it says so. */
  begin({ headers }: Response): number | undefined {
    this.forget();
    // What was packed on the way has other bytes, and another length, than what is asked for.
    if (headers.has('content-encoding')) return undefined;
    const length = headers.get('content-length') ?? '';
    if (/^\d{1,15}$/.test(length)) this.#total = Number(length);
    const etag = headers.get('etag');
    // A weak one says that the file means the same, not that it is the same bytes. (RFC 9110, 13.1.5)
    this.#validator =
      etag !== null && !etag.startsWith('W/') ? etag : (headers.get('last-modified') ?? undefined);
    return this.#total;
  }

  /** Whether this partial answer goes on exactly where the bytes ended, in the same file. */
  isContinuedBy({ headers }: Response): boolean {
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    const etag = headers.get('etag');
    return (
      this.#received > 0 &&
      Number(first) === this.#received &&
      (total === '*' || this.#total === undefined || Number(total) === this.#total) &&
      (etag === null || !this.#validator?.startsWith('"') || etag === this.#validator)
    );
  }

  add(bytes: Uint8Array): void {
    this.#received += bytes.byteLength;
  }

  /** Less came than was announced. */
  get isShort(): boolean {
    return this.#total !== undefined && this.#received < this.#total;
  }

  /** Nothing is kept: the next answer begins anew. */
  forget(): void {
    this.#received = 0;
    this.#total = undefined;
    this.#validator = undefined;
  }
}

export const tooLarge = (name: string, maxBytes: number): ExchangeError =>
  new ExchangeError(`${name} is larger than ${maxBytes} bytes`, {
    code: 'HTTP_TOO_LARGE',
    status: 200,
    retryable: false,
  });
