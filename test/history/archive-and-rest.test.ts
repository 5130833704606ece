import { describe, expect, test } from 'vitest';
import { sameValues } from '../../machines/model/kline.ts';
import { type HistoryOptions, loadHistory } from '../../src/history-load.ts';
import type { SimulatedExchange } from '../../src/simulator/index.ts';
import { readStore } from '../oracle/store-file.ts';
import { folder, newStore, startExchange } from '../support/collector.ts';
import { until, within } from '../support/wait.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const FROM = Date.UTC(2026, 1, 3);
const DAYS_PATH = '/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2026-02-0';

/** An exchange at noon of the tenth of February. */
const exchangeNow = (): Promise<SimulatedExchange> =>
  startExchange({ startTime: Date.UTC(2026, 1, 10, 12), timeScale: 1 });

/** Three days of minutes. */
const wanted = (exchange: SimulatedExchange, more: Partial<HistoryOptions> = {}): HistoryOptions => ({
  symbol: 'BTCUSDT',
  interval: '1m',
  from: FROM,
  to: FROM + 3 * DAY,
  network: { restUrl: exchange.restUrl, visionUrl: exchange.visionUrl },
  origin: 'simulator',
  ...more,
});

const requestsAt = (exchange: SimulatedExchange): string[] => exchange.log().flatMap(({ path = [] }) => path);

/** How many bars of the range are stored as the exchange has them, and which are not. */
function compared(exchange: SimulatedExchange, store: string, from: number, to: number) {
  const stored = new Map(readStore(store).candles.map((candle) => [candle.openTime, candle]));
  const wrong: number[] = [];
  for (let openTime = from; openTime < to; openTime += MINUTE) {
    const truth = exchange.truth.candle('BTCUSDT', '1m', openTime);
    const candle = stored.get(openTime);
    if (truth === undefined || candle === undefined || !sameValues(truth, candle)) wrong.push(openTime);
  }
  return { bars: stored.size, wrong };
}

describe('three days into a store', () => {
  test('are those of the exchange, and a second load asks nobody', { timeout: 30_000 }, async () => {
    const exchange = await exchangeNow();
    const options = wanted(exchange, { store: newStore() });
    const first = await loadHistory(options).done;
    expect(first).toMatchObject({
      outcome: 'finished',
      bars: { planned: 4_320, stored: 4_320, held: 0, bySource: { vision: 4_320, rest: 0 } },
      gaps: [],
      clean: true,
    });
    expect(first.requests).toEqual({
      rest: requestsAt(exchange).filter((path) => path.startsWith('/fapi')).length,
      archive: requestsAt(exchange).filter((path) => path.startsWith('/data')).length,
    });
    expect(compared(exchange, String(options.store), FROM, FROM + 3 * DAY)).toEqual({
      bars: 4_320,
      wrong: [],
    });
    exchange.clearLog();
    const second = await loadHistory(options).done;
    expect(second).toMatchObject({
      outcome: 'finished',
      bars: { planned: 0, stored: 0, held: 4_320 },
      requests: { rest: 0, archive: 0 },
    });
    expect(requestsAt(exchange)).toEqual([]);
  });

  test('that are broken off stay as far as they came, and the next load asks for the rest', {
    timeout: 30_000,
  }, async () => {
    const exchange = await exchangeNow();
    const options = wanted(exchange, { store: newStore(), cacheDir: folder() });
    exchange.inject({ kind: 'rest', path: `${DAYS_PATH}5`, hang: 'headers' });
    const load = loadHistory(options);
    await until('two days are there', () => load.progress.barsDone === 2_880);
    const stopped = await within('the stop', load.stop({ timeoutMs: 3_000 }));
    expect(stopped).toMatchObject({ outcome: 'stopped', bars: { stored: 2_880, unwritten: 0 }, gaps: [] });
    expect(stopped.components.filter(({ outcome }) => outcome !== 'closed')).toEqual([]);
    expect(readStore(String(options.store))).toMatchObject({ integrity: 'ok', gaps: [] });
    exchange.clearFaults();
    exchange.clearLog();
    const resumed = await loadHistory(options).done;
    expect(resumed).toMatchObject({
      outcome: 'finished',
      bars: { planned: 1_440, stored: 1_440, held: 2_880 },
    });
    expect(requestsAt(exchange).filter((path) => path.startsWith('/data'))).toEqual([
      `${DAYS_PATH}5.zip.CHECKSUM`,
      `${DAYS_PATH}5.zip`,
    ]);
    expect(compared(exchange, String(options.store), FROM, FROM + 3 * DAY)).toEqual({
      bars: 4_320,
      wrong: [],
    });
  });
});
