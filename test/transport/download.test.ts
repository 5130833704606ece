import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExchangeError } from '../../src/errors.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { type DownloadOptions, type DownloadPart, Downloads } from '../../src/transport/download.ts';
import { fastClock } from '../support/fast-clock.ts';
import { until, within } from '../support/wait.ts';
import { FakeClock } from './fake-clock.ts';

const FILE = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 31) % 251));
const ETAG = '"one"';

let server: Server;
let base: string;
let answer: (request: IncomingMessage, response: ServerResponse, number: number) => void;
let requests: IncomingMessage[];
const connections = new Set<Socket>();
const all: Downloads[] = [];

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    response.on('error', () => {});
    answer(request, response, requests.push(request) - 1);
  });
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const downloads of all.splice(0)) await downloads.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function create(options: Partial<DownloadOptions> = {}): Downloads {
  const downloads = new Downloads({ clock: systemClock, baseDelayMs: 5, ...options });
  all.push(downloads);
  return downloads;
}

interface Got {
  readonly kinds: string[];
  readonly bytes: Buffer;
}

/** All parts, put together as a consumer would. */
async function collect(parts: AsyncIterable<DownloadPart>): Promise<Got> {
  const kinds: string[] = [];
  let chunks: Uint8Array[] = [];
  for await (const part of parts) {
    if (part.kind === 'bytes') chunks.push(part.bytes);
    else {
      kinds.push(part.kind);
      chunks = [];
    }
  }
  return { kinds, bytes: Buffer.concat(chunks) };
}

const fetched = (downloads = create(), change: object = {}): Promise<Got> =>
  within(
    'the download',
    collect(downloads.get({ url: `${base}/a/file.zip?x=secret`, maxBytes: 200_000, ...change })),
  );

async function failure(downloads = create(), change: object = {}): Promise<ExchangeError> {
  const error = await fetched(downloads, change).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ExchangeError);
  expect((error as Error).message).not.toContain('secret');
  return error as ExchangeError;
}

