/**
 * A collector in a process of its own, which tests stop and let go on: a JSON line for each candle, each warning, and each
 * change of what it says of itself. The options are in the variable COLLECT; it stops by SIGTERM.
 */
import { writeSync } from 'node:fs';
import { BinanceDataCollector, type CollectorOptions } from '../../src/index.ts';

/** Between two looks at the status, ms. */
const LOOK_MS = 10;

export type Line =
  | { readonly candle: { readonly symbol: string; readonly openTime: number } }
  | { readonly warning: string }
  | { readonly at: number; readonly isConnected: boolean; readonly live: number };

const say = (line: Line): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const note = (warning: string): void => say({ warning });
const logger = { debug() {}, info() {}, warn: note, error: note };
const options = JSON.parse(process.env['COLLECT'] ?? '{}') as CollectorOptions;
const collector = new BinanceDataCollector({ ...options, logger });
let said = '';
const look = (): void => {
  const { isConnected, series } = collector.status();
  const word = { isConnected, live: series.filter(({ state }) => state === 'live').length };
  if (JSON.stringify(word) === said) return;
  said = JSON.stringify(word);
  say({ at: Date.now(), ...word });
};
collector.on('candle', ({ symbol, openTime }) => say({ candle: { symbol, openTime } }));
collector.on('state', look);
const timer = setInterval(look, LOOK_MS);
process.once('SIGTERM', () => {
  clearInterval(timer);
  void collector.stop();
});
await collector.startStreaming();
