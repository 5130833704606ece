/** Files of the simulated archive, asked for as object storage can be asked. */
import { describe, expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/index.ts';

const startTime = Date.UTC(2026, 1, 3, 12, 0, 20);
const still = { startTime, timeScale: 0.001, symbols: ['BTCUSDT'] };
const path = '/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-01-20.zip';
const OPEN = Date.UTC(2026, 0, 20, 10);

async function ask(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(url, { headers, method });
  const bytes = Buffer.from(await response.arrayBuffer());
  const header = (name: string): string => response.headers.get(name) ?? '';
  return { status: response.status, bytes, header };
}

describe('a file', () => {
  test('has a tag, a date, and its length by HEAD', async () => {
    await using sim = await startSimulator(still);
    const whole = await ask(sim.visionUrl + path);
    expect(whole.header('accept-ranges')).toBe('bytes');
    expect(whole.header('etag')).toMatch(/^"[\da-f]{32}"$/);
    expect(Date.parse(whole.header('last-modified'))).toBe(Date.UTC(2026, 0, 22));
    const head = await ask(sim.visionUrl + path, {}, 'HEAD');
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    expect(head.header('content-length')).toBe(String(whole.bytes.length));
    expect((await ask(sim.visionUrl + path.replace('01-20', '02-20'), {}, 'HEAD')).status).toBe(404);
    expect((await ask(`${sim.restUrl}/fapi/v1/time`, {}, 'HEAD')).status).toBe(405);
  });

  test('comes in parts, as long as it is the same', async () => {
    await using sim = await startSimulator(still);
    const url = sim.visionUrl + path;
    const { bytes, header } = await ask(url);
    const size = bytes.length;
    const [etag, modified] = [header('etag'), header('last-modified')];
    const part = async (range: string, ifRange?: string) => {
      const got = await ask(url, { range, ...(ifRange && { 'if-range': ifRange }) });
      return [got.status, got.header('content-range'), got.bytes.equals(bytes) ? 'all' : got.bytes.length];
    };
    expect(await part('bytes=1000-')).toEqual([206, `bytes 1000-${size - 1}/${size}`, size - 1000]);
    expect((await ask(url, { range: 'bytes=1000-' })).bytes).toEqual(bytes.subarray(1000));
    expect(await part('bytes=5-9', etag)).toEqual([206, `bytes 5-9/${size}`, 5]);
    expect(await part('bytes=5-99999999', modified)).toEqual([206, `bytes 5-${size - 1}/${size}`, size - 5]);
    expect(await part('bytes=-7')).toEqual([206, `bytes ${size - 7}-${size - 1}/${size}`, 7]);
    expect(await part(`bytes=${size}-`)).toEqual([416, `bytes */${size}`, 0]);
    expect(await part('bytes=1000-', '"other"')).toEqual([200, '', 'all']);
    for (const nonsense of ['bytes=9-5', 'bytes=-', 'lines=1-2', 'bytes=1-2,5-6'])
      expect([nonsense, ...(await part(nonsense))]).toEqual([nonsense, 200, '', 'all']);
  });

  test('is published anew when a bar in it is revised: other bytes, tag, date and checksum', async () => {
    await using sim = await startSimulator(still);
    const month = path.replace('daily', 'monthly').replace('2026-01-20', '2025-12');
    for (const [file, openTime] of [
      [path, OPEN],
      [month, Date.UTC(2025, 11, 5)],
    ] as const) {
      const url = sim.visionUrl + file;
      const before = await ask(url);
      const checksum = await ask(`${url}.CHECKSUM`);
      sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime });
      const after = await ask(url, { range: 'bytes=10-', 'if-range': before.header('etag') });
      expect(after.status).toBe(200);
      expect(after.bytes.equals(before.bytes)).toBe(false);
      expect(after.header('etag')).not.toBe(before.header('etag'));
      expect(Date.parse(after.header('last-modified'))).toBe(startTime);
      expect((await ask(`${url}.CHECKSUM`)).bytes.equals(checksum.bytes)).toBe(false);
    }
  });

  test('that is being made while a bar in it is revised is of one version', async () => {
    await using sim = await startSimulator(still);
    const month = sim.visionUrl + path.replace('daily', 'monthly').replace('2026-01-20', '2025-12');
    const asked = ask(month);
    // The rows of the month are made in many turns.
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      sim.inject({
        kind: 'revise',
        symbol: 'BTCUSDT',
        interval: '1m',
        openTime: Date.UTC(2025, 11, 1, 0, n),
      });
    }
    await asked;
    const [, digest] = [await ask(month), await ask(`${month}.CHECKSUM`)];
    sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: OPEN });
    expect((await ask(`${month}.CHECKSUM`)).bytes).toEqual(digest.bytes);
  });

  test('is cut, hangs or is reset by faults, also in its parts', async () => {
    await using sim = await startSimulator(still);
    const url = sim.visionUrl + path;
    const { bytes } = await ask(url);
    sim.inject({ kind: 'rest', path: '/data/', cut: true, times: 2 });
    const half = async (headers: Record<string, string>): Promise<number> => {
      let got = 0;
      const response = await fetch(url, { headers });
      try {
        for await (const chunk of response.body as AsyncIterable<Uint8Array>) got += chunk.length;
      } catch {
        return got;
      }
      throw new Error('it was not cut');
    };
    const first = await half({});
    expect(first).toBe(Math.ceil(bytes.length / 2));
    expect(await half({ range: `bytes=${first}-` })).toBe(Math.ceil((bytes.length - first) / 2));
    expect((await ask(url)).bytes).toEqual(bytes);
  });
});
