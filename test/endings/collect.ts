/** `candlestate collect` on its embedded exchange, quick, with a store in a folder. */
import { join } from 'node:path';
import { comes } from '../support/program.ts';
import { CANDLESTATE, Child, type LaunchOptions } from './launch.ts';
import { barsIn } from './store-facts.ts';

export const storeIn = (folder: string): string => join(folder, 'candles.db');

/** A bar each 0.2 s, in two series. */
export const collectWords = (folder: string, ...flags: string[]): string[] => [
  ...CANDLESTATE,
  'collect',
  ...['--symbols', 'BTCUSDT,ETHUSDT', '--intervals', '1m', '--time-scale', '300', '--no-http'],
  ...['--db', storeIn(folder)],
  ...flags,
];

export const collect = (folder: string, flags: string[] = [], options: Partial<LaunchOptions> = {}): Child =>
  new Child(collectWords(folder, ...flags), { cwd: folder, ...options });

/** Waits until bars are stored: it streams then, whether or not anybody hears what it says. */
export const collects = async (folder: string): Promise<void> => {
  await comes('bars in the store', () => barsIn(storeIn(folder)) > 2);
};
