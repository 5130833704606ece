/** What both lanes of a soak have: an exchange in a process of its own, weather before it, a store, and words to collect by. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Interval } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { remainsOf } from '../endings/store-facts.ts';
import { evidenceOf } from '../oracle/afterwards.ts';
import type { Evidence, Told, Violation } from '../oracle/evidence.ts';
import type { Setting } from '../storm/drawing.ts';
import { type RemoteExchange, startRemoteExchange } from '../support/remote-exchange.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { type Proxies, Weather } from './weather.ts';

const SCALE = 60;

export interface Scene extends AsyncDisposable {
  readonly exchange: RemoteExchange;
  readonly proxies: Proxies;
  readonly weather: Weather;
  readonly store: string;
  readonly series: readonly Series[];
  /** Arguments of `collect`. */
  readonly args: readonly string[];
  /** What is there now. `faultsOverAt`, `endedAt`: exchange time, ms. */
  evidence(found: {
    readonly told: readonly Told[];
    readonly endedAt: number;
    readonly faultsOverAt: number;
    readonly backfillFrom?: number;
    readonly socketsLeft?: number;
  }): Evidence;
}

export async function setScene(
  seed: number,
  { symbols, intervals }: Setting,
  folder: string,
): Promise<Scene> {
  const exchange = await startRemoteExchange({ seed, timeScale: SCALE, symbols }, folder);
  const port = Number(new URL(exchange.wsUrl).port);
  const proxies = { streams: await startTcpProxy(port), rest: await startTcpProxy(port) };
  const store = join(folder, 'candles.db');
  const series = symbols.flatMap((symbol) => intervals.map((interval: Interval) => ({ symbol, interval })));
  return {
    exchange,
    proxies,
    weather: new Weather(proxies),
    store,
    series,
    args: [
      'collect',
      ...['--symbols', symbols.join(','), '--intervals', intervals.join(','), '--time-scale', String(SCALE)],
      ...[
        '--ws-url',
        `ws://127.0.0.1:${proxies.streams.port}`,
        '--rest-url',
        `http://127.0.0.1:${proxies.rest.port}`,
      ],
      ...['--db', store, '--stdout', 'jsonl'],
    ],
    evidence: ({ told, backfillFrom, socketsLeft, ...times }) => ({
      ...evidenceOf({
        store,
        series,
        truth: exchange.truth,
        timeScale: SCALE,
        readAt: exchange.now(),
        ...times,
        ...(backfillFrom === undefined ? {} : { backfillFrom }),
        ...(socketsLeft === undefined ? {} : { socketsLeft }),
      }),
      told,
    }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([proxies.streams.close(), proxies.rest.close()]);
      await exchange[Symbol.asyncDispose]();
    },
  };
}

/** Complaints of an end as an oracle would put them. */
export const endViolations = (who: string, complaints: readonly (string | false)[]): Violation[] =>
  complaints
    .filter((one) => one !== false)
    .map((detail) => ({ invariant: 'clean', name: `end of ${who}`, detail }));

/** What a clean end must not leave beside the store. */
export const leftBehind = (store: string): string[] => (existsSync(store) ? remainsOf(store) : []);
