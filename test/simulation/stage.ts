/** Who plays when: one process after another on the same disk, each looked at while it lives and when it has ended. */

import type { Timer } from '../../src/ports.ts';
import { lookAtActors, lookAtBounds } from './check/bounded.ts';
import { judgeEnd, judgeOwnEnd } from './check/ends.ts';
import { type Act, DAY_MS } from './plan.ts';
import { Tenant } from './tenant.ts';
import type { Theatre } from './theatre.ts';

/** A process that ended by itself is begun again by whoever looks after it, ms. */
const AGAIN_MS = 2_000;
/** After its end a process may need a moment to let go of everything, ms of its own time. */
const LEAVE_MS = 1_500;
/** How often everything that it says is looked at, and how often everything that it is made of, ms. */
const LOOK_MS = 10_000;
const LOOK_AROUND_MS = 600_000;
/** Who wakes notices that within a second, and gives each connection the time of a pong to prove itself anew, ms. */
const PROBING_MS = 7_000;
/** Who wakes sees what it owes within so long, ms. */
const WAKING_MS = 1_000;
/** The next process after one that ended so briefly before is the same process, started again. */
const SAME_PROCESS_MS = 3_000;

export class Stage {
  readonly #theatre: Theatre;
  tenant: Tenant | undefined;
  /** No more faults. */
  isCalm = false;
  /** No more processes. */
  isOver = false;
  lives = 0;
  readonly struck = new Map<string, number>();
  readonly kinds = new Map<string, number>();
  /** Of the processes that are over. */
  readonly counts = { bars: 0, gaps: 0, revisions: 0, dials: 0, lines: 0 };
  #downMs: number | undefined;
  #isEnding = false;
  #lookedAt = 0;
  #lookedAroundAt = 0;
  #second = -1;
  #stillAt = Number.NEGATIVE_INFINITY;
  #next: Timer;

  /** When there are no more faults, world ms. */
  readonly calmAt: number;

  constructor(theatre: Theatre) {
    this.#theatre = theatre;
    this.calmAt = theatre.plan.days * DAY_MS;
  }

  begin(): void {
    this.lives += 1;
    this.#isEnding = false;
    this.#downMs = undefined;
    this.tenant = new Tenant(this.#theatre);
    this.tenant.start();
  }

  /** No more faults: who is down begins now. */
  calm(): void {
    this.isCalm = true;
    this.tenant?.life.setLateness(0);
    if (this.tenant !== undefined) return;
    this.#theatre.world.clearTimeout(this.#next);
    this.begin();
  }

  /** The present process is about to end; the next one begins so long after that. */
  goOnAfter(downMs: number): void {
    this.#downMs ??= downMs;
  }

  noteFault(row: string, act: Act): void {
    const kind = `${act.on} ${act.fault.kind}`;
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    // A fault that is made of many acts is one.
    if ((act.afterMs ?? 0) === 0) this.struck.set(row, (this.struck.get(row) ?? 0) + 1);
  }

  /** After every step of the world. */
  look(): void {
    const { tenant } = this;
    if (tenant === undefined) return;
    if (tenant.isOver) {
      if (!this.#isEnding) this.#end(tenant);
      return;
    }
    const { world, violations } = this.#theatre;
    const now = world.now();
    if (tenant.life.isStill) {
      this.#stillAt = now;
      return;
    }
    const second = Math.floor(now / 1_000);
    if (!tenant.isStirred && second === this.#second) return;
    this.#second = second;
    if (tenant.isOverdue) violations.add('I5', 'does not stop in time', tenant.stopping?.how ?? '');
    tenant.honesty.look(tenant.collector);
    if (!tenant.isStirred && now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    tenant.isStirred = false;
    const wokeAt = Math.max(this.#stillAt, tenant.life.stillUntil);
    const isAwake = now - wokeAt > PROBING_MS;
    const knowsTime = now - Math.max(wokeAt, tenant.knowsTimeSince) > WAKING_MS;
    tenant.honesty.lookAtSeries(tenant.collector, isAwake, knowsTime);
    lookAtBounds(tenant.collector, tenant.bounds);
    if (now - this.#lookedAroundAt < LOOK_AROUND_MS) return;
    this.#lookedAroundAt = now;
    lookAtActors(tenant.collector, tenant.bounds);
    tenant.listening.hear('status', JSON.stringify(tenant.collector.status()));
    tenant.listening.hear('health', JSON.stringify(tenant.collector.health()));
  }

  /** The world ends: what is left of its processes is counted. */
  close(): void {
    const { tenant } = this;
    if (tenant === undefined) return;
    if (!tenant.isOver) tenant.tally();
    this.#bury(tenant);
  }

  #end(tenant: Tenant): void {
    this.#isEnding = true;
    const { world } = this.#theatre;
    const { ending } = tenant;
    const downMs = this.#downMs ?? AGAIN_MS;
    this.#downMs = undefined;
    if (ending?.kind !== 'ended') {
      this.#bury(tenant);
      this.#beginAfter(downMs);
      return;
    }
    const { code } = ending;
    if (tenant.stopping === undefined) judgeOwnEnd(this.#theatre, code);
    world.setTimeout(() => {
      judgeEnd(this.#theatre, tenant, code);
      if (!this.isOver && downMs < SAME_PROCESS_MS && tenant.mayStartAgain) {
        this.#isEnding = false;
        this.lives += 1;
        tenant.startAgain();
        return;
      }
      this.#bury(tenant);
      this.#beginAfter(downMs);
    }, LEAVE_MS);
  }

  #beginAfter(downMs: number): void {
    this.#next = this.#theatre.world.setTimeout(
      () => {
        if (!this.isOver) this.begin();
      },
      this.isCalm ? Math.min(downMs, AGAIN_MS) : downMs,
    );
  }

  #bury(tenant: Tenant): void {
    const { counts } = this;
    tenant.life.kill();
    counts.bars += tenant.counts.bars;
    counts.gaps += tenant.counts.gaps;
    counts.revisions += tenant.counts.revisions;
    counts.dials += tenant.wire.dials;
    counts.lines += tenant.listening.lines;
    this.tenant = undefined;
  }
}
