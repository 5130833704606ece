/** What lacks is asked for again, and only then it is a gap; what is behind the end of a series is none. */
import { describe, expect, test } from 'vitest';
import { candlesIn } from '../../machines/model/block.ts';
import { EXCHANGE_FORGOT } from '../../machines/model/gap-reasons.ts';
import { confirmByRest } from '../../src/history/rest/confirm.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { fakeRest } from '../actors/harness.ts';
import { startExchange } from '../support/collector.ts';
import { fastClock } from '../support/fast-clock.ts';
import { says, scriptedHttp } from '../support/scripted-http.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { BTC, DAY, loadAll, MINUTE, query, sourceOn, time, truthOf, values } from './rig.ts';

const RATE = 100;
const HALF = time('2026-02-03T12:00');
const NOW = time('2026-02-10T12:00');
type Outage = readonly [from: number, to: number];

/** An exchange at that time, which had no bars meanwhile in these times, both inclusive. */
async function exchangeWith(...outages: readonly Outage[]): Promise<SimulatedExchange> {
  const began = Math.min(NOW, ...outages.map(([from]) => from - DAY));
  let passed = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + passed };
  const exchange = await startExchange({ startTime: began, timeScale: 1, clock });
  for (const [from, to] of outages) exchange.inject({ kind: 'outage', symbol: 'BTCUSDT', from, to });
  passed = NOW - began;
  return exchange;
}

const run = (from: number, to: number) => ({ fromOpenTime: from, toOpenTime: to });
const asks = (exchange: SimulatedExchange): number =>
  exchange.log().filter((entry) => 'path' in entry && entry.path.startsWith('/fapi/')).length;

describe('bars that no source has', () => {
  test('are asked for three times in all over ten seconds, and then named by what the exchange lacks', async () => {
    const exchange = await exchangeWith([HALF, HALF + 9 * MINUTE], [HALF + 30 * MINUTE, HALF + 30 * MINUTE]);
    const clock = fastClock(RATE);
    const { source } = sourceOn(exchange, { clock });
    const { plan, candles, lacking, notes } = await loadAll(source, query('2026-02-03', '2026-02-04'));
    expect(lacking).toEqual([run(HALF, HALF + 9 * MINUTE), run(HALF + 30 * MINUTE, HALF + 30 * MINUTE)]);
    expect(values(candles)).toEqual(values(truthOf(exchange.truth, plan.query)));
    expect(notes).toEqual([
      expect.stringMatching(/^defect \| 11 bars missing \| \d+ bars taken from REST$/u),
    ]);
    const [began, before] = [clock.now(), asks(exchange)];
    const confirmed = await source.confirm(plan.query, lacking);
    expect(clock.now() - began).toBeGreaterThanOrEqual(10_000);
    // Near to each other: one request for both. And one whether the series goes on.
    expect(asks(exchange) - before).toBe(2 + 1);
    const reason = 'the exchange has no such bar';
    expect(confirmed).toEqual({
      blocks: [],
      unreached: [],
      lacking: lacking.map((one) => ({ ...one, reason })),
    });
  });

  test('may turn up: they are bars then, ascending, each once', async () => {
    const exchange = await exchangeWith();
    const { source } = sourceOn(exchange, { clock: fastClock(RATE) });
    const absent = (from: number, to: number, times: number) =>
      exchange.inject({ kind: 'absent', symbol: 'BTCUSDT', from, to, times });
    absent(HALF, HALF + 4 * MINUTE, 1);
    absent(HALF + 10 * MINUTE, HALF + 10 * MINUTE, 2);
    absent(HALF + 20 * MINUTE, HALF + 20 * MINUTE, 9);
    const wanted = query('2026-02-03T11:50', '2026-02-03T12:30', { source: 'rest' });
    const { plan, lacking } = await loadAll(source, wanted);
    expect(lacking).toHaveLength(3);
    const confirmed = await source.confirm(plan.query, lacking);
    const found = confirmed.blocks.flatMap((block) => [...candlesIn(block)]);
    const truth = (from: number, to: number) => truthOf(exchange.truth, { ...wanted, from, to });
    expect(found).toEqual([
      ...truth(HALF, HALF + 5 * MINUTE),
      ...truth(HALF + 10 * MINUTE, HALF + 11 * MINUTE),
    ]);
    expect(confirmed.lacking).toMatchObject([run(HALF + 20 * MINUTE, HALF + 20 * MINUTE)]);
  });

  test('are owed when the exchange can not be asked any more', async () => {
    const exchange = await exchangeWith();
    const { source } = sourceOn(exchange, { clock: fastClock(RATE) });
    exchange.inject({ kind: 'rest', path: '/fapi/', destroy: true });
    const wanted = query('2026-02-03', '2026-02-04');
    const lacking = [run(HALF, HALF), run(HALF + 600 * MINUTE, HALF + 610 * MINUTE)];
    const confirmed = await source.confirm(wanted, lacking);
    expect(confirmed).toEqual({ blocks: [], lacking: [], unreached: lacking });
  });
});

