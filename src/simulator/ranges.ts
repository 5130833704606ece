/** Files as object storage answers them: with a tag, and in parts for who asks for a part. */

import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './rest.ts';

/** The file, or the part of it that the headers ask for, if it still is the file that they mean. */
export function answerFile(
  headers: IncomingHttpHeaders,
  bytes: Uint8Array,
  type: string,
  modifiedAt: number,
): Answer {
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  const modified = new Date(modifiedAt).toUTCString();
  const about = { 'accept-ranges': 'bytes', etag, 'last-modified': modified };
  const condition = headers['if-range'];
  const isSame = condition === undefined || condition === etag || condition === modified;
  const range = isSame ? readRange(headers.range, bytes.length) : undefined;
  if (range === undefined) return { status: 200, body: bytes, type, headers: about };
  if (range === 'none')
    return { status: 416, body: '', type, headers: { ...about, 'content-range': `bytes */${bytes.length}` } };
  const [from, to] = range;
  const part = `bytes ${from}-${to}/${bytes.length}`;
  return {
    status: 206,
    body: bytes.subarray(from, to + 1),
    type,
    headers: { ...about, 'content-range': part },
  };
}

/** First and last byte of a range; undefined where none is asked for that is understood, `none` where it is outside. */
function readRange(text: string | undefined, size: number): [number, number] | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(text ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return Number(last) === 0 ? 'none' : [Math.max(0, size - Number(last)), size - 1];
  const [from, to] = [Number(first), last === '' ? size - 1 : Math.min(Number(last), size - 1)];
  if (last !== '' && Number(last) < from) return undefined;
  return from >= size ? 'none' : [from, to];
}
