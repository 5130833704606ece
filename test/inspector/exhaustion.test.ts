/** Clients that take what they can: each is bounded, and whoever else asks is answered. */
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { builtPage, type Serving, SHORT, serving, textOf } from './serving.ts';

/** Until the connection is cut, ms, and what was said until then. */
async function cutAfter(socket: Socket): Promise<{ took: number; text: string }> {
  const began = performance.now();
  const text = await textOf(socket);
  return { took: performance.now() - began, text };
}

/** Far more than the time-outs of these tests, far less than those of life. */
const BOUND_MS = 2_000;

/** Who does not read learns only by writing that nobody is there any more. */
async function allCutOff(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.pause();
  await until('they are cut off', () => {
    for (const socket of sockets) socket.write('\r\n');
    return sockets.every(({ destroyed }) => destroyed);
  });
}

const isWell = async ({ get }: Serving): Promise<void> =>
  void expect(await get('/healthz')).toMatchObject({ status: 200 });

describe('cut off is', () => {
  test('X12 who drips its headers, however steadily', async () => {
    const served = await serving({}, { limits: SHORT });
    const socket = await served.dial('GET /healthz HTTP/1.1\r\n');
    const dripping = setInterval(() => socket.write('X'), 10);
    const { took, text } = await cutAfter(socket).finally(() => clearInterval(dripping));
    expect(took).toBeLessThan(BOUND_MS);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    await isWell(served);
  });

  test('X12 who connects and says nothing', async () => {
    const served = await serving({}, { limits: SHORT });
    expect((await cutAfter(await served.dial())).took).toBeLessThan(BOUND_MS);
  });

  test('X12 who keeps its connection and asks nothing more', async () => {
    const { dial, host } = await serving({}, { limits: SHORT });
    const { took, text } = await cutAfter(await dial(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(took).toBeLessThan(BOUND_MS);
  });

  test('X12 who says nothing worth an answer, but says it again and again', async () => {
    const { dial, page, host } = await serving({}, { limits: { ...SHORT, connectionMs: 300 } });
    const socket = await dial(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const viewer = await page();
    const dripping = setInterval(() => socket.write('\r\n'), 10);
    const { took } = await cutAfter(socket).finally(() => clearInterval(dripping));
    expect(took).toBeLessThan(BOUND_MS);
    expect(viewer.readyState).toBe(viewer.OPEN);
  });

  test('X12 no one who asks again and again: in time it is told to come by another connection', async () => {
    const { dial, host } = await serving({}, { limits: { ...SHORT, connectionMs: 1_000 } });
    const socket = await dial();
    const asking = setInterval(() => socket.write(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`), 20);
    const { text } = await cutAfter(socket).finally(() => clearInterval(asking));
    expect(text.match(/^connection: close/gim)).toHaveLength(1);
    expect(text.lastIndexOf('HTTP/1.1 404')).toBeLessThan(text.search(/^connection: close/im));
  });

  test('X12 who never reads what it asked for, also when it goes on saying something', async () => {
    const built = builtPage('x'.repeat(30_000_000));
    const served = await serving({}, { limits: SHORT, page: { built } });
    const asking = `GET /assets/index-abc.js HTTP/1.1\r\nHost: ${served.host}\r\n\r\n`;
    const before = process.memoryUsage().rss;
    const sockets = await Promise.all(Array.from({ length: 6 }, () => served.dial(asking)));
    await allCutOff(sockets);
    // All are sent the same bytes; nobody has a copy.
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    await isWell(served);
  });

  test('X12 who has been there longest when 128 are, so that whoever asks is answered; pages stay', async () => {
    const served = await serving();
    const viewer = await served.page();
    const sockets = await Promise.all(Array.from({ length: 200 }, () => served.dial()));
    const ended = (): number => sockets.filter(({ destroyed }) => destroyed).length;
    for (const socket of sockets) socket.resume();
    await until('those above the bound are gone', () => ended() >= 72);
    expect(ended()).toBe(72);
    expect(sockets.slice(72).some(({ destroyed }) => destroyed)).toBe(false);
    await isWell(served);
    expect(viewer.readyState).toBe(viewer.OPEN);
  });
});

describe('however many requests come', () => {
  test('X12 on one connection without reading an answer, the connection is bounded', async () => {
    const served = await serving({}, { limits: SHORT });
    const one = `GET /api/series/BTCUSDT/1m HTTP/1.1\r\nHost: ${served.host}\r\n\r\n`;
    await allCutOff([await served.dial(one.repeat(5_000))]);
    await isWell(served);
  });

  test('X12 actors are told of as before', async () => {
    const served = await serving({}, { limits: SHORT });
    const { crowd, page } = served;
    const socket = await page();
    let news = 0;
    socket.on('message', (text) => {
      if (String(text).includes('"type":"news"')) news += 1;
    });
    const attack = Array.from({ length: 100 }, () => served.dial('GET / HTTP/1.1\r\nX'));
    await Promise.all(attack);
    crowd.storm();
    await until('the page hears of it', () => news > 0);
  });
});
