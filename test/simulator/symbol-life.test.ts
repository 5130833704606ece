import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../machines/model/interval.ts';
import { type Fault, type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, get, getJson, HandClock } from './client.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 1, 3, 12);
const opens = (frames: ReturnType<Client['closes']>): number[] =>
  frames.map(({ data }) => (data.k.t - noon) / MINUTE);

/** An exchange at 12:00:20 whose time moves by hand. */
async function still(options = {}): Promise<{ sim: SimulatedExchange; clock: HandClock }> {
  const clock = new HandClock(noon + 20_000);
  const symbols = ['BTCUSDT', 'ETHUSDT'];
  const sim = await startSimulator({ clock, startTime: noon + 20_000, timeScale: 1, symbols, ...options });
  return { sim, clock };
}
const act = (
  sim: SimulatedExchange,
  action: 'list' | 'halt' | 'resume' | 'settle' | 'delist',
  symbol: string,
) => sim.inject({ kind: 'symbol', symbol, action });
const rest = async (sim: SimulatedExchange, symbol: string, interval = '1m'): Promise<number[]> => {
  const url = `${sim.restUrl}/fapi/v1/klines?symbol=${symbol}&interval=${interval}&startTime=${noon}`;
  return (await getJson<[number][]>(url)).map(([open]) => (open - noon) / MINUTE);
};
const truthOpens = (sim: SimulatedExchange, symbol: string, count: number, interval: '1m' | '5m' = '1m') =>
  Array.from({ length: count }, (_, i) => i * (interval === '1m' ? 1 : 5)).filter(
    (minute) => sim.truth.bar(symbol, interval, noon + minute * MINUTE) !== undefined,
  );
const infos = async (sim: SimulatedExchange): Promise<Record<string, unknown>[]> =>
  (await getJson<{ symbols: Record<string, unknown>[] }>(`${sim.restUrl}/fapi/v1/exchangeInfo`)).symbols;
const open = (sim: SimulatedExchange, ...names: string[]): Promise<Client> =>
  Client.open(`${sim.wsUrl}/market/stream?streams=${names.join('/')}`);

