import { describe, expect, test } from 'vitest';
import { type Fault, type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { Client, eventually, type Frame, HandClock, type Kline } from './client.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 1, 3, 12);
const btc = 'btcusdt@kline_1m';
const eth = 'ethusdt@kline_1m';

/** An exchange at 12:00:20 whose time moves by hand, and one client. */
async function still(...names: string[]): Promise<{
  sim: SimulatedExchange;
  clock: HandClock;
  client: Client;
}> {
  const clock = new HandClock(noon + 20_000);
  const sim = await startSimulator({ clock, startTime: noon + 20_000, timeScale: 1 });
  const client = await Client.open(`${sim.wsUrl}/market/stream?streams=${names.join('/')}`);
  return { sim, clock, client };
}
const minute = ({ data }: Frame): number => (data.k.t - noon) / MINUTE;
const isTrue = (sim: SimulatedExchange, k: Kline): boolean => {
  const bar = sim.truth.bar(k.s, '1m', k.t);
  const { open, high, low, close, volume, count } = bar ?? {};
  return [k.o === open, k.h === high, k.l === low, k.c === close, k.v === volume, k.n === count].every(
    Boolean,
  );
};
/** Closes of five minutes under a fault that strikes the first one, as `minute` and whether it is the truth. */
async function fiveMinutes(
  fault: Partial<Fault>,
  count: number,
): Promise<{ told: string[]; client: Client }> {
  const { sim, clock, client } = await still(btc);
  await using _ = sim;
  sim.inject({ kind: 'closes', mode: 'alter', times: 1, ...fault } as Fault);
  clock.moveTo(noon + 5 * MINUTE + 10_000);
  await eventually(() => client.closes().length >= count, `${count} closes`);
  await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 1 });
  const told = client.closes().map((frame) => `${minute(frame)} ${isTrue(sim, frame.data.k)}`);
  return { told, client };
}

describe('closed frames', () => {
  test('have wrong values that could be true', async () => {
    const { told, client } = await fiveMinutes({ mode: 'alter' }, 5);
    expect(told).toEqual(['0 false', '1 true', '2 true', '3 true', '4 true']);
    const { k } = (client.closes()[0] as Frame).data;
    expect(Number(k.h)).toBeGreaterThanOrEqual(Math.max(Number(k.o), Number(k.c)));
    expect(k.L - k.f + 1).toBe(k.n);
  });

  test('contradict each other, the right one last', async () => {
    const { told } = await fiveMinutes({ mode: 'conflict' }, 6);
    expect(told).toEqual(['0 false', '0 true', '1 true', '2 true', '3 true', '4 true']);
  });

  test('are impossible', async () => {
    const { told, client } = await fiveMinutes({ mode: 'insane' }, 5);
    expect(told).toEqual(['0 false', '1 true', '2 true', '3 true', '4 true']);
    const { k } = (client.closes()[0] as Frame).data;
    expect(Number(k.h)).toBeLessThan(Number(k.l));
  });

  test('come before the end with the values of then, and nothing of the bar follows', async () => {
    const { told, client } = await fiveMinutes({ mode: 'early', delayMs: 20_000 }, 5);
    expect(told).toEqual(['0 false', '1 true', '2 true', '3 true', '4 true']);
    const { data } = client.closes()[0] as Frame;
    expect(data.E).toBeGreaterThanOrEqual(noon + 40_000);
    expect(data.E).toBeLessThan(noon + 46_000);
    const after = client.frames().filter((frame) => minute(frame) === 0 && frame.data.E > data.E);
    expect(after).toEqual([]);
  });

  test('that would come early and are hardly so any more, because the machine was busy, come in time', async () => {
    const { sim, clock, client } = await still(btc);
    await using _ = sim;
    sim.inject({ kind: 'closes', mode: 'early', delayMs: 20_000, times: 1 });
    clock.leap(noon + MINUTE - 1_000);
    clock.moveTo(noon + 2 * MINUTE + 10_000);
    await eventually(() => client.closes().length === 2, 'two closes');
    expect(client.closes().map((frame) => isTrue(sim, frame.data.k))).toEqual([true, false]);
    const [first, second] = client.closes().map((frame) => frame.data.E);
    expect(first).toBeGreaterThanOrEqual(noon + MINUTE);
    expect(second).toBeLessThan(noon + 2 * MINUTE - 10_000);
  });

  test('change places with the next one', async () => {
    const { told } = await fiveMinutes({ mode: 'swap' }, 5);
    expect(told).toEqual(['1 true', '0 true', '2 true', '3 true', '4 true']);
  });

  test('are sent again, oldest first', async () => {
    const { sim, clock, client } = await still(btc, eth);
    await using _ = sim;
    clock.moveTo(noon + 2 * MINUTE + 10_000);
    await eventually(() => client.closes().length === 4, 'two minutes of both');
    sim.inject({ kind: 'revise', symbol: 'BTCUSDT', interval: '1m', openTime: 'last' });
    sim.inject({ kind: 'replay', streams: [btc], bars: 3 });
    await eventually(() => client.closes().length === 7, 'three more');
    const again = client.closes().slice(4);
    expect(again.map((frame) => [frame.stream, minute(frame), frame.data.E])).toEqual([
      [btc, -1, sim.now()],
      [btc, 0, sim.now()],
      [btc, 1, sim.now()],
    ]);
    expect(again.slice(1).map(({ data }) => data.k)).toEqual(
      client
        .closes(btc)
        .slice(0, 2)
        .map(({ data }) => data.k),
    );
    sim.inject({ kind: 'replay', bars: 1 });
    await eventually(() => client.closes().length === 9, 'one of both');
  });
});
