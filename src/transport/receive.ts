import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Dispatcher, request } from 'undici';
import { ExchangeError } from '../errors.ts';

/** An answer, its body whole and unpacked. */
export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export interface ReceiveOptions {
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
  /** Of the body as it comes, and of what it unpacks to. */
  readonly maxBytes: number;
  /** The head of the answer has come. */
  began(): void;
}

/** As Node's `fetch` sends them, but for the packings that it knows. */
const HEADERS = { accept: '*/*', 'accept-language': '*', 'accept-encoding': 'gzip', 'user-agent': 'node' };
/** Statuses that send elsewhere, by the standard of `fetch`. */
const ELSEWHERE: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const unpackGzip = promisify(gunzip);

/** GETs without following anywhere. The body is collected as it comes, never more than `maxBytes` of it. */
export async function receive(url: string, options: ReceiveOptions): Promise<Received> {
  const { dispatcher, signal, maxBytes } = options;
  const answer = await request(url, { dispatcher, signal, headers: HEADERS });
  const { statusCode: status, body } = answer;
  // Who iterates is told. Of what nobody iterates, or not yet, an error would be thrown at the process.
  body.on('error', () => {});
  const headers = headersOf(answer.headers);
  if (ELSEWHERE.has(status) && headers.has('location')) {
    body.destroy();
    throw new Error(`it is sent elsewhere by HTTP ${status}`);
  }
  options.began();
  const tooLarge = (): ExchangeError =>
    new ExchangeError(`the answer is larger than ${maxBytes} bytes`, {
      code: 'HTTP_TOO_LARGE',
      status,
      retryable: true,
    });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const packed = Buffer.concat(chunks, length);
  const packing = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (length === 0 || packing === 'identity') return { status, headers, bytes: packed };
  if (packing !== 'gzip' && packing !== 'x-gzip') throw new Error(`its body is packed by ${packing}`);
  const bytes = await unpackGzip(packed, { maxOutputLength: maxBytes }).catch((error: unknown) => {
    throw isTooLarge(error) ? tooLarge() : error;
  });
  return { status, headers, bytes };
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, value = ''] of Object.entries(raw))
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  return headers;
}