describe('a symbol', () => {
  test('is unknown before it is listed, and has bars, frames and an entry from then on', async () => {
    const { sim, clock } = await still({ listLater: ['NEWUSDT'] });
    await using _ = sim;
    const client = await open(sim, 'newusdt@kline_1m', 'btcusdt@kline_1m');
    clock.moveTo(noon + 2 * MINUTE + 30_000);
    await eventually(() => client.closes('btcusdt@kline_1m').length === 2, 'two minutes');
    expect(client.frames('newusdt@kline_1m')).toEqual([]);
    expect((await infos(sim)).map(({ symbol }) => symbol)).toEqual(['BTCUSDT', 'ETHUSDT']);
    const klines = `${sim.restUrl}/fapi/v1/klines?symbol=NEWUSDT&interval=1m`;
    expect(JSON.parse((await get(klines)).text)).toMatchObject({ code: -1121 });
    expect(truthOpens(sim, 'NEWUSDT', 60)).toEqual([]);

    act(sim, 'list', 'NEWUSDT');
    clock.moveTo(noon + 4 * MINUTE + 30_000);
    await eventually(() => client.closes('newusdt@kline_1m').length === 2, 'its closes');
    expect(opens(client.closes('newusdt@kline_1m'))).toEqual([2, 3]);
    expect(await rest(sim, 'NEWUSDT')).toEqual([2, 3, 4]);
    expect(truthOpens(sim, 'NEWUSDT', 5)).toEqual([2, 3, 4]);
    expect(truthOpens(sim, 'NEWUSDT', 6, '5m')).toEqual([0, 5, 10, 15, 20, 25]);
    expect((await infos(sim)).at(-1)).toMatchObject({
      symbol: 'NEWUSDT',
      status: 'TRADING',
      onboardDate: noon + 2 * MINUTE,
      deliveryDate: 4_133_404_800_000,
    });
  });

  test('that is halted is silent and has no bars until it trades again', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const client = await open(sim, 'btcusdt@kline_1m', 'ethusdt@kline_1m', 'btcusdt@kline_5m');
    clock.moveTo(noon + MINUTE + 30_000);
    act(sim, 'halt', 'BTCUSDT');
    const halted = sim.truth.bar('BTCUSDT', '1m', noon + MINUTE);
    expect(halted?.count).toBe(sim.truth.forming('BTCUSDT', '1m', sim.now())?.count);
    clock.moveTo(noon + 7 * MINUTE + 10_000);
    await eventually(() => client.closes('ethusdt@kline_1m').length === 7, 'seven minutes');
    expect(opens(client.closes('btcusdt@kline_1m'))).toEqual([0, 1]);
    expect(opens(client.closes('btcusdt@kline_5m'))).toEqual([0]);
    expect(await rest(sim, 'BTCUSDT')).toEqual([0, 1]);
    expect((await infos(sim))[0]).toMatchObject({ status: 'TRADING_HALT' });

    act(sim, 'resume', 'BTCUSDT');
    clock.moveTo(noon + 11 * MINUTE + 30_000);
    await eventually(() => client.closes('btcusdt@kline_5m').length === 2, 'the next five minutes');
    expect(opens(client.closes('btcusdt@kline_1m'))).toEqual([0, 1, 8, 9, 10]);
    expect(opens(client.closes('btcusdt@kline_5m'))).toEqual([0, 5]);
    expect(await rest(sim, 'BTCUSDT')).toEqual([0, 1, 8, 9, 10, 11]);
    expect(truthOpens(sim, 'BTCUSDT', 12)).toEqual([0, 1, 8, 9, 10, 11]);
    for (const { data } of client.closes()) {
      const { s, i, t, v, c } = data.k;
      expect(sim.truth.bar(s, i as '1m', t)).toMatchObject({ volume: v, close: c });
    }
    expect((await infos(sim))[0]).toMatchObject({ status: 'TRADING' });
  });

  test('that is halted for a whole large bar has no such bar', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    clock.moveTo(noon + 4 * MINUTE + 30_000);
    act(sim, 'halt', 'BTCUSDT');
    clock.moveTo(noon + 10 * MINUTE + 30_000);
    act(sim, 'resume', 'BTCUSDT');
    expect(truthOpens(sim, 'BTCUSDT', 4, '5m')).toEqual([0, 10, 15]);
    clock.moveTo(noon + 16 * MINUTE);
    expect(await rest(sim, 'BTCUSDT', '5m')).toEqual([0, 10, 15]);
  });

  test('that is settled goes on closing flat bars on its streams, which REST does not have', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const client = await open(sim, 'btcusdt@kline_1m');
    clock.moveTo(noon + MINUTE + 30_000);
    act(sim, 'settle', 'BTCUSDT');
    clock.moveTo(noon + 4 * MINUTE + 10_000);
    await eventually(() => client.closes().length === 4, 'four closes');
    expect(opens(client.closes())).toEqual([0, 1, 2, 3]);
    const last = sim.truth.bar('BTCUSDT', '1m', noon + MINUTE)?.close;
    for (const { data } of client.closes().slice(2)) {
      expect(data.k).toMatchObject({ o: last, h: last, l: last, c: last, v: '0', n: 0, x: true });
    }
    expect(await rest(sim, 'BTCUSDT')).toEqual([0, 1]);
    expect(truthOpens(sim, 'BTCUSDT', 10)).toEqual([0, 1]);
    expect((await infos(sim))[0]).toMatchObject({ status: 'SETTLING', deliveryDate: noon + MINUTE + 30_000 });
  });

  test('that is delisted is gone, and what it had stays in truth and archive', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const client = await open(sim, 'btcusdt@kline_1m', 'ethusdt@kline_1m');
    act(sim, 'settle', 'BTCUSDT');
    act(sim, 'delist', 'BTCUSDT');
    clock.moveTo(noon + 3 * MINUTE + 10_000);
    await eventually(() => client.closes('ethusdt@kline_1m').length === 3, 'three minutes');
    expect(opens(client.closes('btcusdt@kline_1m'))).toEqual([0]);
    const klines = await get(`${sim.restUrl}/fapi/v1/klines?symbol=BTCUSDT&interval=1m`);
    expect([klines.status, JSON.parse(klines.text)]).toEqual([400, { code: -1121, msg: 'Invalid symbol.' }]);
    expect((await infos(sim)).map(({ symbol }) => symbol)).toEqual(['ETHUSDT']);
    expect(truthOpens(sim, 'BTCUSDT', 10)).toEqual([0]);
    clock.move(2 * DAY_MS);
    const path = '/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-03.zip';
    const zip = new Uint8Array(await (await fetch(sim.visionUrl + path)).arrayBuffer());
    const lines = strFromU8(Object.values(unzipSync(zip))[0] as Uint8Array)
      .trim()
      .split('\n');
    expect(lines.length).toBe(1 + 12 * 60 + 1);
  });

  test('whose life changes is told on !contractInfo, of the market route alone', async () => {
    const { sim } = await still({ listLater: ['NEWUSDT'] });
    await using _ = sim;
    const client = await open(sim, '!contractInfo');
    const legacy = await Client.open(`${sim.wsUrl}/stream?streams=!contractInfo`);
    act(sim, 'list', 'NEWUSDT');
    act(sim, 'halt', 'BTCUSDT');
    sim.inject({ kind: 'mute', streams: ['!contractInfo'] });
    act(sim, 'resume', 'BTCUSDT');
    sim.clearFaults();
    act(sim, 'settle', 'ETHUSDT');
    act(sim, 'delist', 'ETHUSDT');
    await eventually(() => client.texts.length === 4, 'four events');
    expect(client.texts[0]).toBe(
      `{"stream":"!contractInfo","data":{"e":"contractInfo","E":${sim.now()},"s":"NEWUSDT","ps":"NEWUSDT",` +
        `"ct":"PERPETUAL","dt":4133404800000,"ot":${noon},"cs":"TRADING","bks":[]}}`,
    );
    const told = client.texts.map((text) => (JSON.parse(text) as { data: object }).data);
    expect(told.slice(1)).toMatchObject([
      { s: 'BTCUSDT', cs: 'TRADING_HALT' },
      { s: 'ETHUSDT', cs: 'SETTLING', dt: sim.now() },
      { s: 'ETHUSDT', cs: 'CLOSE' },
    ]);
    expect(await getJson(`${sim.controlUrl}/state`)).toMatchObject({ subscriptions: ['!contractInfo'] });
    await client.ask({ method: 'UNSUBSCRIBE', params: ['!contractInfo'], id: 1 });
    act(sim, 'halt', 'NEWUSDT');
    await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 2 });
    expect([client.texts.length, legacy.texts]).toEqual([6, []]);
  });

  test('can not do what its status does not allow, nor can one that is not there', async () => {
    const { sim } = await still();
    await using _ = sim;
    expect(() => act(sim, 'list', 'BTCUSDT')).toThrow(/BTCUSDT is TRADING/);
    expect(() => act(sim, 'resume', 'BTCUSDT')).toThrow(RangeError);
    expect(() => act(sim, 'halt', 'NOPEUSDT')).toThrow(/listLater/);
    const body = JSON.stringify({ kind: 'symbol', symbol: 'BTCUSDT', action: 'resume' } satisfies Fault);
    const answer = await fetch(`${sim.controlUrl}/faults`, { method: 'POST', body });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(/resume/)]);
  });
});

