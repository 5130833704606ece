/** One collector that is killed again and again, in every way, on one store; judged after each life. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CANDLESTATE, type Child } from '../endings/launch.ts';
import { order } from '../oracle/content.ts';
import type { Told, Violation } from '../oracle/evidence.ts';
import { judge } from '../oracle/judge.ts';
import { toldBy, wholeLines } from '../oracle/told.ts';
import { settingOf } from '../storm/run.ts';
import { comes } from '../support/program.ts';
import { bear, DEATHS, type DeathName, type Grave } from './deaths.ts';
import { drawLives, type Life } from './drawing.ts';
import { endViolations, leftBehind, type Scene, setScene } from './scene.ts';

export interface LivesOptions {
  readonly seed: number;
  readonly forMs: number;
  readonly streams: number;
  /** An empty folder. */
  readonly folder: string;
}

/** A life that was. */
export interface LifeLived {
  readonly death: DeathName | 'last';
  /** Since the beginning, wall ms. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LivesResult {
  readonly lives: readonly LifeLived[];
  readonly violations: readonly Violation[];
  readonly store: string;
  readonly bars: number;
}

/** From the spawn of the last life until it has caught up with all that was missed, wall ms. */
const CATCH_UP_MS = 60_000;
const SETTLE_MS = 5_000;

export async function liveManyTimes(
  { seed, forMs, streams, folder }: LivesOptions,
  say: (line: string) => void,
): Promise<LivesResult> {
  await using scene = await setScene(seed, settingOf(streams), folder);
  const grave: Grave = { words: [...CANDLESTATE, ...scene.args, '--no-http'], folder, store: scene.store };
  const cemetery = new Cemetery(scene, say);
  const began = performance.now();
  const since = (): number => performance.now() - began;
  const lives: LifeLived[] = [];
  let number = 0;
  for (const life of drawLives(seed)) {
    if (since() >= forMs || cemetery.violations.length > 0) break;
    const fromMs = since();
    await using child = bear(life, grave);
    const striking = strike(scene, life);
    const complaints = await DEATHS[life.death]
      .die(child, life, grave)
      .catch((error: Error) => [error.message]);
    await striking;
    lives.push({ death: life.death, fromMs, toMs: since() });
    await cemetery.bury(`life ${++number} (${life.death})`, child, complaints);
    await sleep(life.pauseMs);
  }
  await scene.weather.clear();
  if (cemetery.violations.length === 0) {
    const fromMs = since();
    await lastLife(scene, grave, cemetery);
    lives.push({ death: 'last', fromMs, toMs: since() });
  }
  return { lives, violations: cemetery.violations, store: scene.store, bars: cemetery.bars };
}

/** Its weather comes when it is half over. */
async function strike({ weather }: Scene, { weather: fault, livedMs }: Life): Promise<void> {
  await weather.clear();
  if (fault === undefined) return;
  await sleep(livedMs / 2);
  await weather.strike(fault);
}

/** No fault is in its way: it must close what all before it have left open. */
async function lastLife(scene: Scene, grave: Grave, cemetery: Cemetery): Promise<void> {
  const { exchange } = scene;
  const life: Life = {
    death: 'one signal',
    livedMs: 0,
    signal: 'SIGTERM',
    apartMs: 0,
    share: 0,
    weather: undefined,
    pauseMs: 0,
  };
  await using child = bear(life, grave);
  const bornAt = exchange.now();
  const isThere = (): boolean =>
    scene.series.every(({ symbol }) =>
      toldBy(wholeLines(child.stdout()), 0).some(
        (one) => one.kind === 'candle' && one.candle.symbol === symbol && one.candle.openTime > bornAt,
      ),
    );
  try {
    await comes('bars that opened after the last start', isThere, CATCH_UP_MS);
  } catch (error) {
    cemetery.violations.push(...endViolations('the last life', [(error as Error).message]));
  }
  await sleep(SETTLE_MS);
  const endedAt = exchange.now();
  const complaints = await DEATHS['one signal'].die(child, life, grave);
  const left = leftBehind(scene.store);
  await cemetery.bury('the last life', child, [...complaints, ...left], {
    endedAt,
    faultsOverAt: bornAt,
    socketsLeft: await exchange.sockets(),
  });
}

/** Judges each life when it is over, with all that were told before. */
class Cemetery {
  readonly violations: Violation[] = [];
  bars = 0;
  readonly #scene: Scene;
  readonly #say: (line: string) => void;
  readonly #told: Told[] = [];

  constructor(scene: Scene, say: (line: string) => void) {
    this.#scene = scene;
    this.#say = say;
  }

  async bury(
    name: string,
    child: Child,
    complaints: readonly (string | false)[],
    times?: { readonly endedAt: number; readonly faultsOverAt: number; readonly socketsLeft: number },
  ): Promise<void> {
    const code = await child.end().then(
      (ended) => ended.code,
      () => 'without end',
    );
    const now = this.#scene.exchange.now();
    const lived = toldBy(wholeLines(child.stdout()), now);
    this.#told.push(...lived);
    const wrong = endViolations(name, complaints);
    if (existsSync(this.#scene.store)) {
      const evidence = this.#scene.evidence({ told: this.#told, endedAt: now, faultsOverAt: now, ...times });
      this.bars = evidence.store?.candles.length ?? 0;
      // What was committed and not told before a kill looks like a skip over all lives together; within one it is none.
      wrong.push(
        ...judge(evidence).filter(({ invariant }) => invariant !== 'order'),
        ...order({ ...evidence, told: lived }),
      );
    }
    this.violations.push(...wrong);
    this.#say(
      `${name}: ${code}, ${this.bars} bars${wrong.length === 0 ? '' : `, BROKEN; its log ends:\n${child.stderr().slice(-1_500)}`}`,
    );
  }
}
