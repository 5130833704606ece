/** Everything `collect` can be told, read but not yet judged as a whole. */
import type { INTERVALS } from '../../machines/model/interval.ts';
import { LEVELS } from '../log/format.ts';
import { fileSource } from './config-file.ts';
import { duration, host, list, number, oneOf, text, toggle, wholeNumber } from './flags.ts';
import { environmentSource, flagSource, readSettings, type Settings } from './settings.ts';

/** 24 days: what a timer can hold. */
const TIMER_LIMIT_MS = 24 * 86_400_000;
const BACKFILL_LIMIT_MS = 3653 * 86_400_000;

const url = text('a base URL without a path');

export const COLLECT_READERS = {
  symbols: list('BTCUSDT,ETHUSDT'),
  intervals: list('1m,5m'),
  network: oneOf('simulator', 'testnet', 'mainnet'),
  wsUrl: url,
  restUrl: url,
  visionUrl: url,
  timeScale: number('a number above 0 and at most 100000', (value) => value > 0 && value <= 100_000),
  db: text('the path of a file, as data/btc.db'),
  duration: duration('90s, 10m, 2h', TIMER_LIMIT_MS, '24d'),
  backfill: duration('2h, 3d', BACKFILL_LIMIT_MS, '3653d'),
  stopTimeout: duration('5s', TIMER_LIMIT_MS, '24d'),
  stdout: oneOf('jsonl'),
  port: wholeNumber(0, 65_535),
  noHttp: toggle,
  host,
  allowHosts: list('collector.lan,10.0.0.7'),
  inspect: oneOf('stately'),
  logLevel: oneOf(...LEVELS),
  logFormat: oneOf('text', 'json'),
  apiKey: text('text that is not empty'),
  apiSecret: text('text that is not empty'),
} as const;

export type CollectSettings = Settings<typeof COLLECT_READERS>;

export const DEFAULT_SYMBOLS: readonly string[] = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
export const DEFAULT_INTERVALS = ['1m', '5m'] as const satisfies readonly (typeof INTERVALS)[number][];

/** Flags over the file over the environment. `flags` are texts as given, by camel-case name. */
export function readCollectSettings(
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): CollectSettings {
  const names = Object.keys(COLLECT_READERS);
  const { config = env['CANDLESTATE_CONFIG'] || undefined, ...given } = flags;
  const file = config === undefined ? [] : [fileSource(String(config), names)];
  return readSettings(COLLECT_READERS, [flagSource(given), ...file, environmentSource(names, env)]);
}
