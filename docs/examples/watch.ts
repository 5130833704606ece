/** A program that lets others watch its collector: page, health and metrics on one port of this machine. */
import { BinanceDataCollector, startInspector } from 'candlestate';

await using collector = new BinanceDataCollector({
  symbols: ['BTCUSDT'],
  intervals: ['1m'],
  network: 'simulator',
});
await using inspector = await startInspector(collector, { port: 0 });
process.stdout.write(`open ${inspector.url}\n`);

const ask = async (path: string): Promise<Response> => fetch(new URL(path, inspector.url));
process.stdout.write(`before: ${(await ask('/healthz')).status}\n`);
await collector.startStreaming();
const health = await ask('/healthz');
process.stdout.write(`while it streams: ${health.status} ${JSON.stringify(await health.json())}\n`);
const metrics = await (await ask('/metrics')).text();
process.stdout.write(`${metrics.match(/^candlestate_streams\{.*\} [1-9].*$/m)?.[0]}\n`);
