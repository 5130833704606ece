/** An embedder's test: a simulated exchange that drops its connections, and a collector that loses no bar. */
import { BinanceDataCollector } from 'candlestate';
import { startSimulator } from 'candlestate/simulator';

await using exchange = await startSimulator({ timeScale: 600, symbols: ['BTCUSDT'] });
await using collector = new BinanceDataCollector({
  symbols: ['BTCUSDT'],
  intervals: ['1m'],
  network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl, visionUrl: exchange.visionUrl },
  timeScale: 600,
});
await collector.startStreaming();

let next = 0;
let seen = 0;
for await (const candle of collector.candles()) {
  if (next !== 0 && candle.openTime !== next) throw new Error('a hole');
  if (candle.close !== exchange.truth.candle('BTCUSDT', '1m', candle.openTime)?.close)
    throw new Error('not the truth');
  next = candle.closeTime + 1;
  seen += 1;
  if (seen === 5) exchange.inject({ kind: 'drop' });
  if (seen === 40) break;
}
process.stdout.write(`${seen} candles in a row, across a dropped connection\n`);
