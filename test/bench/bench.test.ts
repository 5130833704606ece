/** The benchmark counts honestly: what is lost, invented or dead is told and is no speed. A tiny round of each. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Entry, FLOOR } from './contenders/catalog.ts';
import { barsOf, closesOf, framesOf, frameText, type Plan, streamsOf } from './frames.ts';
import { PEERS_FOLDER } from './peers.ts';
import { complaintsOf, lineOf, shareText } from './report.ts';
import { type Arena, enter, isMeasured, type Measured, rounds, run } from './round.ts';

const MINUTES = 5;
const WARM_MINUTES = 1;
const plan: Plan = {
  symbols: ['AAAUSDT', 'BBBUSDT', 'CCCUSDT'],
  intervals: ['1m', '5m'],
  begin: Date.UTC(2026, 0, 5, 12, 55),
  minutes: MINUTES,
  framesPerMinute: 20,
};
const ALL = { got: barsOf(plan), of: barsOf(plan), wrong: 0 };

const entry = (file: string, mode: string): Entry => ({
  ...{ id: mode, title: mode, mode },
  file: new URL(`contenders/${file}.child.ts`, import.meta.url),
});
const floor = entry('by-hand', FLOOR);

let arena: Arena;
beforeAll(async () => {
  arena = await enter(plan, WARM_MINUTES, {
    peers: PEERS_FOLDER,
    processors: [],
    // The sources: nothing needs to be built for a test.
    execArgv: ['--conditions=candlestate-source'],
  });
});
afterAll(() => arena.blaster.end());

const measured = async (file: string, mode: string): Promise<Measured> => {
  const result = await run(entry(file, mode), arena);
  if (!isMeasured(result)) throw new Error(result.failure);
  return result;
};

test('what a user writes by hand gets every frame and every closed bar', async () => {
  const frames = framesOf(plan, MINUTES - WARM_MINUTES);
  const result = await measured('by-hand', FLOOR);
  expect(result.seen).toEqual({ got: frames, of: frames, wrong: 0 });
  expect(result.delivered).toEqual(ALL);
  expect(result.cpuUsPerMessage).toBeGreaterThan(0);
  expect(result.messagesPerSecond).toBeGreaterThan(0);
});

test('REST tells what the frames told, and its time is that of the newest', async () => {
  const ask = async (path: string): Promise<unknown> => (await fetch(`${arena.urls.restUrl}${path}`)).json();
  await measured('by-hand', 'raw');
  const { serverTime } = (await ask('/fapi/v1/time')) as { serverTime: number };
  expect(serverTime).toBeGreaterThanOrEqual(plan.begin + MINUTES * 60_000);
  for (const { symbol, interval } of streamsOf(plan)) {
    const query = `symbol=${symbol}&interval=${interval}&startTime=${plan.begin}&limit=${MINUTES}`;
    const rows = (await ask(`/fapi/v1/klines?${query}`)) as string[][];
    const keys = rows.map((row) => [symbol, interval, ...row.slice(0, 6).map(Number)].join());
    const [newest] = (await ask(
      `/fapi/v1/klines?symbol=${symbol}&interval=${interval}&limit=1`,
    )) as number[][];
    expect(keys.filter((key) => arena.truth.has(key))).toHaveLength(closesOf(plan, interval).length);
    expect(newest?.[0]).toBe(plan.begin + MINUTES * 60_000);
  }
});

test('frames are as the exchange writes them, with blanks behind the commas of `k` and without', () => {
  const texts = streamsOf(plan).map((stream) => frameText(stream, plan.begin + 60_000));
  expect(texts[0]).toMatch(
    /^\{"stream":"aaausdt@kline_1m","data":\{"e":"kline","E":\d+,"s":"AAAUSDT","k":\{"t":\d+,"T"/u,
  );
  expect(texts[2]).toMatch(
    /^\{"stream":"bbbusdt@kline_1m","data":\{"e":"kline","E":\d+,"s":"BBBUSDT","k":\{"t":\d+, "T"/u,
  );
  expect(texts[0]).toContain('"x":true');
  expect(texts[1]).toContain('"x":false');
});

test('a collector delivers and stores all of it, by its public face alone', async () => {
  const result = await measured('candlestate', 'updates+store');
  // Not one more: what the warming up brings late is not seen again.
  const frames = framesOf(plan, MINUTES - WARM_MINUTES);
  expect(result.seen).toEqual({ got: frames, of: frames, wrong: 0 });
  expect([result.delivered, result.stored]).toEqual([ALL, ALL]);
});

test.each([
  ['loses', { got: ALL.of - 1, wrong: 0 }],
  ['repeats', { got: ALL.of, wrong: 1 }],
  ['invents', { got: ALL.of - 1, wrong: 1 }],
])('a contender that %s a bar is reported', async (mode, share) => {
  const liar = entry('dishonest', mode);
  const line = lineOf(liar, await rounds([liar], arena, 1));
  expect(line.delivered).toEqual({ ...ALL, ...share });
  expect(shareText(line.delivered)).toMatch(/^\*\*\d+ of \d+(?:, 1 wrong)?\*\*$/u);
  expect(complaintsOf(line, true)).toHaveLength(1);
});

test('a contender that counts frames that were never sent is reported', async () => {
  const frames = framesOf(plan, MINUTES - WARM_MINUTES);
  const { seen } = await measured('dishonest', 'exaggerates');
  expect(seen).toEqual({ got: frames, of: frames, wrong: frames });
});

test('a contender that dies, or has not subscribed all, is a failure and has no figures', async () => {
  const [dies, deaf] = [entry('dishonest', 'dies'), entry('dishonest', 'deaf')];
  const results = await rounds([dies, deaf, floor], arena, 1);
  expect(results.get('dies')).toEqual([{ failure: 'dishonest.child.ts ended with 1: RangeError: it broke' }]);
  expect(results.get('deaf')).toEqual([{ failure: 'subscribed 4 of 6 streams' }]);
  const line = lineOf(dies, results);
  expect([line.messagesPerSecond, line.cpu, line.delivered]).toEqual([undefined, undefined, undefined]);
  expect(complaintsOf(line, false)).toHaveLength(1);
  // Who comes after it is measured as if nothing had been.
  expect(lineOf(floor, results)).toMatchObject({ cpu: 1, delivered: ALL, failures: [] });
});

test('a contender that hangs up while frames come is a failure, and not one that took little for them', async () => {
  const result = await run(entry('dishonest', 'leaves'), arena);
  expect(result).toEqual({ failure: `took 0 of ${framesOf(plan, MINUTES - WARM_MINUTES)} frames` });
});

test('the memory of a contender is its own, and not that of the process that started it', async () => {
  const large = Buffer.alloc(400 * 2 ** 20, 1);
  const { peakRss } = await measured('by-hand', 'raw');
  expect(peakRss).toBeGreaterThan(20 * 2 ** 20);
  expect(peakRss).toBeLessThan(large.length);
});

test('every round begins with another contender', async () => {
  const order: string[] = [];
  const [one, other] = [floor, entry('by-hand', 'raw')];
  await rounds([one, other], arena, 2, ({ id }) => order.push(id));
  expect(order).toEqual([FLOOR, 'raw', 'raw', FLOOR]);
});
