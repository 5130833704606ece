import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExchangeError } from '../../src/errors.ts';
import type { HttpClient, HttpRequest } from '../../src/ports.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { createHttpClient } from '../../src/transport/http.ts';
import { until, within } from '../support/wait.ts';

let client: HttpClient;
let server: Server;
let base: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[];
const connections = new Set<Socket>();

beforeEach(async () => {
  client = createHttpClient(systemClock);
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const get = (change: Partial<HttpRequest> = {}) =>
  client.get({ url: `${base}/fapi/v1/time?secret=abc`, timeoutMs: 5_000, maxBytes: 10_000, ...change });

async function failure(change: Partial<HttpRequest> = {}): Promise<ExchangeError> {
  const error = await within(
    'the failure',
    get(change).then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
  );
  expect(error).toBeInstanceOf(ExchangeError);
  // What was asked, beyond host and path, is nobody's business.
  expect((error as Error).message).not.toContain('abc');
  return error as ExchangeError;
}

test('H04 a deadline holds although the garbage collector runs while the body stalls', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  answer = (_, response) => void response.writeHead(200, { 'content-length': '100' }).write('[');
  const asking = Array.from({ length: 4 }, () => failure({ timeoutMs: 300 }));
  await until('the body has begun', () => requests.length === 4);
  for (let turn = 0; turn < 20; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const error of await Promise.all(asking)) expect(error.code).toBe('HTTP_TIMEOUT');
});

describe('an answer', () => {
  test.each([200, 400, 403, 404, 418, 429, 451, 500, 503])(
    'of status %i comes with headers and body',
    async (status) => {
      answer = (_, response) => {
        response
          .writeHead(status, { 'Retry-After': '7', 'X-MBX-USED-WEIGHT-1M': '22' })
          .end('<html>Ä</html>');
      };
      const got = await get();
      expect(got).toMatchObject({ status, text: '<html>Ä</html>' });
      expect(got.headers.get('retry-after')).toBe('7');
      expect(got.headers.get('x-mbx-used-weight-1m')).toBe('22');
      expect(requests).toHaveLength(1);
      expect(requests[0]?.method).toBe('GET');
    },
  );

  test('that is compressed is unpacked', async () => {
    answer = (request, response) => {
      expect(request.headers['accept-encoding']).toContain('gzip');
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync('{"serverTime":1}'));
    };
    expect((await get()).text).toBe('{"serverTime":1}');
  });

  test('without a body is an empty text, and no bytes', async () => {
    for (const packing of ['identity', 'gzip']) {
      answer = (_, response) => response.writeHead(204, { 'content-encoding': packing }).end();
      expect(await get()).toMatchObject({ status: 204, text: '', bytes: Buffer.alloc(0) });
    }
  });

  test('comes as the bytes that were sent, also those that are no text', async () => {
    const sent = Buffer.from([0, 0xff, 0xfe, 0x80, 0x5b]);
    answer = (_, response) => response.end(sent);
    expect(Buffer.from((await get()).bytes).equals(sent)).toBe(true);
    answer = (_, response) => response.setHeader('Content-Encoding', 'GZIP').end(gzipSync(sent));
    expect(Buffer.from((await get()).bytes).equals(sent)).toBe(true);
  });

  test('that is packed in a way that was not asked for is an error', async () => {
    answer = (_, response) => response.setHeader('Content-Encoding', 'br').end('[1]');
    expect(await failure()).toMatchObject({ code: 'HTTP_BROKEN', retryable: true });
  });

  test('that is compressed and cut off is an error, not half a body', async () => {
    const packed = gzipSync(Buffer.from('[1,2,3]'));
    answer = (_, response) => response.setHeader('Content-Encoding', 'gzip').end(packed.subarray(0, -9));
    expect(await failure()).toMatchObject({ code: 'HTTP_BROKEN', retryable: true });
  });

  test('split inside a letter is put together again', async () => {
    const bytes = Buffer.from('币安人生');
    answer = (_, response) => {
      response.write(bytes.subarray(0, 4), () => response.end(bytes.subarray(4)));
    };
    expect((await get()).text).toBe('币安人生');
  });

  test('X05 as large as allowed is taken; a byte more is refused', async () => {
    answer = (_, response) => response.end('x'.repeat(10_000));
    expect((await get()).text).toHaveLength(10_000);
    answer = (_, response) => response.end('x'.repeat(10_001));
    expect(await failure()).toMatchObject({ code: 'HTTP_TOO_LARGE', status: 200, retryable: true });
  });

  test('X05 that never ends is cut off at the bound, and its connection is let go', async () => {
    answer = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect(await failure()).toMatchObject({ code: 'HTTP_TOO_LARGE' });
    await until('the end of the connection', () => connections.size === 0);
  });

  test('X05 that is small but unpacks to much is refused', async () => {
    answer = (_, response) => {
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync('x'.repeat(5_000_000)));
    };
    expect(await failure()).toMatchObject({ code: 'HTTP_TOO_LARGE' });
  });

  test('X15 that sends elsewhere is not followed, whether it has an end or not', async () => {
    answer = (_, response) => response.writeHead(302, { Location: '/other' }).end();
    expect(await failure()).toMatchObject({ code: 'HTTP_UNREACHABLE', retryable: true });
    answer = (_, response) => void response.writeHead(307, { Location: '/other' }).write('and more');
    expect(await failure()).toMatchObject({ code: 'HTTP_UNREACHABLE', retryable: true });
    expect(requests).toHaveLength(2);
    await until('the end of the connection', () => connections.size <= 1);
  });

  test('in more than one piece of a header has all of them', async () => {
    answer = (_, response) => response.writeHead(200, { Vary: ['a', 'b'] }).end();
    expect((await get()).headers.get('vary')).toBe('a, b');
  });

  test('cut off in the middle is an error, not half a body', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half', () => response.socket?.destroy());
    };
    expect(await failure()).toMatchObject({ code: 'HTTP_BROKEN', status: 0, retryable: true });
  });

  test('that is compressed wrongly is an error, not garbage', async () => {
    answer = (_, response) => response.setHeader('Content-Encoding', 'gzip').end('not gzip at all');
    expect(await failure()).toMatchObject({ code: 'HTTP_BROKEN', retryable: true });
  });

  test('that is longer than it says is cut where it says, and spoils no later one', async () => {
    answer = (_, response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]and more');
    };
    expect((await get()).text).toBe('[1]');
    answer = (_, response) => response.end('{}');
    expect((await get()).text).toBe('{}');
  });

  test('that is no HTTP at all, or nothing but an end, broke off', async () => {
    for (const text of ['<html>', '']) {
      answer = (_, response) => void response.socket?.end(text);
      expect(await failure()).toMatchObject({ code: 'HTTP_BROKEN', status: 0, retryable: true });
    }
  });
});

