/** Closed candles of the past: the last hour, a week, and a month from the archive alone, kept for the next time. */
import { BinanceDataCollector } from 'candlestate';
import { startSimulator } from 'candlestate/simulator';

const MINUTE = 60_000;
const DAY = 86_400_000;

await using exchange = await startSimulator({ symbols: ['BTCUSDT', 'ETHUSDT'] });
await using collector = new BinanceDataCollector({
  symbols: ['BTCUSDT'],
  intervals: ['1m'],
  network: { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl, visionUrl: exchange.visionUrl }, // or 'mainnet'
  timeScale: exchange.timeScale,
  cacheDir: 'archive', // verified archive files; leave it out for temporary ones
});
const now = exchange.now();

// Recent: needs no start. In a collector with a store, what is stored comes from there.
const recent = await collector.getHistoricalCandles({
  symbol: 'BTCUSDT',
  interval: '1m',
  from: now - 60 * MINUTE,
  to: now,
});
process.stdout.write(`recent: ${recent.length} candles, the first of ${recent[0]?.source}\n`);

// Historical: whole days come from the archive, the rest from REST. Any contract and interval will do.
await collector.startStreaming();
const week = await collector.getHistory({ symbol: 'ETHUSDT', interval: '5m', from: now - 7 * DAY, to: now });
const sources = new Set(week.candles.map(({ source }) => source));
process.stdout.write(`a week: ${[...sources].sort().join(' and ')}, missing: ${week.missing.length}\n`);

// From the archive alone, twice: the second time its files are there.
for (const turn of ['first', 'second']) {
  const { candles, cache } = await collector.getHistory({
    symbol: 'BTCUSDT',
    interval: '1h',
    from: new Date(now - 30 * DAY),
    to: new Date(now - 10 * DAY),
    source: 'vision',
  });
  const { hits, misses, errors } = cache;
  process.stdout.write(
    `${turn}: ${candles.length} candles, ${hits} hits, ${misses} misses, ${errors} errors\n`,
  );
}