describe('an outage', () => {
  test('takes the minutes of its range away everywhere, for all symbols or one', async () => {
    const { sim, clock } = await still();
    await using _ = sim;
    const client = await open(sim, 'btcusdt@kline_1m', 'ethusdt@kline_1m', 'btcusdt@kline_5m');
    expect(() => sim.inject({ kind: 'outage', from: noon, to: noon + MINUTE })).toThrow(/later/);
    const day = (): number => sim.truth.bar('BTCUSDT', '1d', Date.UTC(2026, 1, 3))?.count ?? 0;
    const before = day();
    sim.inject({ kind: 'outage', from: noon + MINUTE, to: noon + 3 * MINUTE });
    sim.inject({
      kind: 'outage',
      symbol: 'BTCUSDT',
      from: noon + 5 * MINUTE,
      to: noon + 9 * MINUTE + 59_999,
    });
    clock.moveTo(noon + 11 * MINUTE + 10_000);
    await eventually(() => client.closes('ethusdt@kline_1m').length === 8, 'eight closes');
    expect(opens(client.closes('ethusdt@kline_1m'))).toEqual([0, 4, 5, 6, 7, 8, 9, 10]);
    expect(opens(client.closes('btcusdt@kline_1m'))).toEqual([0, 4, 10]);
    expect(opens(client.closes('btcusdt@kline_5m'))).toEqual([0]);
    expect(await rest(sim, 'BTCUSDT')).toEqual([0, 4, 10, 11]);
    expect(truthOpens(sim, 'BTCUSDT', 12)).toEqual([0, 4, 10, 11]);
    expect(truthOpens(sim, 'BTCUSDT', 3, '5m')).toEqual([0, 10]);
    expect(day()).toBeLessThan(before);
  });
});