describe('a server that stalls', () => {
  const late = { code: 'HTTP_TIMEOUT', status: 0, retryable: true };

  test('before the headers is given up in time', async () => {
    answer = () => {};
    const before = performance.now();
    const error = await failure({ timeoutMs: 80 });
    expect(error).toMatchObject(late);
    expect(error.message).toContain('80 ms');
    expect(performance.now() - before).toBeLessThan(2_000);
    await until('the end of the connection', () => connections.size === 0);
  });

  test('within the body is given up in time', async () => {
    answer = (_, response) => void response.write('{"server');
    expect(await failure({ timeoutMs: 80 })).toMatchObject(late);
    await until('the end of the connection', () => connections.size === 0);
  });

  test('and goes on drop by drop is given up in time all the same', async () => {
    answer = (_, response) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    };
    expect(await failure({ timeoutMs: 120 })).toMatchObject(late);
  });
});

describe('who asks', () => {
  test('may take it back: the reason is thrown and the connection let go', async () => {
    answer = () => {};
    const mine = new AbortController();
    const asking = get({ signals: [mine.signal] });
    await until('the request', () => requests.length === 1);
    mine.abort(new Error('no longer wanted'));
    await expect(asking).rejects.toThrow('no longer wanted');
    await until('the end of the connection', () => connections.size === 0);
  });

  test('who has taken it back before, sends nothing', async () => {
    answer = (_, response) => response.end();
    await expect(get({ signals: [AbortSignal.abort(new Error('before'))] })).rejects.toThrow('before');
    expect(requests).toHaveLength(0);
  });

  test('is told host and reason when nobody listens', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const error = await failure();
    expect(error).toMatchObject({ code: 'HTTP_UNREACHABLE', status: 0, retryable: true });
    expect(error.message).toContain(new URL(base).host);
    expect(error.message).toContain('ECONNREFUSED');
    server.listen(0);
  });

  test('is told when the name does not exist', async () => {
    const error = await failure({ url: 'http://name.invalid/fapi/v1/time?secret=abc' });
    expect(error).toMatchObject({ code: 'HTTP_UNREACHABLE' });
    expect(error.message).toContain('name.invalid/fapi/v1/time');
  });
});

describe('connections', () => {
  test('are kept for the next request', async () => {
    let made = 0;
    server.on('connection', () => {
      made += 1;
    });
    answer = (_, response) => response.end('{}');
    for (let n = 0; n < 30; n++) await get();
    expect(made).toBeLessThanOrEqual(4);
  });

  test('are all gone after close, also those kept alive', async () => {
    answer = (_, response) => response.end('{}');
    await Promise.all([get(), get(), get()]);
    expect(connections.size).toBeGreaterThan(0);
    await within('close', client.close(), 1_000);
    await until('the end of every connection', () => connections.size === 0);
  });

  test('close ends what is under way, and refuses what comes later', async () => {
    answer = () => {};
    const asking = failure();
    await until('the request', () => requests.length === 1);
    await within('close', client.close(), 1_000);
    expect((await asking).retryable).toBe(true);
    await until('the end of every connection', () => connections.size === 0);
    await failure();
    expect(requests).toHaveLength(1);
    await within('close again', client.close(), 1_000);
  });
});
