/** Once stopped, nothing keeps the process alive, and nothing is left of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { newStore, startExchange } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

const PROGRAM = fileURLToPath(new URL('../support/collect-and-stop.ts', import.meta.url));

interface Told {
  readonly before: string[];
  readonly after: string[];
  readonly files: string[];
  readonly candles: number;
}

/** Runs a program that collects a little, stops, says what is left, and has nothing more to do. */
async function run(
  options: object,
): Promise<Told & { code: number | null; lingered: number; stderr: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], {
    env: { ...process.env, COLLECT: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let toldAt = 0;
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
    if (stdout.includes('\n') && toldAt === 0) toldAt = performance.now();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  try {
    const [code] = (await within('the end of the process', once(child, 'exit'), 12_000)) as [number | null];
    const lingered = performance.now() - toldAt;
    return { ...(JSON.parse(stdout) as Told), code, lingered, stderr };
  } finally {
    child.kill('SIGKILL');
  }
}

describe('after stop the process ends by itself, nothing open', () => {
  test.each([
    ['without a store', false],
    ['with a store', true],
  ])('%s', async (_, hasStore) => {
    const exchange = await startExchange();
    const told = await run({
      symbols: ['BTCUSDT', 'ETHUSDT'],
      intervals: ['1m'],
      network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl },
      timeScale: exchange.timeScale,
      ...(hasStore ? { store: newStore() } : {}),
    });
    expect(told).toMatchObject({ code: 0, files: [], stderr: '' });
    expect(told.after).toEqual(told.before);
    expect(told.candles).toBeGreaterThan(2);
    expect(told.lingered).toBeLessThan(1_000);
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
  });

  test('with the embedded exchange', async () => {
    const told = await run({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: 'simulator',
      timeScale: 300,
      store: newStore(),
    });
    expect(told).toMatchObject({ code: 0, files: [], stderr: '' });
    expect(told.after).toEqual(told.before);
    expect(told.lingered).toBeLessThan(1_000);
  });

  test('when the exchange never answers the close frame', async () => {
    const exchange = await startExchange();
    exchange.inject({ kind: 'noCloseAnswer' });
    const told = await run({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl },
      timeScale: exchange.timeScale,
      stopTimeoutMs: 300,
      store: newStore(),
    });
    expect(told).toMatchObject({ code: 0, files: [], stderr: '' });
    expect(told.after).toEqual(told.before);
    expect(told.lingered).toBeLessThan(1_000);
    await until('the exchange sees no socket', () => exchange.sockets() === 0);
  });

  test('when the exchange was never there', async () => {
    const told = await run({
      symbols: ['BTCUSDT'],
      intervals: ['1m'],
      network: { wsUrl: 'ws://127.0.0.1:9', restUrl: 'http://127.0.0.1:9' },
      connectTimeoutMs: 300,
      store: newStore(),
    });
    expect(told).toMatchObject({ code: 0, files: [], candles: 0, stderr: '' });
    expect(told.after).toEqual(told.before);
    expect(told.lingered).toBeLessThan(1_000);
  });
});
