/** One process of a simulated world: a collector under its supervisor, from its start to whatever ends it. */
import { EventEmitter } from 'node:events';
import type { BinanceDataCollector } from '../../src/collector.ts';
import { collectorComponent } from '../../src/supervisor/collector-component.ts';
import { runApplication } from '../../src/supervisor/run.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { ToldBars } from './check/bars.ts';
import { Dials } from './check/bounded.ts';
import { judgeExit } from './check/ends.ts';
import { Honesty } from './check/honest.ts';
import { Listening } from './check/quiet.ts';
import { Wire } from './check/wire.ts';
import { Consumers } from './consumers.ts';
import { CANARY } from './draw/kind.ts';
import { SimulatedHost } from './host.ts';
import { makeCollector, STOP_MS } from './make-collector.ts';
import { type StopHow, streamsOf } from './plan.ts';
import { tapped } from './tap.ts';
import { STORE, type Theatre } from './theatre.ts';
import { plainText } from './trace.ts';
import { Life } from './world/life.ts';

/** After which what others have asked is forgotten, ms: the minute in which it was, and one more. */
const BUDGET_MS = 120_000;

/** Why a process is no more. */
export type Ending =
  | { readonly kind: 'killed' }
  /** It has ended by what it was asked, or by itself; `code`: with an exit code of its own. */
  | { readonly kind: 'ended'; readonly code: number }
  /** Ended at once, as asked. */
  | { readonly kind: 'forced'; readonly code: number };

/** A stop that was asked for. */
interface Stopping {
  readonly how: StopHow;
  readonly askedAt: number;
  /** Time in which it stood still is none of its time, ms. */
  stillMs: number;
  /** The second signal has come before it was over. */
  isForced?: true;
}

export class Tenant {
  readonly life: Life;
  readonly wire: Wire;
  readonly listening: Listening;
  readonly honesty: Honesty;
  readonly collector: BinanceDataCollector;
  readonly consumers: Consumers;
  readonly supervisor: Supervisor;
  readonly host: SimulatedHost;
  told: ToldBars;
  ending: Ending | undefined;
  stopping: Stopping | undefined;
  /** Something that its status depends on has changed. */
  isStirred = true;
  hasSlept = false;
  /** Exchange time from which on this run has streamed. */
  streamsSince = Number.POSITIVE_INFINITY;
  /** So many bars, gaps and revisions were told. */
  readonly counts = { bars: 0, gaps: 0, revisions: 0 };
  readonly #theatre: Theatre;
  readonly #abort = new AbortController();
  #callbackStops = false;
  readonly #bornAt: number;

