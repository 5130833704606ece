import { describe, expect, test } from 'vitest';
import { DAY_MS, type Interval } from '../../machines/model/interval.ts';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, get, HandClock } from './client.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 1, 3, 12);

/** An exchange at 12:05:20 whose time moves by hand. */
async function still(options = {}): Promise<{ sim: SimulatedExchange; clock: HandClock }> {
  const clock = new HandClock(noon + 5 * MINUTE + 20_000);
  const startTime = clock.now();
  return { sim: await startSimulator({ clock, startTime, timeScale: 1, ...options }), clock };
}
type Row = [number, string, string, string, string, string, ...unknown[]];
const rows = async (
  sim: SimulatedExchange,
  query = '',
  interval = '1m',
  symbol = 'BTCUSDT',
): Promise<Row[]> => {
  const url = `${sim.restUrl}/fapi/v1/klines?symbol=${symbol}&interval=${interval}&startTime=${noon}${query}`;
  return JSON.parse((await get(url)).text) as Row[];
};
const minutes = async (...parts: Parameters<typeof rows>): Promise<number[]> =>
  (await rows(...parts)).map(([open]) => (open - noon) / MINUTE);

describe('REST klines', () => {
  test('show a closed bar only so long after its end', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    sim.inject({ kind: 'lag', lagMs: 30_000, times: 2 });
    expect(await minutes(sim)).toEqual([0, 1, 2, 3, 5]);
    clock.move(10_000);
    expect(await minutes(sim)).toEqual([0, 1, 2, 3, 4, 5]);
    clock.moveTo(noon + 6 * MINUTE);
    expect(await minutes(sim, '&limit=5')).toEqual([0, 1, 2, 3, 4]);
    expect(await minutes(sim)).toEqual([0, 1, 2, 3, 4, 6]);
    expect(await minutes(sim)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('show it as it was when it was still open', async () => {
    const { sim } = await still();
    await using _ = sim;
    sim.inject({ kind: 'lag', lagMs: 30_000, show: 'open' });
    const stale = (await rows(sim)).at(-1);
    expect((stale?.[0] ?? 0) - noon).toBe(4 * MINUTE);
    expect(stale?.[5]).toBe(sim.truth.forming('BTCUSDT', '1m', sim.now() - 30_000)?.volume);
    expect(stale?.[5]).not.toBe(sim.truth.bar('BTCUSDT', '1m', noon + 4 * MINUTE)?.volume);
    sim.clearFaults();
    expect((await rows(sim)).length).toBe(6);
  });

  test('lack bars that the truth has, until they turn up', async () => {
    const { sim } = await still();
    await using _ = sim;
    const range = { from: noon + MINUTE, to: noon + 2 * MINUTE };
    sim.inject({ kind: 'absent', symbol: 'BTCUSDT', interval: '1m', ...range, times: 2 });
    expect(await minutes(sim, '&limit=3')).toEqual([0, 3, 4]);
    expect(await minutes(sim, '', '1m', 'ETHUSDT')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await minutes(sim, '', '5m')).toEqual([0, 5]);
    expect(await minutes(sim, `&endTime=${noon}`)).toEqual([0]);
    expect(await minutes(sim)).toEqual([0, 3, 4, 5]);
    expect(await minutes(sim)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(() => sim.inject({ kind: 'absent', symbol: 'BTCUSDT', from: 2, to: 1 })).toThrow(/from/);
  });

  test('have other final values than the streams had, and so has the archive', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const before = await rows(sim);
    const truth = (interval: Interval, openTime: number) => sim.truth.bar('BTCUSDT', interval, openTime);
    const five = truth('5m', noon);
    sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: 'last' });
    const once = await rows(sim);
    expect(once.slice(0, 4)).toEqual(before.slice(0, 4));
    expect(once[4]?.[4]).not.toBe(before[4]?.[4]);
    expect(once[4]?.[5]).not.toBe(before[4]?.[5]);
    expect(truth('1m', noon + 4 * MINUTE)).toMatchObject({ close: once[4]?.[4], volume: once[4]?.[5] });
    expect(truth('5m', noon)).toEqual(five);
    sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: noon + 4 * MINUTE });
    expect((await rows(sim))[4]?.[4]).not.toBe(once[4]?.[4]);
    const values = { volume: '1.000', count: 1 };
    sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: noon, values });
    expect((await rows(sim))[0]).toEqual(before[0]?.map((it, i) => ({ 5: '1.000', 8: 1 })[i] ?? it));
    expect(() =>
      sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: noon + 5 * MINUTE }),
    ).toThrow(/is over/);
    clock.move(2 * DAY_MS);
    const path = '/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-03.zip.CHECKSUM';
    const checksum = await get(sim.visionUrl + path);
    sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: noon });
    expect((await get(sim.visionUrl + path)).text).not.toBe(checksum.text);
  });
});

