/** A collector and a server of one's own as one application: started in order, stopped in reverse, one exit code. */
import { createServer } from 'node:http';
import {
  BinanceDataCollector,
  collectorComponent,
  createLogger,
  httpServerComponent,
  runApplication,
  Supervisor,
  storeComponent,
} from 'candlestate';

const logger = createLogger({ file: 'application.log' });
const collector = new BinanceDataCollector({
  symbols: ['BTCUSDT'],
  intervals: ['1m'],
  network: 'simulator',
  store: 'candles.db',
  logger,
});
const server = createServer((_request, response) => response.end(`${collector.state}\n`));

const application = new Supervisor({
  timeoutMs: 5_000, // for the whole stop
  logger,
  components: [
    storeComponent({ path: 'candles.db' }),
    collectorComponent(collector, { dependsOn: ['store'] }),
    httpServerComponent(server, { name: 'http', port: 0, dependsOn: ['collector'] }),
    {
      name: 'trader',
      dependsOn: ['collector'],
      deadlineMs: 2_000, // for its own stop
      start: () => logger.info('trading begins'),
      stop: async (_signal, { timeoutMs }) => logger.info('positions closed', { timeoutMs }),
    },
  ],
});
// Takes the signals, and gives them back. Leave it out, and call start() and stop() yourself.
await runApplication(application, { logger, durationMs: 2_000 });