/** Serves the file as a server does that knows ranges. */
function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { file = FILE, etag = ETAG, cutAfter = Number.POSITIVE_INFINITY } = {},
): void {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const isPart = from !== undefined && request.headers['if-range'] === etag;
  const start = isPart ? Number(from) : 0;
  response.writeHead(isPart ? 206 : 200, {
    'content-length': file.length - start,
    etag,
    ...(isPart && { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` }),
  });
  const part = file.subarray(start, start + cutAfter);
  if (start + part.length === file.length) response.end(part);
  else response.write(part, () => request.socket.destroySoon());
}

describe('a file', () => {
  test('comes as it is, with its size, and asks for no packing', async () => {
    answer = (request, response) => serve(request, response);
    const parts: DownloadPart[] = [];
    for await (const part of create().get({ url: `${base}/f`, maxBytes: 100_000 })) parts.push(part);
    expect(parts[0]).toEqual({ kind: 'begin', sizeBytes: FILE.length, etag: ETAG });
    expect(Buffer.concat(parts.slice(1).map((part) => (part as { bytes: Uint8Array }).bytes))).toEqual(FILE);
    expect(requests[0]?.headers['accept-encoding']).toBe('identity');
    expect(requests[0]?.headers.range).toBeUndefined();
  });

  test('that is not there is absent, and its connection is kept', async () => {
    answer = (_, response) => response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    let made = 0;
    server.on('connection', () => {
      made += 1;
    });
    const downloads = create({ connections: 1 });
    for (let n = 0; n < 5; n++) expect((await fetched(downloads)).kinds).toEqual(['absent']);
    expect([made, requests.length]).toEqual([1, 5]);
  });

  test('X05 that says that it is too large is not begun; one that does not is cut off', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-length': '200001' }).write('x');
    expect(await failure()).toMatchObject({ code: 'HTTP_TOO_LARGE', retryable: false });
    answer = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect(await failure()).toMatchObject({ code: 'HTTP_TOO_LARGE', retryable: false });
    expect(requests).toHaveLength(2);
    await until('the end of the connections', () => connections.size === 0);
  });

  test('that is packed on the way is unpacked, and not asked on from where it broke off', async () => {
    answer = (_, response, number) => {
      const packed = gzipSync(FILE, { level: 0 });
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length, etag: ETAG });
      if (number > 0) response.end(packed);
      else response.write(packed.subarray(0, 50_000), () => response.socket?.destroySoon());
    };
    expect(await fetched()).toEqual({ kinds: ['begin', 'begin'], bytes: FILE });
    expect(requests[1]?.headers.range).toBeUndefined();
  });
});

describe('what breaks off', () => {
  test('is asked on from where it ended', async () => {
    answer = (request, response, number) => serve(request, response, number < 3 ? { cutAfter: 20_000 } : {});
    expect(await fetched()).toEqual({ kinds: ['begin'], bytes: FILE });
    const asked = requests.map(({ headers }) => [headers.range, headers['if-range']]);
    expect(asked[0]).toEqual([undefined, undefined]);
    expect(asked.slice(1)).toEqual([20_000, 40_000, 60_000].map((from) => [`bytes=${from}-`, ETAG]));
  });

  test('begins anew when the file is another one by then', async () => {
    const other = FILE.toReversed();
    answer = (request, response, number) =>
      number === 0
        ? serve(request, response, { cutAfter: 30_000 })
        : serve(request, response, { file: Buffer.from(other), etag: '"two"' });
    expect(await fetched()).toEqual({ kinds: ['begin', 'begin'], bytes: Buffer.from(other) });
  });

  test('begins anew where a server knows no ranges, or sends another part, or another file as its rest', async () => {
    const replies = [
      (response: ServerResponse) =>
        response.writeHead(206, { 'content-range': 'bytes 20000-99999/100000' }).end(FILE.subarray(20_000)),
      (response: ServerResponse) =>
        response
          .writeHead(206, { 'content-range': `bytes 30000-99999/100000`, etag: '"two"' })
          .end(FILE.subarray(30_000)),
      (response: ServerResponse) => response.writeHead(416).end(),
      (response: ServerResponse) => response.writeHead(200).end(FILE),
    ];
    for (const reply of replies) {
      requests.length = 0;
      answer = (request, response, number) => {
        if (number === 0) serve(request, response, { cutAfter: 30_000 });
        else if (number === 1) reply(response);
        else serve(request, response);
      };
      expect(await fetched()).toEqual({ kinds: ['begin', 'begin'], bytes: FILE });
      expect(requests[1]?.headers.range).toBe('bytes=30000-');
    }
  });

  test('begins anew where the server gives nothing to know the file by, or but a weak tag', async () => {
    for (const etag of [undefined, 'W/"one"']) {
      requests.length = 0;
      answer = (_, response, number) => {
        response.writeHead(200, { 'content-length': FILE.length, ...(etag && { etag }) });
        if (number > 0) response.end(FILE);
        else response.write(FILE.subarray(0, 100), () => response.socket?.destroySoon());
      };
      expect((await fetched()).kinds).toEqual(['begin', 'begin']);
      expect(requests[1]?.headers.range).toBeUndefined();
    }
  });

  test('is given up after so many tries', async () => {
    answer = (request, response) => serve(request, response, { cutAfter: 1_000 });
    expect(await failure(create({ triesMax: 4 }))).toMatchObject({ code: 'HTTP_BROKEN', retryable: true });
    expect(requests).toHaveLength(4);
  });
});

describe('a refusal', () => {
  test.each([500, 502, 503, 504, 429, 408])('by status %i is asked again', async (status) => {
    answer = (request, response, number) =>
      number < 2 ? response.writeHead(status).end('<html>') : serve(request, response);
    expect((await fetched()).bytes).toEqual(FILE);
    expect(requests).toHaveLength(3);
  });

  test.each([
    [403, true],
    [451, false],
    [400, false],
    [410, false],
  ])('by status %i ends it at once', async (status, retryable) => {
    answer = (_, response) => response.writeHead(status).end('<html>');
    expect(await failure()).toMatchObject({ code: `HTTP_${status}`, status, retryable });
    expect(requests).toHaveLength(1);
  });

  test('says how long it lasts: nobody asks before, neither for another file', async () => {
    const arrivals: number[] = [];
    answer = (request, response, number) => {
      arrivals.push(performance.now());
      if (number === 0) response.writeHead(429, { 'retry-after': '20' }).end();
      else serve(request, response);
    };
    // Twenty seconds pass in 200 ms.
    const downloads = create({ clock: fastClock(100) });
    const first = fetched(downloads);
    await until('the refusal', () => requests.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = fetched(downloads);
    expect((await first).bytes).toEqual(FILE);
    expect((await second).bytes).toEqual(FILE);
    for (const arrival of arrivals.slice(1)) expect(arrival - arrivals[0]!).toBeGreaterThanOrEqual(200);
  });

  test('that lasts longer than there is time for is told at once, with its time', async () => {
    answer = (_, response) => response.writeHead(503, { 'retry-after': '3600' }).end();
    const downloads = create();
    expect((await failure(downloads)).retryAfterMs).toBeGreaterThanOrEqual(3_600_000);
    expect((await failure(downloads)).status).toBe(503);
    expect(requests).toHaveLength(1);
  });

  test('X15 that sends elsewhere is not followed', async () => {
    answer = (_, response) => response.writeHead(302, { location: '/other' }).end();
    expect(await failure(create({ triesMax: 1 }))).toMatchObject({ code: 'HTTP_UNREACHABLE' });
    expect(requests.map(({ url }) => url)).toEqual(['/a/file.zip?x=secret']);
  });
});

describe('a server that is slow', () => {
  test('is asked on when nothing came for so long, before the answer or within', async () => {
    answer = (request, response, number) => {
      if (number === 0) return;
      if (number > 1) return serve(request, response);
      response.writeHead(200, { 'content-length': FILE.length, etag: ETAG }).write(FILE.subarray(0, 9_000));
    };
    expect(await fetched(create({ idleTimeoutMs: 80 }))).toEqual({ kinds: ['begin'], bytes: FILE });
    expect(requests[2]?.headers.range).toBe('bytes=9000-');
  });

  test('may take its time as long as something comes', async () => {
    const clock = new FakeClock();
    let sender: ServerResponse | undefined;
    answer = (_, response) => {
      sender = response.writeHead(200, { 'content-length': '20' });
      response.write('x');
    };
    let bytes = 0;
    const downloads = create({ clock, idleTimeoutMs: 150 });
    for await (const part of downloads.get({ url: `${base}/f`, maxBytes: 200_000 })) {
      if (part.kind !== 'bytes') continue;
      bytes += part.bytes.byteLength;
      // The next one comes within the time, and all of them do not.
      setImmediate(() => void clock.advance(100).then(() => bytes < 20 && sender?.write('x')));
    }
    expect([bytes, requests.length]).toEqual([20, 1]);
  });

  test('drop by drop without an end is given up at the deadline', async () => {
    answer = (_, response) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    };
    const error = await failure(create({ timeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'HTTP_TIMEOUT', retryable: true });
    expect(error.message).toContain('200 ms');
    await until('the end of the connection', () => connections.size === 0);
  });

  test('is not taken for one when it is the reader who is slow', async () => {
    answer = (request, response) => serve(request, response);
    let bytes = 0;
    for await (const part of create({ idleTimeoutMs: 50 }).get({ url: `${base}/f`, maxBytes: 200_000 })) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 150));
      if (part.kind === 'bytes') bytes += part.bytes.byteLength;
    }
    expect([bytes, requests.length]).toEqual([FILE.length, 1]);
  });
});

describe('who asks', () => {
  test('may take it back in the middle, or between two tries: the reason is thrown', async () => {
    const replies = [
      (response: ServerResponse) => void response.writeHead(200, { 'content-length': '9999' }).write('x'),
      (response: ServerResponse) => void response.writeHead(503).end(),
    ];
    for (const reply of replies) {
      requests.length = 0;
      answer = (_, response) => reply(response);
      const mine = new AbortController();
      const asking = fetched(create({ baseDelayMs: 60_000 }), { signals: [mine.signal] });
      await until('the request', () => requests.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 30));
      mine.abort(new Error('no longer wanted'));
      await expect(asking).rejects.toThrow('no longer wanted');
    }
  });

  test('may leave before the end: the connection goes', async () => {
    answer = (_, response) => void response.writeHead(200, { 'content-length': '9999' }).write('x');
    for await (const part of create().get({ url: `${base}/f`, maxBytes: 200_000 }))
      if (part.kind === 'bytes') break;
    await until('the end of the connection', () => connections.size === 0);
  });

  test('is told when all is closed, and later too; nothing is left open', async () => {
    answer = (_, response) => void response.writeHead(200, { 'content-length': '9999' }).write('x');
    const downloads = create();
    const asking = failure(downloads);
    await until('the request', () => requests.length === 1);
    await within('close', downloads.close(), 1_000);
    expect(await asking).toMatchObject({ code: 'HTTP_CLOSED' });
    expect(await failure(downloads)).toMatchObject({ code: 'HTTP_CLOSED' });
    await until('the end of the connections', () => connections.size === 0);
    expect(requests).toHaveLength(1);
  });

  test('is told host and reason when nobody listens, after it was tried again', async () => {
    await new Promise((resolve) => server.close(resolve));
    const error = await failure();
    expect(error).toMatchObject({ code: 'HTTP_UNREACHABLE', status: 0, retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
    server.listen(0);
  });
});
