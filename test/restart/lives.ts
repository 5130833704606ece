/** Many lives on one store: stopped, killed, started again; judged after each. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Interval } from '../../machines/model/interval.ts';
import type { Series } from '../../machines/model/kline.ts';
import { evidenceOf } from '../oracle/afterwards.ts';
import { order } from '../oracle/content.ts';
import type { Told, Violation } from '../oracle/evidence.ts';
import { judge } from '../oracle/judge.ts';
import { readStore } from '../oracle/store-file.ts';
import { toldBy } from '../oracle/told.ts';
import { comes, type Program, startProgram } from '../support/program.ts';
import { type RemoteExchange, startRemoteExchange } from '../support/remote-exchange.ts';
import { seeded } from '../support/seeded.ts';

export interface LivesOptions {
  readonly seed: number;
  /** Lives that are killed. */
  readonly kills: number;
  /** An empty folder. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

export interface LivesResult {
  readonly violations: readonly Violation[];
  readonly store: string;
  readonly bars: number;
}

const SCALE = 120;
const BAR_MS = 60_000;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', '币安人生USDT'];
const INTERVALS: readonly Interval[] = ['1m', '5m'];
const SERIES: readonly Series[] = SYMBOLS.flatMap((symbol) =>
  INTERVALS.map((interval) => ({ symbol, interval })),
);
/** From the spawn to the kill, wall ms: loading, opening, catching up, streaming. */
const LIFE_MS = { from: 100, to: 2_500 };
/** What a catching up after a start may take, wall ms. */
const CATCH_UP_MS = 4_000;

export async function runLives({ seed, kills, folder, say }: LivesOptions): Promise<LivesResult> {
  await using exchange = await startRemoteExchange({ seed, timeScale: SCALE, symbols: SYMBOLS }, folder);
  const store = join(folder, 'candles.db');
  const random = seeded(seed);
  const violations: Violation[] = [];
  const told: Told[] = [];
  const born = (): Life => new Life(exchange, store, folder);
  const bury = (life: Life): void => {
    const lived = life.told(exchange.now());
    told.push(...lived);
    // After a kill the last committed bars were perhaps not told; within a life the order holds.
    violations.push(...order({ ...found(exchange, store, exchange.now()), told: lived }));
  };
  let life: Life | undefined;
  try {
    life = born();
    await life.tells('three bars of each minute', 3);
    violations.push(...(await life.interrupt(exchange)));
    bury(life);
    say(`SIGINT: ${count(store)} bars`);
    const missedUntil = exchange.now() + 3 * BAR_MS;
    await comes('three bars that nobody collects', () => exchange.now() > missedUntil);
    for (let kill = 1; kill <= kills; kill++) {
      life = born();
      const livedMs = LIFE_MS.from + random() * (LIFE_MS.to - LIFE_MS.from);
      await sleep(livedMs);
      life.program.process.kill('SIGKILL');
      await life.program.ended;
      bury(life);
      const wrong = judge({ ...found(exchange, store, exchange.now()), told, toldIsAll: false }).filter(
        isOfLives,
      );
      say(
        `kill ${kill} after ${Math.round(livedMs)} ms: ${count(store)} bars${wrong.length === 0 ? '' : ', BROKEN'}`,
      );
      violations.push(...wrong);
      if (violations.length > 0) break;
    }
    life = born();
    const bornAt = exchange.now();
    await life.tells('bars that opened after the last start', 1, bornAt);
    await comes('time to catch up', () => exchange.now() > bornAt + CATCH_UP_MS * SCALE, 60_000);
    const endedAt = exchange.now();
    violations.push(...(await life.interrupt(exchange)));
    bury(life);
    const evidence = { ...found(exchange, store, endedAt, bornAt), told, readAt: exchange.now() };
    violations.push(...judge(evidence).filter(isOfLives));
    say(`SIGINT: ${count(store)} bars`);
    return { violations, store, bars: count(store) };
  } finally {
    life?.program.process.kill('SIGKILL');
  }
}

/** Bars that were committed and not told when a life was killed look like a skip over all lives together. */
const isOfLives = ({ invariant }: Violation): boolean => invariant !== 'order';

const found = (exchange: RemoteExchange, store: string, endedAt: number, faultsOverAt = endedAt) =>
  evidenceOf({
    store,
    series: SERIES,
    truth: exchange.truth,
    timeScale: SCALE,
    endedAt,
    readAt: endedAt,
    faultsOverAt,
  });

const count = (store: string): number => readStore(store).candles.length;

/** One run of `candlestate collect`. */
class Life {
  readonly program: Program;

  constructor(exchange: RemoteExchange, store: string, folder: string) {
    const { wsUrl, restUrl, timeScale } = exchange;
    const where = [
      '--ws-url',
      wsUrl,
      '--rest-url',
      restUrl,
      '--time-scale',
      String(timeScale),
      '--db',
      store,
    ];
    const what = ['--symbols', SYMBOLS.join(','), '--intervals', INTERVALS.join(',')];
    this.program = startProgram(['collect', ...what, ...where, '--no-http', '--stdout', 'jsonl'], folder);
  }

  /** Its lines of output as what a consumer was told. */
  told(at: number): Told[] {
    return toldBy(this.program.lines(), at);
  }

  /** Waits until it has told so many minute bars of each symbol that opened after `since`. */
  async tells(what: string, least: number, since = 0): Promise<void> {
    const isThere = (): boolean => {
      const told = this.told(0);
      return SYMBOLS.every(
        (symbol) =>
          told.filter(
            (one) =>
              one.kind === 'candle' &&
              one.candle.symbol === symbol &&
              one.candle.interval === '1m' &&
              one.candle.openTime > since,
          ).length >= least,
      );
    };
    await comes(what, isThere, 30_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.program.stderr().slice(-2_000)}`);
    });
  }

  /** Ctrl+C: it ends with 130, and the exchange sees it gone. */
  async interrupt(exchange: RemoteExchange): Promise<Violation[]> {
    this.program.process.kill('SIGINT');
    const code = await this.program.ended;
    const left = await exchange.sockets();
    return [
      ...(code === 130
        ? []
        : [{ invariant: 'clean', name: 'exit code', detail: `${code}, not 130` } as const]),
      ...(left === 0 ? [] : [{ invariant: 'clean', name: 'sockets left', detail: String(left) } as const]),
    ];
  }
}