describe('a series that has ended', () => {
  const END = time('2026-02-05T08:00');
  const EVER = time('2026-03-01');

  test('is no gap from its last bar on; what lacks before is one', async () => {
    const exchange = await exchangeWith([END, EVER], [HALF, HALF]);
    exchange.inject({ kind: 'symbol', symbol: 'BTCUSDT', action: 'settle' });
    const { source } = sourceOn(exchange, { clock: fastClock(RATE) });
    const wanted = query('2026-02-03', '2026-02-10');
    const { plan, lacking, candles } = await loadAll(source, wanted);
    expect(candles.at(-1)!.openTime).toBe(END - MINUTE);
    const confirmed = await source.confirm(plan.query, lacking);
    expect(confirmed.endsAt).toBe(END);
    expect(confirmed.lacking).toMatchObject([run(HALF, HALF)]);
    // Known from now on: nothing behind it lacks, and nobody waits ten seconds for it again.
    const again = await loadAll(source, query('2026-02-05', '2026-02-10'));
    expect(again.lacking).toEqual([]);
  });

  test('that still trades by its listing is a gap', async () => {
    const exchange = await exchangeWith([END, EVER]);
    const { source } = sourceOn(exchange, { clock: fastClock(RATE) });
    const { plan, lacking } = await loadAll(source, query('2026-02-05', '2026-02-07'));
    const confirmed = await source.confirm(plan.query, lacking);
    expect(confirmed.endsAt).toBeUndefined();
    expect(confirmed.lacking).toMatchObject([run(END, time('2026-02-07') - MINUTE)]);
  });

  test('and that REST has forgotten comes from the archive: before its first file and behind its last there is no gap', async () => {
    const first = time('2026-01-28');
    const exchange = await exchangeWith([time('2026-01-01'), first - 1], [HALF, HALF + DAY], [END, EVER]);
    const forgotten = await scriptedHttp((response, request, number) => {
      const isTime = request.url?.includes('/time') === true;
      const body = isTime ? { serverTime: exchange.now() } : { code: -1121, msg: 'Invalid symbol.' };
      says(isTime ? 200 : 400, body)(response, request, number);
    });
    const urls = { restUrl: forgotten.url, visionUrl: exchange.visionUrl };
    const { source } = sourceOn(urls, { clock: fastClock(RATE) });
    const { plan, candles, lacking, notes } = await loadAll(source, query('2026-01-20', '2026-02-08'));
    expect(candles).toHaveLength((END - first - DAY) / MINUTE - 1);
    expect(new Set(candles.map((candle) => candle.source))).toEqual(new Set(['vision']));
    expect(notes.some((note) => note.startsWith('outside | the archive begins at 2026-01-28'))).toBe(true);
    // A hole between them is one.
    const confirmed = await source.confirm(plan.query, lacking);
    expect(confirmed.lacking).toEqual([{ ...run(HALF, HALF + DAY), reason: EXCHANGE_FORGOT }]);
    expect(confirmed.endsAt).toBeUndefined();
    expect(plan.range.to).toBe(time('2026-02-08'));
  });
});

test('bars that REST lacks are asked for again five seconds after, and once more ten seconds after', async () => {
  const clock = new FakeClock();
  const { rest, asked } = fakeRest((request) => (request.path.endsWith('/klines') ? [] : { symbols: [] }));
  const confirming = confirmByRest({ rest, clock, exchangeNow: 0 }, BTC, [run(HALF, HALF)]);
  const pages = () => asked.filter(({ path }) => path.endsWith('/klines')).length;
  const course: number[] = [];
  for (const ms of [4_999, 1, 4_999]) {
    await clock.advance(ms);
    await settle();
    course.push(pages());
  }
  expect(course).toEqual([0, 1, 1]);
  await clock.advance(1);
  // Not listed any more: what lacks at the end is behind it.
  expect(await confirming).toMatchObject({ lacking: [], unreached: [], endsAt: HALF });
});
