import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, get } from './client.ts';

describe('a simulator', () => {
  test('has its own free ports on loopback and starts again on a given one', async () => {
    const one = await startSimulator();
    expect(one.wsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(one.restUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(one.controlUrl).not.toBe(one.restUrl);
    const port = Number(new URL(one.restUrl).port);
    await expect(startSimulator({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await one.close();
    await using two = await startSimulator({ port });
    expect(new URL(two.restUrl).port).toBe(String(port));
  });

  test('runs as many times faster than the wall clock as asked', async () => {
    let wall = 1000;
    const clock = {
      now: () => wall,
      wallNow: () => 1_770_000_000_000,
      setTimeout: () => 0,
      clearTimeout: () => {},
    };
    await using sim = await startSimulator({ clock, timeScale: 60 });
    expect(sim.now()).toBe(1_770_000_000_000);
    wall += 1500;
    expect(sim.now()).toBe(1_770_000_090_000);
  });

  test('closes promptly and as often as asked, whatever is open, and leaves nothing', async () => {
    await get((await startAndKeep()).restUrl).catch(() => {});
    const before = process.getActiveResourcesInfo().filter((name) => /TCP|Server|Timeout/.test(name)).length;
    const sim = await startSimulator({ timeScale: 600 });
    const clients: Client[] = [];
    for (let i = 0; i < 5; i++)
      clients.push(await Client.open(`${sim.wsUrl}/market/stream?streams=btcusdt@kline_1m`));
    await eventually(() => clients[0]?.frames()[0], 'a frame');
    sim.inject({ kind: 'halfOpen', forMs: 60_000 });
    sim.inject({ kind: 'hangHandshake', times: 1 });
    const hanging = new Client(`${sim.wsUrl}/market/stream`);
    sim.inject({ kind: 'rest', hang: 'headers', times: 1 });
    const request = get(`${sim.restUrl}/fapi/v1/time`).catch((error: unknown) => error);
    await eventually(() => sim.log().some((entry) => entry.kind === 'http'), 'the request');
    sim.inject({ kind: 'rest', delayMs: 60_000, times: 1 });
    const delayed = get(`${sim.restUrl}/fapi/v1/time`).catch((error: unknown) => error);
    const began = performance.now();
    await Promise.all([sim.close(), sim.close()]);
    await sim[Symbol.asyncDispose]();
    expect(performance.now() - began).toBeLessThan(1000);
    expect(await request).toBeInstanceOf(Error);
    expect(await delayed).toBeInstanceOf(Error);
    for (const client of [...clients, hanging]) expect((await client.end()).code).toBe(1006);
    expect(sim.sockets()).toBe(0);
    await eventually(
      () =>
        process.getActiveResourcesInfo().filter((name) => /TCP|Server|Timeout/.test(name)).length <= before,
      'the resources of before',
    );
  });

  test('does not keep a process that closed it', async () => {
    const module = fileURLToPath(new URL('../../src/simulator/index.ts', import.meta.url));
    const script = `
      import { startSimulator } from ${JSON.stringify(module)};
      const sim = await startSimulator();
      await fetch(sim.restUrl + '/fapi/v1/time').then((answer) => answer.text());
      const socket = new WebSocket(sim.wsUrl + '/market/stream?streams=btcusdt@kline_1m');
      await new Promise((resolve) => { socket.onmessage = resolve; });
      sim.inject({ kind: 'drop', code: 1001 });
      await sim.close();
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });

  test('refuses options that make no sense', async () => {
    await expect(startSimulator({ host: '0.0.0.0' })).rejects.toThrow(/loopback/);
    await expect(startSimulator({ timeScale: 0 })).rejects.toThrow(/timeScale/);
    await expect(startSimulator({ symbols: ['btcusdt'] })).rejects.toThrow(/symbols/);
    await expect(startSimulator({ startTime: 0.5 })).rejects.toThrow(/startTime/);
  });
});

/** A simulator that came and went, so that lazy resources of the process are there before counting. */
async function startAndKeep(): Promise<{ restUrl: string }> {
  const sim = await startSimulator();
  await get(`${sim.restUrl}/fapi/v1/ping`);
  await sim.close();
  return sim;
}
