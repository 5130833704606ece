/** What peers have in common: packages that the benchmark has installed in a folder of its own. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bar } from './contender.ts';

/** Its exports, as a user's `require` gets them. */
export const peer = <Exports>(folder: string, name: string): Exports =>
  createRequire(join(folder, 'package.json'))(name) as Exports;

/** The `k` of a kline event, as the exchange sends it: some give that to their users. */
export interface KlineAsSent extends Readonly<Record<'s' | 'i' | 'o' | 'h' | 'l' | 'c' | 'v', string>> {
  readonly t: number;
  readonly x: boolean;
}

/** As a user makes numbers of it, of closed bars alone. */
export const barOf = (k: KlineAsSent): Bar => ({
  symbol: k.s,
  interval: k.i,
  openTime: k.t,
  open: Number(k.o),
  high: Number(k.h),
  low: Number(k.l),
  close: Number(k.c),
  volume: Number(k.v),
});

/** Waits until it is so: who starts a contender waits no longer than for its first word. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20);
}
