/** A run of `collect`, from its plan to its exit code. */
import { type ConfigurationError, ConnectionError } from '../errors.ts';
import type { StopReport } from '../lifecycle.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { ALL, type ResolvedOptions, redact } from '../options.ts';
import type { EndReason } from '../supervisor/exit-code.ts';
import { type Supervision, superviseProcess } from '../supervisor/process.ts';
import { within } from '../supervisor/within.ts';
import { type Detach, logClosed, logEvents, showView, writeRareRecords } from './collect-output.ts';
import type { CollectPlan } from './collect-plan.ts';
import type { CollectSettings } from './collect-settings.ts';
import type { CollectorFace, Parts } from './collector-face.ts';
import { createJsonl, type Jsonl } from './jsonl.ts';
import { painter, type Screen } from './terminal.ts';
import { asUsage, inFlags, usageText } from './usage.ts';

/** What the process keeps of the stop's time for itself, ms. */
const RESERVE_MS = 250;
/** How long a reader of standard output may take for the last lines, ms. */
const LAST_LINES_MS = 500;

/** Ctrl+C under `npm start` arrives twice: from the terminal and from npm. */
const sameSignalMs = (): number =>
  process.env['npm_lifecycle_event'] !== undefined && process.stdin.isTTY ? 100 : 0;

/** Starts the collector, shows what it does, and stops it once, whatever the reason. */
export class CollectRun {
  readonly #plan: CollectPlan;
  readonly #settings: CollectSettings;
  readonly #parts: Parts;
  readonly #logger: FlushableLogger;
  readonly #screen: Screen;
  readonly #isLive: boolean;
  readonly #supervision: Supervision;
  readonly #detach: Detach[] = [];
  #preparing: Promise<CollectorFace | undefined> = Promise.resolve(undefined);
  #following: Promise<void> = Promise.resolve();
  #jsonl: Jsonl | undefined;
  #usage: ConfigurationError | undefined;

  constructor(made: {
    plan: CollectPlan;
    settings: CollectSettings;
    parts: Parts;
    logger: FlushableLogger;
    screen: Screen;
    isLive: boolean;
  }) {
    const { plan, settings, parts, logger, screen, isLive } = made;
    this.#plan = plan;
    this.#settings = settings;
    this.#parts = parts;
    this.#logger = logger;
    this.#screen = screen;
    this.#isLive = isLive;
    this.#supervision = superviseProcess({
      logger,
      stop: (reason) => this.#stop(reason),
      stopTimeoutMs: plan.resolved.stopTimeoutMs,
      sameSignalMs: sameSignalMs(),
    });
  }

  async run(): Promise<number> {
    const { duration } = this.#settings.values;
    const timer =
      duration === undefined ? undefined : setTimeout(() => this.#supervision.end('finished'), duration);
    void this.#start();
    const code = await this.#supervision.ended;
    clearTimeout(timer);
    if (this.#usage !== undefined) this.#screen.write(usageText('collect', this.#usage), () => undefined);
    await this.#logger.flush();
    this.#supervision.release();
    return code;
  }

  async #start(): Promise<void> {
    try {
      this.#preparing = this.#prepare();
      const collector = await this.#preparing;
      if (collector === undefined || this.#supervision.isEnding) return;
      await collector.startStreaming();
    } catch (error) {
      if (this.#supervision.isEnding) return;
      this.#usage = asUsage(error, this.#plan.db);
      if (this.#usage === undefined) this.#logger.error(failureText(error), { error });
      else this.#usage = inFlags(this.#usage, this.#settings);
      this.#supervision.end(this.#usage === undefined ? 'failed' : 'usage');
    }
  }

  async #prepare(): Promise<CollectorFace> {
    const { options, db, embedded, resolved } = this.#plan;
    const logger = this.#logger;
    const collector = await this.#parts.createCollector({ ...options, logger });
    logger.debug('options', { options: redact(resolved) });
    const where = embedded ? 'the embedded simulated exchange' : this.#plan.origin;
    logger.info(`collecting from ${where} into ${db}`, {
      symbols: resolved.symbols,
      intervals: resolved.intervals,
      timeScale: resolved.timeScale,
    });
    this.#detach.push(
      collector.on('state', ({ to }) => {
        if (to === 'stopped' && !this.#supervision.isEnding) this.#onStoppedByItself();
      }),
      logEvents(collector, logger),
    );
    if (this.#isLive) {
      this.#detach.push(showView(collector, this.#plan, this.#screen, painter(process.stderr)));
    } else {
      this.#detach.push(logClosed(collector, logger, seriesCount(resolved)));
    }
    if (this.#settings.values.stdout === 'jsonl') this.#writeLines(collector);
    return collector;
  }

  /** A start that fails stops the collector too; then `startStreaming` tells more than the state. */
  #onStoppedByItself(): void {
    setImmediate(() => this.#supervision.end('failed'));
  }

  #writeLines(collector: CollectorFace): void {
    const logger = this.#logger;
    this.#jsonl = createJsonl({
      target: process.stdout,
      onClosed: () => {
        logger.debug('nobody reads standard output any more; stopping');
        this.#supervision.end('finished');
      },
      onFailed: (error) => {
        logger.error('standard output failed; stopping', { error });
        this.#supervision.end('failed');
      },
    });
    this.#detach.push(writeRareRecords(collector, this.#jsonl, logger));
    this.#following = this.#jsonl.follow(collector.candles({})).catch((error: unknown) => {
      logger.error('candles could not be read; stopping', { error });
      this.#supervision.end('failed');
    });
  }

  /** Everything closed, in order, within the stop's time; true when nothing was lost. */
  async #stop(reason: EndReason): Promise<boolean> {
    const deadline = performance.now() + this.#plan.resolved.stopTimeoutMs;
    const left = (): number => Math.max(0, deadline - performance.now());
    const collector = await Promise.race([this.#preparing.catch(() => undefined), wait(left())]);
    let report: StopReport | undefined;
    if (collector !== undefined) {
      report = await collector.stop({
        timeoutMs: Math.round(left() - Math.min(RESERVE_MS, left() / 10)),
        reason,
      });
      await within(
        this.#following.then(() => this.#jsonl?.flushed()),
        LAST_LINES_MS,
      );
    }
    for (const detach of this.#detach.splice(0)) detach();
    return report === undefined || this.#judge(report);
  }

  #judge(report: StopReport): boolean {
    const { unwritten, components, durationMs, clean } = report;
    const failed = components.filter(({ outcome }) => outcome === 'failed');
    const unclean = components.filter(({ outcome }) => outcome !== 'closed');
    this.#logger.info('everything is closed', { reason: report.reason, durationMs, clean });
    for (const { name, outcome, error } of unclean) {
      this.#logger.warn(`${name} was ${outcome} at the stop`, { error });
    }
    if (unwritten > 0) {
      this.#logger.error('rows were received and could not be stored; the next run fetches them', {
        rows: unwritten,
      });
    }
    return unwritten === 0 && failed.length === 0;
  }
}

const wait = (ms: number): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms, undefined).unref();
  });

/** How many series there are for sure: with all symbols, more than anybody reads line by line. */
const seriesCount = ({ symbols, intervals }: ResolvedOptions): number =>
  symbols === ALL ? Number.POSITIVE_INFINITY : symbols.length * intervals.length;

const failureText = (error: unknown): string => {
  if (error instanceof ConnectionError) return 'no stream could be had';
  return 'collecting failed';
};
