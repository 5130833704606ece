import { describe, expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, get, getJson } from './client.ts';

const startTime = Date.UTC(2026, 1, 3, 12, 0, 20);
const post = async (url: string, body: string): Promise<[number, string]> => {
  const response = await fetch(`${url}/faults`, { method: 'POST', body });
  return [response.status, await response.text()];
};

describe('control server', () => {
  test('takes faults and clears them', async () => {
    await using sim = await startSimulator({ startTime });
    const fault = { kind: 'rest', path: '/fapi/v1/time', status: 418 };
    expect(await post(sim.controlUrl, JSON.stringify(fault))).toEqual([204, '']);
    expect((await get(`${sim.restUrl}/fapi/v1/time`)).status).toBe(418);
    expect(await getJson(`${sim.controlUrl}/state`)).toMatchObject({ faults: [fault] });
    expect((await fetch(`${sim.controlUrl}/faults`, { method: 'DELETE' })).status).toBe(204);
    expect((await get(`${sim.restUrl}/fapi/v1/time`)).status).toBe(200);
  });

  test('says what is wrong with a fault', async () => {
    await using sim = await startSimulator({ startTime });
    const [status, text] = await post(sim.controlUrl, '{"kind":"closes","mode":"sometimes"}');
    expect(status).toBe(400);
    expect(text).toMatch(/mode/);
    expect((await post(sim.controlUrl, '{"kind":"mute","forMs":-1}'))[1]).toMatch(/forMs/);
    expect((await post(sim.controlUrl, '{"kind":"mute","froMs":1}'))[1]).toMatch(/froMs/);
    expect((await post(sim.controlUrl, 'mute'))[1]).toMatch(/no JSON/);
    expect((await post(sim.controlUrl, `"${'x'.repeat(70_000)}"`))[0]).toBe(413);
    expect((await get(`${sim.controlUrl}/nothing`)).status).toBe(404);
  });

  test('tells the state, the log and the truth', async () => {
    await using sim = await startSimulator({ startTime, seed: 7, timeScale: 120 });
    const client = await Client.open(`${sim.wsUrl}/market/stream`);
    await client.ask({ method: 'SUBSCRIBE', params: ['solusdt@kline_1m', 'x'.repeat(4300)], id: 1 });
    await client.ask({ method: 'SUBSCRIBE', params: ['solusdt@kline_1m'], id: 1 });
    await get(`${sim.restUrl}/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=500`);
    expect(await getJson(`${sim.controlUrl}/state`)).toEqual({
      now: expect.any(Number),
      timeScale: 120,
      seed: 7,
      sockets: 1,
      connections: [{ socket: 1, streams: 1, ageMs: expect.any(Number) }],
      subscriptions: ['solusdt@kline_1m'],
      faults: [],
    });
    client.socket.close(4000);
    await client.end();
    const log = await eventually(() => sim.log().length === 6 && sim.log(), 'six entries');
    expect(await getJson(`${sim.controlUrl}/log`)).toEqual(log);
    expect(log.map(({ at: _at, wallMs: _wall, ...entry }) => entry)).toEqual([
      { kind: 'handshake', path: '/market/stream', status: 101 },
      { kind: 'open', socket: 1, path: '/market/stream' },
      { kind: 'message', socket: 1, text: expect.stringMatching(/^.{4200}$/), bytes: 4362 },
      { kind: 'message', socket: 1, text: expect.stringContaining('SUBSCRIBE'), bytes: 59 },
      expect.objectContaining({
        kind: 'http',
        path: '/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=500',
        status: 200,
        weight: 2,
      }),
      { kind: 'close', socket: 1, code: 4000 },
    ]);
    expect((await fetch(`${sim.controlUrl}/log`, { method: 'DELETE' })).status).toBe(204);
    expect(sim.log()).toEqual([]);
    const day = Date.UTC(2026, 0, 5);
    const query = `symbol=SOLUSDT&interval=5m&from=${day}&to=${day + 900_000}`;
    expect(await getJson(`${sim.controlUrl}/truth?${query}`)).toEqual(
      [0, 1, 2].map((i) => sim.truth.candle('SOLUSDT', '5m', day + i * 300_000)),
    );
    expect((await get(`${sim.controlUrl}/truth?symbol=SOLUSDT&interval=5m`)).status).toBe(400);
  });
});
