/** What is answered, and the headers that go with everything. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../ports.ts';
import type { Refusal } from './guard.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
export const HTML = 'text/html; charset=utf-8';

export const text = (status: number, body: string, headers: Answer['headers'] = {}): Answer => ({
  status,
  type: TEXT,
  body: `${body}\n`,
  headers,
});

export const json = (status: number, value: unknown): Answer => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify(value),
});

/** What it brings is not read: so there is no next request behind it. */
export const refused = ({ status, text: why }: Refusal): Answer =>
  text(status, why, { connection: 'close', ...(status === 405 && { allow: 'GET' }) });

export const NOT_FOUND: Answer = text(404, 'there is nothing here');

/** The page needs nothing from elsewhere, and nobody else may show it or read it. `frames`: what it may show within. */
export const policyOf = (frames?: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    // Drawings and lists are styled by their elements.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    ...(frames === undefined ? [] : [`frame-src ${frames}`]),
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': policyOf(),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** Headers of an answer; its own win. */
export function headersOf({ type, body, headers }: Answer): Record<string, string> {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  return { ...HEADERS, 'content-type': type, 'content-length': String(length), ...headers };
}

/** Sends it. A reader that has not taken it in time is cut off, whatever it says meanwhile. */
export function send(response: ServerResponse, answer: Answer, clock: Clock, timeoutMs: number): void {
  if (response.destroyed || response.headersSent) return;
  const late = clock.setTimeout(() => response.destroy(), timeoutMs);
  response.once('close', () => clock.clearTimeout(late));
  response.writeHead(answer.status, headersOf(answer));
  response.end(answer.body);
}
