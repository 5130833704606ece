/** The world of one simulation: time, exchange, network, disk, and what is known of them. */

import { createExchange, type ExchangeCore } from '../../src/simulator/core.ts';
import type { Asked } from '../oracle/evidence.ts';
import { seeded } from '../support/seeded.ts';
import { Hidden } from './check/hidden.ts';
import { Violations } from './check/violations.ts';
import { Untruths } from './check/wire.ts';
import type { Coverage } from './coverage.ts';
import type { Plan } from './plan.ts';
import { Trace } from './trace.ts';
import { MemoryDisk } from './world/disk.ts';
import { VirtualNetwork } from './world/network.ts';
import { WorldClock } from './world/world-clock.ts';

/** Where a world begins: two hours before the first of a month, so that days and months end in it. */
const EPOCH = Date.UTC(2026, 1, 28, 22);
/** The same for all processes of a world. */
export const STORE = 'simulated/candles.db';
export const URLS = { wsUrl: 'ws://127.0.0.1:7001', restUrl: 'http://127.0.0.1:7001' };

export interface TheatreOptions {
  readonly plan: Plan;
  /** A file that gets every line of the trace. */
  readonly tracePath?: string | undefined;
  readonly coverage?: Coverage | undefined;
}

export class Theatre {
  readonly plan: Plan;
  readonly world: WorldClock;
  readonly exchange: ExchangeCore;
  readonly network: VirtualNetwork;
  readonly disk: MemoryDisk;
  readonly trace: Trace;
  readonly violations: Violations;
  readonly untruths: Untruths;
  readonly hidden: Hidden;
  readonly coverage: Coverage | undefined;
  /** Answers to questions for bars, each with the exchange time from which on its process had streamed. */
  readonly asked: (Asked & { readonly streamsSince: number })[] = [];
  /** When the disk was last at fault, world ms. */
  diskFaultAt = Number.NEGATIVE_INFINITY;
  /** When somebody else on this address asked a lot, world ms. */
  weightFaultAt = Number.NEGATIVE_INFINITY;
  /** How much later than asked for timers fire, ms. */
  latenessMs = 0;
  #salt = 0;

  constructor({ plan, tracePath, coverage }: TheatreOptions) {
    this.plan = plan;
    this.coverage = coverage;
    const world = new WorldClock(EPOCH + startOf(plan.seed));
    this.world = world;
    this.trace = new Trace(() => world.now(), tracePath);
    this.violations = new Violations(() => world.now());
    this.exchange = createExchange({
      seed: plan.seed,
      timeScale: 1,
      symbols: plan.symbols.filter((symbol) => !plan.later.includes(symbol)),
      listLater: plan.later,
      quietSymbols: plan.quiet,
      lifetimeMs: plan.lifetimeMs,
      clock: world,
    });
    this.network = new VirtualNetwork({ exchange: this.exchange, world, random: this.random() });
    this.disk = new MemoryDisk(world, this.random());
    this.untruths = new Untruths(this.exchange.truth);
    this.hidden = new Hidden(() => this.exchange.now());
  }

  /** Dice for one concern: what one draws changes nothing for another. */
  random(): () => number {
    this.#salt += 1;
    return seeded(Math.imul(this.plan.seed, 0x9e3779b1) + Math.imul(this.#salt, 0x85ebca6b));
  }

  /** Ends everything that is at fault, but for what has become of bars. */
  calm(): void {
    this.exchange.clearFaults();
    this.network.relieve();
    this.network.setLatency(...USUAL_LATENCY);
    this.latenessMs = 0;
    this.disk.failNext(0);
    this.disk.loseNext(0);
    this.disk.commitMs = COMMIT_MS;
    for (const symbol of this.plan.symbols) this.attempt({ kind: 'symbol', symbol, action: 'resume' });
  }

  /** A fault that can't be as things are is none: nobody resumes what was not halted. Says whether it could. */
  attempt(fault: Parameters<ExchangeCore['inject']>[0]): boolean {
    try {
      this.exchange.inject(fault);
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return false;
    }
  }

  close(): void {
    this.exchange.close();
    this.disk.close();
  }
}

/** At least, and at most so much more, ms. */
export const USUAL_LATENCY = [20, 10] as const;
/** How long a commit takes when nothing is wrong, ms. */
export const COMMIT_MS = 2;

/** Not all at the edge of a minute, ms. */
const startOf = (seed: number): number => Math.floor(seeded(seed)() * 3_600_000);
