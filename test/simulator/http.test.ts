import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { DAY_MS, type Interval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { type SimulatedExchange, startSimulator } from '../../src/simulator/index.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { get, getJson } from './client.ts';

const startTime = Date.UTC(2026, 1, 3, 12, 0, 20);
/** Slow enough that nothing changes while a test asks. */
const still = { startTime, timeScale: 0.001 };
type Row = [number, ...unknown[]];

const klines = (
  sim: SimulatedExchange,
  query: string,
): Promise<{ status: number; text: string; headers: Headers }> =>
  get(`${sim.restUrl}/fapi/v1/klines?${query}`);
const rows = async (sim: SimulatedExchange, query: string): Promise<Row[]> =>
  JSON.parse((await klines(sim, query)).text) as Row[];
const truthRow = (sim: SimulatedExchange, symbol: string, interval: Interval, openTime: number): unknown => {
  const bar = sim.truth.bar(symbol, interval, openTime);
  if (!bar) return undefined;
  const {
    open,
    high,
    low,
    close,
    volume,
    closeTime,
    quoteVolume,
    count,
    takerBuyVolume,
    takerBuyQuoteVolume,
  } = bar;
  return [
    openTime,
    open,
    high,
    low,
    close,
    volume,
    closeTime,
    quoteVolume,
    count,
    takerBuyVolume,
    takerBuyQuoteVolume,
    '0',
  ];
};

describe('REST klines', () => {
  test('are the final bars of the truth, and the open bar, unmarked, as the last row', async () => {
    await using sim = await startSimulator(still);
    const answer = await rows(sim, 'symbol=BTCUSDT&interval=1m&limit=5');
    const current = openTimeAt('1m', startTime);
    expect(answer.map((row) => row[0])).toEqual([4, 3, 2, 1, 0].map((back) => current - back * 60_000));
    for (const row of answer.slice(0, -1)) expect(row).toEqual(truthRow(sim, 'BTCUSDT', '1m', row[0]));
    const forming = sim.truth.forming('BTCUSDT', '1m', sim.now());
    expect(answer.at(-1)?.slice(1, 6)).toEqual([
      forming?.open,
      forming?.high,
      forming?.low,
      forming?.close,
      forming?.volume,
    ]);
    expect(answer.at(-1)).not.toEqual(truthRow(sim, 'BTCUSDT', '1m', current));
  });

  test('begin at the next boundary after startTime and end at the one before endTime', async () => {
    await using sim = await startSimulator(still);
    const day = Date.UTC(2026, 0, 10);
    const opens = async (query: string): Promise<number[]> =>
      (await rows(sim, `symbol=ETHUSDT&interval=5m&${query}`)).map((row) => (row[0] - day) / 300_000);
    expect(await opens(`startTime=${day}&endTime=${day + 900_000}`)).toEqual([0, 1, 2, 3]);
    expect(await opens(`startTime=${day + 1}&endTime=${day + 899_999}`)).toEqual([1, 2]);
    expect(await opens(`startTime=${day}&limit=3`)).toEqual([0, 1, 2]);
    expect(await opens(`endTime=${day + 600_001}&limit=2`)).toEqual([1, 2]);
    expect(await opens(`startTime=${day + 1}&endTime=${day + 2}`)).toEqual([]);
    expect((await rows(sim, `symbol=ETHUSDT&interval=1h&startTime=${day}`)).length).toBe(500);
    expect((await rows(sim, 'symbol=ETHUSDT&interval=1m&limit=1500')).length).toBe(1500);
    expect(await rows(sim, `symbol=ETHUSDT&interval=1m&startTime=${startTime + DAY_MS}`)).toEqual([]);
    expect((await rows(sim, 'symbol=ETHUSDT&interval=1d&startTime=0&limit=1'))[0]?.[0]).toBe(
      Date.UTC(2019, 8, 1),
    );
  });

  test('of weeks and months are there since the exchange opened', async () => {
    await using sim = await startSimulator({ ...still, startTime: Date.UTC(2021, 1, 3) });
    const months = await rows(sim, 'symbol=BTCUSDT&interval=1M&limit=1500');
    expect(months[0]?.[0]).toBe(Date.UTC(2019, 8, 1));
    expect(months.at(-1)?.[0]).toBe(Date.UTC(2021, 1, 1));
    expect(months[3]).toEqual(truthRow(sim, 'BTCUSDT', '1M', Date.UTC(2019, 11, 1)));
    const weeks = await rows(sim, 'symbol=BTCUSDT&interval=1w&limit=3');
    for (const row of weeks) expect(new Date(row[0]).getUTCDay()).toBe(1);
  });

  test('refuse wrong parameters with the codes of the exchange', async () => {
    await using sim = await startSimulator(still);
    const cases: [string, number][] = [
      ['symbol=NOPEUSDT&interval=1m', -1121],
      ['symbol=BTCUSDT&interval=1s', -1120],
      ['symbol=BTCUSDT&interval=1m&limit=1501', -1130],
      ['symbol=BTCUSDT&interval=1m&limit=0', -1130],
      ['symbol=BTCUSDT&interval=1m&limit=ten', -1100],
      ['symbol=BTCUSDT&interval=1m&startTime=20&endTime=10', -1023],
      ['interval=1m', -1102],
      ['symbol=BTCUSDT', -1102],
    ];
    for (const [query, code] of cases) {
      const { status, text } = await klines(sim, query);
      expect([query, status, (JSON.parse(text) as { code: number }).code]).toEqual([query, 400, code]);
    }
  });

  test('cost the measured weight, also when refused, and end in 429 at the limit', async () => {
    // The window is the UTC minute of the wall clock; here it never ends.
    const clock = { ...systemClock, wallNow: () => 1_770_000_010_000 };
    await using sim = await startSimulator({ ...still, clock, weightLimit: 60 });
    const used = async (query: string): Promise<number> =>
      Number((await klines(sim, query)).headers.get('x-mbx-used-weight-1m'));
    let before = 0;
    const cases: [string, number][] = [
      ['&limit=1', 1],
      ['&limit=100', 1],
      ['&limit=101', 2],
      ['&limit=500', 2],
      ['&limit=501', 5],
      ['&limit=1001', 10],
      ['&limit=1501', 10],
      ['', 5],
    ];
    for (const [limit, weight] of cases) {
      const now = await used(`symbol=BTCUSDT&interval=1m${limit}`);
      expect([limit, now - before]).toEqual([limit, weight]);
      before = now;
    }
    const answers = [];
    for (let i = 0; i < 7; i++) answers.push(await klines(sim, 'symbol=BTCUSDT&interval=1m&limit=1500'));
    const last = answers.at(-1);
    expect(last?.status).toBe(429);
    expect(last?.headers.get('retry-after')).toBe('50');
    expect(JSON.parse(last?.text ?? '')).toMatchObject({ code: -1003 });
  });
});

describe('REST', () => {
  test('tells ping, time and exchangeInfo, whose own time is stale', async () => {
    await using sim = await startSimulator({
      startTime,
      symbols: ['BTCUSDT', '币安人生USDT', 'BTCUSDT_261225'],
    });
    expect(await getJson(`${sim.restUrl}/fapi/v1/ping`)).toEqual({});
    const { serverTime } = await getJson<{ serverTime: number }>(`${sim.restUrl}/fapi/v1/time`);
    expect(Math.abs(serverTime - sim.now())).toBeLessThan(60_000);
    const info = await getJson<{
      serverTime: number;
      rateLimits: unknown[];
      symbols: {
        symbol: string;
        contractType: string;
        filters: { filterType: string; tickSize?: string }[];
      }[];
    }>(`${sim.restUrl}/fapi/v1/exchangeInfo`);
    expect(info.serverTime).toBeLessThan(serverTime - DAY_MS);
    expect(info.rateLimits[0]).toEqual({
      rateLimitType: 'REQUEST_WEIGHT',
      interval: 'MINUTE',
      intervalNum: 1,
      limit: 2400,
    });
    expect(info.symbols.map((entry) => [entry.symbol, entry.contractType])).toEqual([
      ['BTCUSDT', 'PERPETUAL'],
      ['币安人生USDT', 'PERPETUAL'],
      ['BTCUSDT_261225', 'CURRENT_QUARTER'],
    ]);
    expect(info.symbols[0]).toMatchObject({
      status: 'TRADING',
      deliveryDate: 4133404800000,
      onboardDate: Date.UTC(2019, 8, 1),
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
    });
    const filters = info.symbols[0]?.filters.map((filter) => filter.filterType);
    expect(filters).toEqual(expect.arrayContaining(['PRICE_FILTER', 'LOT_SIZE']));
  });

  test('answers unknown paths 404, other methods 405 and foreign hosts 403', async () => {
    await using sim = await startSimulator();
    const nothing = await get(`${sim.restUrl}/fapi/v1/nothing`);
    expect([nothing.status, typeof JSON.parse(nothing.text)]).toEqual([404, 'object']);
    expect((await fetch(`${sim.restUrl}/fapi/v1/ping`, { method: 'POST' })).status).toBe(405);
    const status = (headers: Record<string, string>, url = sim.restUrl): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = request(`${url}/fapi/v1/ping`, { headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.on('error', reject).end();
      });
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ host: '127.0.0.1.evil.example' })).toBe(403);
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({ origin: 'null' })).toBe(403);
    expect(await status({ host: 'evil.example' }, sim.controlUrl)).toBe(403);
    expect(await status({ host: 'localhost' })).toBe(200);
  });
});

