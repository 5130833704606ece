/**
 * A program built on the library, for tests: collects, and logs numbered lines as fast as is sensible. The last number
 * that it has logged is in a file beside, written before anything else happens: no end can lose it. The variable
 * EMBEDDER says what to do.
 */
import { createWriteStream, openSync, writeSync } from 'node:fs';
import {
  BinanceDataCollector,
  type CollectorOptions,
  collectorComponent,
  createLogger,
  runApplication,
  Supervisor,
} from '../../src/index.ts';

export type Fault = 'rejection' | 'exception' | 'observer';

export interface EmbedderOptions {
  readonly collect: CollectorOptions;
  /** Where its log goes; without it, to standard error. */
  readonly logFile?: string;
  /** Where the last number goes. */
  readonly numberFile: string;
  /** What its candle listener, or its observer of the actor, does wrong, outside of the collector's reach. */
  readonly fault?: Fault;
}

const LINES_AT_ONCE = 20;
const { collect, logFile, numberFile, fault }: EmbedderOptions = JSON.parse(process.env['EMBEDDER'] ?? '{}');
const logger = createLogger(
  logFile === undefined ? {} : { file: logFile, stream: createWriteStream('/dev/null') },
);
process.stderr.on('error', () => undefined);

const numbers = openSync(numberFile, 'w');
let number = 0;
const logOne = (): void => {
  number += 1;
  logger.info(`line ${number}`);
  writeSync(numbers, String(number).padStart(10), 0);
};
const logging = setInterval(() => {
  for (let line = 0; line < LINES_AT_ONCE; line++) logOne();
}, 1);

const collector = new BinanceDataCollector({ ...collect, logger });
const application = new Supervisor({ logger, components: [collectorComponent(collector)] });
const running = runApplication(application, { logger });
// What is logged after the second signal is nobody's promise; it hears it in the same turn as the supervision.
let signals = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    signals += 1;
    if (signals === 2) clearInterval(logging);
  });

if (fault === 'observer')
  collector.actor.subscribe(() => {
    throw new Error('of a listener');
  });
else if (fault !== undefined)
  collector.on('candle', () => {
    if (fault === 'rejection') void Promise.reject(new Error('of a listener'));
    else
      setImmediate(() => {
        throw new Error('of a listener');
      });
  });
await running;
clearInterval(logging);
