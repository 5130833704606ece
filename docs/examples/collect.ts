/** Collects three closed candles of the embedded exchange into a store, and stops. */
import { BinanceDataCollector } from 'candlestate';

await using collector = new BinanceDataCollector({
  symbols: ['BTCUSDT', 'ETHUSDT'],
  intervals: ['1m'],
  network: 'simulator', // or 'mainnet', 'testnet', { wsUrl, restUrl }
  store: 'candles.db', // an SQLite file; leave it out to keep candles in memory alone
});
collector.on('state', ({ from, to }) => process.stdout.write(`${from} → ${to}\n`));

await collector.startStreaming();
let seen = 0;
for await (const candle of collector.candles({ symbol: 'BTCUSDT', interval: '1m' })) {
  process.stdout.write(`${new Date(candle.openTime).toISOString()} close ${candle.close}\n`);
  seen += 1;
  if (seen === 3) break;
}

const report = await collector.stop({ timeoutMs: 5_000 });
process.stdout.write(`clean: ${report.clean}, in memory: ${JSON.stringify(report.buffers)}\n`);
