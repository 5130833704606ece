/** A watchdog: whether the promise is being kept, what the collector measures, and the bar that is forming. */
import { BinanceDataCollector } from 'candlestate';

await using collector = new BinanceDataCollector({
  symbols: ['BTCUSDT'],
  intervals: ['1m'],
  network: 'simulator',
  timeScale: 300,
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);

say(`before: ${collector.health().ok ? 'well' : 'not well'}, ${collector.health().state}`);
await collector.startStreaming();
let closed = 0;
for await (const _ of collector.candles()) if (++closed === 3) break;
// A frame of the next bar.
await new Promise((resolve) => collector.on('update', resolve));
const forming = collector.getFormingCandle('BTCUSDT', '1m');
const last = collector.getCandleBuffer('BTCUSDT', '1m').at(-1);
if (forming && last) say(`forming: ${forming.openTime > last.openTime ? 'behind the last' : 'wrong'}`);

const { ok, ailments, streams } = collector.health();
say(`then: ${ok ? 'well' : JSON.stringify(ailments)}, ${JSON.stringify(streams)}`);
const { closeLag, commits, weight, reconnects } = collector.vitals();
say(`closes ${closeLag.count}, commits ${commits.took.count}, weight ${weight.used} of ${weight.limit}`);
say(`connections closed: ${reconnects.closed}, open gaps: ${collector.getOpenGaps().length}`);
