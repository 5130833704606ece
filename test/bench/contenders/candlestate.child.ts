/**
 * The package as its users import it, by its public face alone. The mode is a list: `closed` or `updates` says what is
 * listened to, `store` and `inspector` what is switched on besides.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { BinanceDataCollector, type Candle, startInspector } from 'candlestate';
import { type Bar, contend, type Scene } from './contender.ts';

const LIVE_WITHIN_MS = 60_000;

function storedIn(file: string): Bar[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const query = 'SELECT symbol, interval, open_time AS openTime, open, high, low, close, volume FROM candles';
  const rows = database.prepare(query).all();
  database.close();
  return rows as unknown as Bar[];
}

async function start({ wsUrl, restUrl, symbols, intervals, mode, folder }: Scene) {
  const switches = new Set(mode.split('+'));
  const store = switches.has('store') ? join(folder, 'candles.db') : undefined;
  const collector = new BinanceDataCollector({ symbols, intervals, network: { wsUrl, restUrl }, store });
  const bars: Candle[] = [];
  let updates = 0;
  collector.on('candle', (candle) => bars.push(candle));
  if (switches.has('updates')) collector.on('update', () => updates++);
  await collector.startStreaming();
  const isLive = (): boolean => collector.status().series.every(({ state }) => state === 'live');
  for (const end = performance.now() + LIVE_WITHIN_MS; !isLive(); await sleep(20))
    if (performance.now() > end) throw new Error('not all streams became live');
  const inspector = switches.has('inspector') ? await startInspector(collector, { port: 0 }) : undefined;
  return {
    bars: () => bars,
    // Every frame is either: a closed bar is no update besides.
    ...(switches.has('updates') ? { frames: () => updates + bars.length } : {}),
    async stop() {
      await inspector?.[Symbol.asyncDispose]();
      const { clean } = await collector.stop();
      if (!clean) throw new Error('the stop was not clean');
      return store === undefined ? undefined : storedIn(store);
    },
  };
}

await contend(start);