  constructor(theatre: Theatre) {
    const { world, exchange, network, disk, trace, violations, untruths } = theatre;
    this.#theatre = theatre;
    this.#bornAt = world.now();
    const life = new Life(world);
    this.life = life;
    this.wire = new Wire(() => world.now());
    this.listening = new Listening(trace, violations, () => world.now(), [CANARY]);
    const { logger } = this.listening;
    const dials = new Dials(violations);
    const listened = tapped(
      { ...network.portsFor(life), disk: disk.portsFor(life) },
      {
        trace,
        wire: this.wire,
        untruths,
        now: () => exchange.now(),
        onDial: () => dials.dialled(world.now()),
        onStir: () => {
          this.isStirred = true;
        },
        // Somebody else on this address may have spent what there was, or the process before this one.
        onTooMany: (what) => {
          const isOurs = world.now() - Math.max(theatre.weightFaultAt, this.#bornAt) > BUDGET_MS;
          if (isOurs) violations.add('I8', 'the exchange was asked too much', what);
        },
        onAnswer: (symbol, status) => this.#answered(symbol, status),
      },
    );
    this.collector = makeCollector(theatre, { life, logger, signal: this.#abort.signal, world: listened });
    this.honesty = new Honesty({
      violations,
      truth: exchange.truth,
      wire: this.wire,
      now: () => exchange.now(),
      latenessMs: () => theatre.latenessMs,
      isNamed: (series, openTime) => this.told.isNamed(series, openTime),
    });
    this.told = this.#newTold();
    this.#listen();
    this.consumers = new Consumers({
      collector: this.collector,
      world,
      life,
      told: () => this.told,
      violations,
    });
    this.supervisor = new Supervisor({
      components: [collectorComponent(this.collector)],
      timeoutMs: STOP_MS,
      clock: life,
      logger,
      // What this process holds of its world: its sockets.
      resources: () => Array.from({ length: network.openSockets(life) }, () => 'TCPSocketWrap'),
      inspect: theatre.coverage?.inspect,
    });
    this.host = new SimulatedHost((code) => this.#exit({ kind: 'forced', code }));
  }

  /** Runs as a program does. */
  start(): void {
    const { world, trace, violations } = this.#theatre;
    trace.add('process', 'starts');
    runApplication(this.supervisor, {
      host: this.host,
      clock: this.life,
      logger: this.listening.logger,
      output: new EventEmitter(),
      goesOn: true,
    }).then(
      (code) => {
        // What it still has to let go of it lets go of within the next moment.
        world.setTimeout(() => this.#exit({ kind: 'ended', code }), 0);
      },
      (error: unknown) => violations.add('I7', 'the application rejected', plainText(error)),
    );
  }

  /** One that was told to end by a signal of its own options has ended for good. */
  get mayStartAgain(): boolean {
    return !this.#abort.signal.aborted;
  }

  /** Begins the next run of the same process. */
  startAgain(): void {
    this.ending = undefined;
    this.stopping = undefined;
    this.streamsSince = Number.POSITIVE_INFINITY;
    this.told = this.#newTold();
    this.start();
  }

  get isOver(): boolean {
    return this.ending !== undefined;
  }

  /** Asks it to stop. */
  stop(how: StopHow): void {
    if (this.isOver || this.stopping !== undefined) return;
    const { world, trace } = this.#theatre;
    const stopping: Stopping = { how, askedAt: world.now(), stillMs: 0 };
    this.stopping = stopping;
    trace.add('process', `is to stop: ${how}`);
    this.life.deliver(() => {
      // Who stands still hears of it afterwards.
      stopping.stillMs = world.now() - stopping.askedAt;
      this.#ask(how);
    });
  }

  kill(): void {
    if (this.isOver) return;
    this.#exit({ kind: 'killed' });
  }

  /** It stands still, asleep or not. */
  standStill(kind: 'freeze' | 'sleep', ms: number): void {
    if (this.stopping !== undefined) this.stopping.stillMs += ms;
    if (kind === 'freeze') {
      this.life.freeze(ms);
      return;
    }
    this.wire.timesRead = 0;
    this.hasSlept = true;
    this.life.sleep(ms);
  }

  /**
   * World time since when it could know the exchange's. After a sleep nobody can, until the exchange was asked and has
   * said so twice.
   */
  get knowsTimeSince(): number {
    if (!this.hasSlept) return Number.NEGATIVE_INFINITY;
    return this.wire.timesRead < 2 ? Number.POSITIVE_INFINITY : this.wire.timeReadAt;
  }

  /** For I5: it has had more time to stop than it may have. */
  get isOverdue(): boolean {
    if (this.stopping === undefined || this.isOver || this.life.isStill) return false;
    const { askedAt, stillMs, how } = this.stopping;
    const now = this.#theatre.world.now();
    // Asked from the next candle on; there may be none for a while.
    if (how === 'callback' && this.#callbackStops) return false;
    return now - askedAt - stillMs > STOP_MS + SLACK_MS + 4 * this.#theatre.latenessMs;
  }

  #ask(how: StopHow): void {
    const { world, violations } = this.#theatre;
    switch (how) {
      case 'signal':
        this.host.signal('SIGTERM');
        break;
      case 'interrupt':
        this.host.signal('SIGINT');
        break;
      case 'forced':
        this.host.signal('SIGTERM');
        world.setTimeout(() => this.life.deliver(() => this.#force()), 20);
        break;
      case 'abort':
        this.#abort.abort(new Error('the plan says so'));
        break;
      case 'callback':
        this.#callbackStops = true;
        break;
      case 'twice':
        void Promise.all([this.collector.stop(), this.supervisor.stop(), this.collector.stop()]).then(
          ([first, , second]) => {
            if (first !== second) violations.add('I5', 'two callers of stop got two reports', '');
          },
        );
        break;
    }
  }

  #force(): void {
    if (this.stopping !== undefined && !this.isOver) this.stopping.isForced = true;
    this.host.signal('SIGTERM');
  }

  #exit(ending: Ending): void {
    if (this.isOver) return;
    judgeExit(this.#theatre, this, ending);
    this.ending = ending;
    if (ending.kind !== 'ended') this.life.kill();
    this.#theatre.trace.add('process', `is over: ${plainText(ending)}`);
    this.tally();
  }

  /** What was told in this run is counted, and a new run begins. */
  tally(): void {
    const { counts, told } = this;
    counts.bars += told.bars;
    counts.gaps += told.gaps;
    counts.revisions += told.revisions;
  }

  #newTold(): ToldBars {
    const { violations, exchange, untruths, disk } = this.#theatre;
    return new ToldBars({
      violations,
      truth: exchange.truth,
      untruths,
      now: () => exchange.now(),
      database: () => {
        try {
          return disk.database(STORE);
        } catch {
          return undefined;
        }
      },
    });
  }

  #listen(): void {
    const { collector, listening } = this;
    const { trace, exchange } = this.#theatre;
    collector.on('candle', (candle) => {
      trace.add('candle', plainText(candle));
      this.told.candle(candle);
      if (!this.#callbackStops) return;
      this.#callbackStops = false;
      if (this.stopping !== undefined)
        this.stopping = { ...this.stopping, askedAt: this.#theatre.world.now() };
      void collector.stop();
    });
    collector.on('gap', (gap) => {
      trace.add('gap', plainText(gap));
      this.told.gap(gap);
    });
    collector.on('revision', (revision) => {
      trace.add('revision', plainText(revision));
      this.told.revision(revision);
    });
    collector.on('state', (change) => {
      // Whoever reads when all is over gets the end.
      if (change.to === 'connecting' && change.from !== 'streaming') this.consumers.begin();
      if (change.to === 'streaming') this.streamsSince = Math.min(this.streamsSince, exchange.now());
      const text = plainText(change);
      trace.add('state', text);
      listening.hear('state', text);
      this.isStirred = true;
    });
    collector.on('error', (problem) => {
      const text = plainText(problem);
      trace.add('error', text);
      listening.hear('error', text);
    });
  }

  #answered(symbol: string | null, status: number): void {
    const { world, exchange, asked } = this.#theatre;
    this.isStirred = true;
    if (symbol === null) return;
    const { streamsSince } = this;
    asked.push({ wallMs: world.now(), at: exchange.now(), symbol, status, streamsSince });
  }

  /** What the checks of bounds need. */
  get bounds() {
    const { violations, plan } = this.#theatre;
    const { wire, life } = this;
    return { violations, wire, life, streams: streamsOf(plan), streamsPerSocket: plan.streamsPerSocket };
  }
}

/** A machine that is told late of a timer is late by that. */
const SLACK_MS = 100;