describe('HTTP answers', () => {
  test('are resets, are cut, or can not be unpacked', async () => {
    const { sim } = await still();
    await using _ = sim;
    const url = `${sim.restUrl}/fapi/v1/exchangeInfo`;
    sim.inject({ kind: 'rest', destroy: true, times: 1 });
    await expect(get(url)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    sim.inject({ kind: 'rest', cut: true, times: 1 });
    const cut = await fetch(url);
    expect([cut.status, Number(cut.headers.get('content-length'))]).toEqual([200, expect.any(Number)]);
    await expect(cut.text()).rejects.toThrow(/terminated/);
    sim.inject({ kind: 'rest', gzip: 'bad', times: 1 });
    const zipped = await fetch(url);
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    await expect(zipped.text()).rejects.toThrow();
    expect((await get(url)).status).toBe(200);
    expect(sim.log().map(({ status }) => status)).toEqual([0, 200, 200, 200]);
  });
});

describe('rate limits', () => {
  const ping = async (sim: SimulatedExchange) => {
    const { status, headers, text } = await get(`${sim.restUrl}/fapi/v1/ping`);
    const { code, msg = '' } = JSON.parse(text) as { code?: number; msg?: string };
    const used = Number(headers.get('x-mbx-used-weight-1m'));
    return { status, code, msg, used, retryAfter: headers.get('retry-after') };
  };

  test('are 429 above the limit, and a ban that grows for who does not care', async () => {
    const { sim, clock } = await still({ weightLimit: 2, banAfter: 3 });
    await using _ = sim;
    const statuses = async (count: number): Promise<number[]> => {
      const all: number[] = [];
      for (let i = 0; i < count; i++) all.push((await ping(sim)).status);
      return all;
    };
    expect(await statuses(2)).toEqual([200, 200]);
    expect(await ping(sim)).toMatchObject({ status: 429, code: -1003, used: 3, retryAfter: '40' });
    clock.move(10_000);
    expect(await statuses(2)).toEqual([429, 429]);
    const until = clock.now() + 120_000;
    const msg =
      `Way too many requests; IP(127.0.0.1) banned until ${until}. ` +
      'Please use the websocket for live updates to avoid bans.';
    expect(await ping(sim)).toMatchObject({ status: 418, code: -1003, msg, retryAfter: '120' });
    const client = new Client(`${sim.wsUrl}/market/stream`);
    expect(await eventually(() => client.status, 'a status')).toBe(418);
    expect(client.retryAfter).toBe('120');
    expect((await get(`${sim.visionUrl}/data/nothing.zip`)).status).toBe(404);
    clock.move(119_999);
    expect(await ping(sim)).toMatchObject({ status: 418, msg, retryAfter: '1' });
    clock.moveTo(noon + 10 * MINUTE);
    expect(await statuses(5)).toEqual([200, 200, 429, 429, 429]);
    expect(await ping(sim)).toMatchObject({ status: 418, retryAfter: '240' });
  });

  test('are no ban for who waits', async () => {
    const { sim, clock } = await still({ weightLimit: 1, banAfter: 2 });
    await using _ = sim;
    for (let i = 0; i < 4; i++) {
      expect([(await ping(sim)).status, (await ping(sim)).status]).toEqual([200, 429]);
      clock.move(MINUTE);
    }
  });

  test('are a ban at once, with and without its end in header and text', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    sim.inject({ kind: 'ban', forMs: 5000 });
    expect(await ping(sim)).toMatchObject({ status: 418, retryAfter: '5' });
    sim.inject({ kind: 'ban', forMs: 5000, retryAfter: false, text: false });
    const silent = await ping(sim);
    expect([silent.status, silent.retryAfter]).toEqual([418, null]);
    expect(silent.msg).not.toMatch(/until/);
    const client = new Client(`${sim.wsUrl}/market/stream`);
    expect(await eventually(() => client.status, 'a status')).toBe(418);
    expect(client.retryAfter).toBeUndefined();
    clock.move(5000);
    expect((await ping(sim)).status).toBe(200);
    sim.inject({ kind: 'ban', forMs: 5000 });
    sim.clearFaults();
    expect((await ping(sim)).status).toBe(200);
    await Client.open(`${sim.wsUrl}/market/stream`);
  });

  test('count what others on the same IP used', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    sim.inject({ kind: 'weight', used: 2390 });
    expect(await ping(sim)).toMatchObject({ status: 200, used: 2391 });
    sim.inject({ kind: 'weight', used: 2400 });
    expect(await ping(sim)).toMatchObject({ status: 429, used: 2401 });
    clock.move(MINUTE);
    expect(await ping(sim)).toMatchObject({ status: 200, used: 1 });
  });
});
