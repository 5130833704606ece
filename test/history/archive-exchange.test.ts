/** The archive of the simulated exchange, and what is wrong with it, through the client to the rows. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type ArchiveFile, dayFile, monthFile } from '../../src/binance/archive.ts';
import { ArchiveClient, type ArchiveClientOptions } from '../../src/history/archive/archive-client.ts';
import { unzip } from '../../src/history/archive/unzip.ts';
import { type SimulatedExchange, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';

const startTime = Date.UTC(2026, 1, 3, 12, 0, 20);
const BTC = { symbol: 'BTCUSDT', interval: '1m' } as const;
const FROM = Date.UTC(2026, 0, 20);
const DAY = dayFile(BTC, FROM)!;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function exchange(change: SimulatorOptions = {}): Promise<SimulatedExchange> {
  const sim = await startSimulator({ startTime, timeScale: 0.001, symbols: ['BTCUSDT'], ...change });
  onTestFinished(() => sim.close());
  return sim;
}

function clientOf(sim: SimulatedExchange, options: Partial<ArchiveClientOptions> = {}): ArchiveClient {
  const client = new ArchiveClient({
    visionUrl: sim.visionUrl,
    cacheDir: folder,
    isTrusted: false,
    download: { baseDelayMs: 5, idleTimeoutMs: 300 },
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

/** Open time and close price of each row. */
async function rowsOf(client: ArchiveClient, file: ArchiveFile): Promise<[number, string][]> {
  const fetched = await client.get(file);
  if (fetched.status !== 'there') throw new Error(JSON.stringify(fetched));
  let text = '';
  for await (const chunk of unzip(fetched.path, file)) text += Buffer.from(chunk).toString('latin1');
  await fetched.release();
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
    .map((row) => [Number(row[0]), row[4]!]);
}

const truthOf = (sim: SimulatedExchange, file: ArchiveFile, stepMs = 60_000): [number, string][] =>
  Array.from({ length: (file.to - file.from) / stepMs }, (_, n): [number, string] => {
    const openTime = file.from + n * stepMs;
    return [openTime, sim.truth.bar(file.symbol, file.interval, openTime)!.close];
  });

test('days and months hold what the exchange has, also of a symbol that is not ASCII', async () => {
  const sim = await exchange({ symbols: ['BTCUSDT', '币安人生USDT'] });
  const client = clientOf(sim);
  expect(await rowsOf(client, DAY)).toEqual(truthOf(sim, DAY));
  const chinese = dayFile({ ...BTC, symbol: '币安人生USDT' }, FROM)!;
  expect(await rowsOf(client, chinese)).toEqual(truthOf(sim, chinese));
  const month = monthFile({ ...BTC, interval: '1h' }, Date.UTC(2025, 11, 1))!;
  expect(await rowsOf(client, month)).toEqual(truthOf(sim, month, 3_600_000));
});

test.each([
  ['is cut in the middle', { cut: true, times: 3 }],
  ['is reset', { destroy: true, times: 2 }],
  ['hangs before its answer', { hang: 'headers', times: 2 }],
  ['hangs in the middle', { hang: 'body', times: 2 }],
  ['has trouble', { status: 503, times: 3 }],
  ['is over a limit', { status: 429, headers: { 'retry-after': '0' }, times: 3 }],
] as const)('H09 an archive that %s is asked on', async (_, fault) => {
  const sim = await exchange();
  sim.inject({ kind: 'rest', path: '/data/', ...fault });
  const client = clientOf(sim);
  expect(await rowsOf(client, DAY)).toEqual(truthOf(sim, DAY));
  expect(client.counts).toMatchObject({ misses: 1, errors: 0 });
});

test('H09 a file that is cut is asked for from there on: it comes once', async () => {
  const sim = await exchange();
  const client = clientOf(sim);
  await rowsOf(client, DAY);
  const size = client.counts.bytesFetched;
  const other = clientOf(sim, { cacheDir: undefined });
  sim.inject({ kind: 'rest', path: '/data/', cut: true, times: 4 });
  await rowsOf(other, DAY);
  expect(other.counts.bytesFetched).toBe(size);
});

test('H09 a checksum of other bytes, a page instead of a file: refused, and nothing is kept', async () => {
  const sim = await exchange();
  const client = clientOf(sim);
  const path = `/${DAY.path}`;
  const wrong = `${'ab'.repeat(32)}  BTCUSDT-1m-2026-01-20.zip\n`;
  sim.inject({ kind: 'rest', path: `${path}.CHECKSUM`, body: wrong, contentType: 'text/plain', times: 2 });
  expect(await client.get(DAY)).toMatchObject({ status: 'refused', reason: expect.stringContaining('abab') });
  sim.inject({ kind: 'rest', path, body: '<HTML></HTML>', contentType: 'text/html', times: 2 });
  expect(await client.get(DAY)).toMatchObject({ status: 'refused' });
  sim.inject({ kind: 'rest', path: `${path}.CHECKSUM`, status: 404, times: 1 });
  expect(await client.get(DAY)).toMatchObject({
    status: 'refused',
    reason: expect.stringContaining('no checksum'),
  });
  expect(existsSync(join(folder, 'content-v2'))).toBe(false);
  expect(await rowsOf(client, DAY)).toEqual(truthOf(sim, DAY));
});

test('H09 the file of today, and of yesterday, is absent', async () => {
  const sim = await exchange();
  const client = clientOf(sim);
  for (const day of [3, 2]) {
    const file = dayFile(BTC, Date.UTC(2026, 1, day))!;
    expect(await client.get(file)).toEqual({ status: 'absent' });
  }
  expect(await client.get(dayFile(BTC, Date.UTC(2026, 1, 1))!)).toMatchObject({ status: 'there' });
});

test('a file that is published anew is fetched anew by who trusts nothing, and by nobody else', async () => {
  const sim = await exchange();
  const [doubting, trusting] = [clientOf(sim), clientOf(sim, { isTrusted: true })];
  const before = await rowsOf(doubting, DAY);
  sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: FROM });
  expect(await rowsOf(trusting, DAY)).toEqual(before);
  const after = await rowsOf(doubting, DAY);
  expect(after).toEqual(truthOf(sim, DAY));
  expect(after.filter((row, n) => row[1] !== before[n]?.[1])).toHaveLength(1);
  expect(await rowsOf(trusting, DAY)).toEqual(after);
  await Promise.all([doubting.close(), trusting.close()]);
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  expect(readdirSync(join(folder, 'runs'))).toEqual([]);
});