describe('archive', () => {
  const daily = '/data/futures/um/daily/klines';
  const monthly = '/data/futures/um/monthly/klines';
  const file = async (sim: SimulatedExchange, path: string): Promise<Uint8Array> => {
    const response = await fetch(sim.visionUrl + encodeURI(path));
    expect([path, response.status]).toEqual([path, 200]);
    return new Uint8Array(await response.arrayBuffer());
  };
  const lines = (zip: Uint8Array): [string, string[]] => {
    const [[name, bytes] = ['', new Uint8Array()], ...more] = Object.entries(unzipSync(zip));
    expect(more).toEqual([]);
    const text = strFromU8(bytes);
    expect(text.endsWith('\n')).toBe(true);
    return [name, text.slice(0, -1).split('\n')];
  };

  test('has the day before yesterday with header, truth and checksum', async () => {
    await using sim = await startSimulator({ ...still, symbols: ['DOGEUSDT', '币安人生USDT'] });
    for (const symbol of ['DOGEUSDT', '币安人生USDT']) {
      const path = `${daily}/${symbol}/1m/${symbol}-1m-2026-02-01.zip`;
      const zip = await file(sim, path);
      const [name, [header, ...csv]] = lines(zip);
      expect(name).toBe(`${symbol}-1m-2026-02-01.csv`);
      expect(header).toBe(
        'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore',
      );
      expect(csv.length).toBe(1440);
      csv.forEach((line, i) => {
        const openTime = Date.UTC(2026, 1, 1) + i * 60_000;
        expect(line).toBe((truthRow(sim, symbol, '1m', openTime) as unknown[]).join());
      });
      const digest = createHash('sha256').update(zip).digest('hex');
      expect(strFromU8(await file(sim, `${path}.CHECKSUM`))).toBe(`${digest}  ${symbol}-1m-2026-02-01.zip\n`);
    }
  });

  test('is the same bytes from another simulator of the same seed', async () => {
    const path = `${daily}/BTCUSDT/5m/BTCUSDT-5m-2026-01-20.zip`;
    await using one = await startSimulator(still);
    await using two = await startSimulator({ ...still, startTime: startTime + 5 * DAY_MS });
    expect(await file(one, path)).toEqual(await file(two, path));
  });

  test('has months, also of weeks, and spells the month as 1mo', async () => {
    await using sim = await startSimulator(still);
    const [, hours] = lines(await file(sim, `${monthly}/ETHUSDT/1h/ETHUSDT-1h-2025-12.zip`));
    expect(hours.length).toBe(1 + 31 * 24);
    const [name, months] = lines(await file(sim, `${monthly}/ETHUSDT/1mo/ETHUSDT-1mo-2025-12.zip`));
    expect([name, months.length]).toEqual(['ETHUSDT-1mo-2025-12.csv', 2]);
    expect(months[1]).toBe((truthRow(sim, 'ETHUSDT', '1M', Date.UTC(2025, 11, 1)) as unknown[]).join());
    const [, weeks] = lines(await file(sim, `${monthly}/ETHUSDT/1w/ETHUSDT-1w-2025-12.zip`));
    expect(weeks.length).toBe(6);
    expect(nextOpenTime('1w', Number(weeks[1]?.split(',')[0]))).toBe(Date.UTC(2025, 11, 8));
  });

  test('lacks what is not published, not traded or not in the tree', async () => {
    await using sim = await startSimulator(still);
    const missing = [
      `${daily}/BTCUSDT/1m/BTCUSDT-1m-2026-02-02.zip`,
      `${daily}/BTCUSDT/1m/BTCUSDT-1m-2026-02-03.zip.CHECKSUM`,
      `${daily}/BTCUSDT/1m/BTCUSDT-1m-2019-08-31.zip`,
      `${daily}/BTCUSDT/1m/BTCUSDT-1m-2026-01-32.zip`,
      `${daily}/BTCUSDT/1w/BTCUSDT-1w-2026-01-05.zip`,
      `${daily}/NOPEUSDT/1m/NOPEUSDT-1m-2026-01-05.zip`,
      `${daily}/BTCUSDT/1m/ETHUSDT-1m-2026-01-05.zip`,
      `${monthly}/BTCUSDT/1M/BTCUSDT-1M-2025-12.zip`,
      `${monthly}/BTCUSDT/1m/BTCUSDT-1m-2026-02.zip`,
      `${monthly}/BTCUSDT/1m/BTCUSDT-1m-2025-13.zip`,
      '/data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-01-05.zip',
    ];
    for (const path of missing) expect([path, (await get(sim.visionUrl + path)).status]).toEqual([path, 404]);
  });
});
