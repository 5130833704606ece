/** What a load does in each state of its chart. Nothing here decides what comes next. */
import type { HistoryPlanned, HistoryStep } from '../../machines/history.machine.ts';
import type { CandleBlock } from '../../machines/model/block.ts';
import { barBefore, type Run } from '../../machines/model/gaps.ts';
import { countBars } from '../../machines/model/interval.ts';
import type { Gap } from '../../machines/model/row.ts';
import { type Span, spanOf, unite, within, without } from '../../machines/model/spans.ts';
import { ConfigurationError, ExchangeError } from '../errors.ts';
import { Bounded, type Counters, countBlocks, newCounters } from './progress.ts';
import { interleaved } from './sinks/parts.ts';
import type { HistorySink } from './sinks/sinks.ts';
import type { Confirmed, HistoryNote, HistoryPlan, HistoryQuery, HistorySource, Loaded } from './types.ts';

/** Gaps, notes and runs that a report lists; more are counted. */
const LISTED_MAX = 1_000;

export interface LoaderPorts {
  /** From and to are open times. */
  readonly query: HistoryQuery;
  readonly isDryRun: boolean;
  readonly sink: HistorySink;
  /** Makes the exchange reachable, and then what is made of its address. */
  readonly reach: () => Promise<HistorySource>;
  /** Lets go of the archive's files. */
  readonly closeArchive: () => Promise<void>;
  /** The exchange's time, or the local one while it is not known, ms. */
  readonly stampNow: () => number;
}

/** A load, step by step. What must outlast a step is kept here; where it stands is known by the chart. */
export class Loader {
  readonly counters: Counters = newCounters();
  readonly gaps = new Bounded<Gap>(LISTED_MAX);
  /** Gaps of the range that were named before, where they are not asked for again. */
  readonly known = new Bounded<Gap>(LISTED_MAX);
  readonly notes = new Bounded<HistoryNote>(LISTED_MAX);
  readonly unreached = new Bounded<Run>(LISTED_MAX);
  plan: HistoryPlan | undefined;
  readonly #ports: LoaderPorts;
  /** Ends what is fetched ahead. */
  readonly #over = new AbortController();
  #barsKnown = 0;
  #source: HistorySource | undefined;
  #parts: AsyncIterator<Loaded> | undefined;
  /** Of a sink that takes bars in order: the part that waits for what it lacks. */
  #held: Loaded | undefined;
  #lacking: Run[] = [];
  #barsUnreached = 0;

  constructor(ports: LoaderPorts) {
    this.#ports = ports;
  }

  async open(): Promise<void> {
    const { sink, isDryRun, reach } = this.#ports;
    // A store that can't be used is said at once, not when the exchange is there at last.
    await sink.open(isDryRun);
    this.#source = await reach();
  }

  async makePlan(signal: AbortSignal): Promise<HistoryPlanned> {
    const { sink, query } = this.#ports;
    const range: Span = { from: query.from, to: query.to };
    const missing = await sink.missing(query, range);
    const whole = { ...query, missing };
    // Where nothing is missing nobody is asked anything.
    const plan: HistoryPlan =
      missing.length === 0
        ? { query: whole, range, pieces: [], bars: 0, notes: [] }
        : await this.#reached.plan(whole, signal);
    if (plan.bars > sink.barsMax)
      throw new ConfigurationError([
        {
          option: 'from',
          given: `${plan.bars} bars`,
          allowed: `at most ${sink.barsMax} in memory; load more into a store or a file`,
        },
      ]);
    this.plan = plan;
    this.#noteKnown(await sink.gaps(query, plan.range), plan.range, missing);
    this.counters.barsPlanned = plan.bars;
    this.notes.add(plan.notes);
    return { pieces: plan.pieces.length };
  }

  async load(signal: AbortSignal): Promise<HistoryStep> {
    const { sink } = this.#ports;
    this.#endWith(signal);
    this.#parts ??= this.#reached.load(this.#planned, this.#over.signal)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#parts.next();
      signal.throwIfAborted();
      if (next.done === true) break;
      const part = next.value;
      this.notes.add(part.notes);
      if (sink.isOrdered && part.lacking.length > 0) {
        this.#held = part;
        return { lacking: part.lacking.length, hasMore: true };
      }
      await this.#hand(part.blocks, [], [part], [...part.lacking, ...part.unreached]);
      this.#lacking.push(...part.lacking);
      this.#noteDone(part);
    }
    if (this.#lacking.length === 0) this.#assertReached();
    return { lacking: this.#lacking.length, hasMore: false };
  }

  async confirm(signal: AbortSignal): Promise<HistoryStep> {
    this.#endWith(signal);
    const held = this.#held;
    const lacking = held?.lacking ?? this.#lacking;
    const confirmed = await this.#reached.confirm(this.#planned.query, lacking, signal);
    signal.throwIfAborted();
    const gaps = this.#gapsOf(confirmed);
    const { blocks, unreached, endsAt } = confirmed;
    if (held === undefined) {
      await this.#hand(blocks, gaps, this.#spansOf(lacking), unreached, endsAt);
      this.#noteUnreached(unreached);
    } else {
      const owed = [...held.unreached, ...unreached];
      await this.#hand(interleaved(held.blocks, blocks), gaps, [held], owed, endsAt);
      this.#noteDone({ ...held, unreached: owed });
    }
    this.gaps.add(gaps);
    this.#held = undefined;
    this.#lacking = [];
    if (held === undefined) this.#assertReached();
    return { lacking: 0, hasMore: held !== undefined };
  }

  async finish(): Promise<void> {
    await this.#ports.sink.finish();
  }

  async closeSink(signal: AbortSignal): Promise<void> {
    this.#over.abort(new Error('the load has ended'));
    await this.#ports.sink.close(signal);
  }

  async closeArchive(): Promise<void> {
    this.#over.abort(new Error('the load has ended'));
    // What it was fetching ahead ends with an error that is nobody's concern.
    const ended = Promise.resolve(this.#parts?.return?.()).catch(() => {});
    await Promise.all([ended, this.#ports.closeArchive()]);
  }

  /** Bars of {@link known}, also of those that are not listed. */
  get barsKnown(): number {
    return this.#barsKnown;
  }

  get #reached(): HistorySource {
    if (this.#source === undefined) throw new Error('the exchange has not been reached');
    return this.#source;
  }

  get #planned(): HistoryPlan {
    if (this.plan === undefined) throw new Error('there is no plan');
    return this.plan;
  }

  /** What goes on from one step to the next ends when a step is broken off. */
  #endWith(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.#over.abort(signal.reason), { once: true });
  }

  /** Hands over bars and gaps of these ranges, of which what is owed is not whole, nor what is behind the end. */
  async #hand(
    blocks: readonly CandleBlock[],
    gaps: readonly Gap[],
    ranges: readonly Span[],
    owed: readonly Run[],
    endsAt = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { sink } = this.#ports;
    const behind = { from: endsAt, to: Number.POSITIVE_INFINITY };
    const holes = unite([...this.#spansOf(owed), behind]);
    await sink.take({ blocks, gaps, collected: without(unite(ranges), holes) });
    countBlocks(this.counters, blocks);
  }

  #spansOf(runs: readonly Run[]): Span[] {
    return runs.map((run) => spanOf(this.#ports.query.interval, run));
  }

  #noteDone({ piece, from, to, unreached }: Loaded): void {
    this.counters.piece = piece;
    this.counters.barsDone += countBars(this.#ports.query.interval, from, to);
    this.#noteUnreached(unreached);
    // Behind a hole that nobody could look into nothing can follow.
    if (this.#ports.sink.isOrdered) this.#assertReached();
  }

  #noteUnreached(runs: readonly Run[]): void {
    const { interval } = this.#ports.query;
    this.unreached.add(runs);
    for (const { from, to } of this.#spansOf(runs)) this.#barsUnreached += countBars(interval, from, to);
  }

  #noteKnown(gaps: readonly Gap[], range: Span, asked: readonly Span[]): void {
    const { interval } = this.#ports.query;
    for (const gap of gaps)
      for (const { from, to } of without(unite([within(spanOf(interval, gap), range)]), asked)) {
        this.known.add([{ ...gap, fromOpenTime: from, toOpenTime: barBefore(interval, to) }]);
        this.#barsKnown += countBars(interval, from, to);
      }
  }

  #assertReached(): void {
    if (this.#barsUnreached === 0) return;
    const message = `${this.#barsUnreached} bars could not be asked for; load again when the exchange can be reached`;
    throw new ExchangeError(message, { code: 'HISTORY_UNREACHED', status: 0, retryable: true });
  }

  /** What is behind the end of a symbol is no gap. */
  #gapsOf({ lacking, endsAt = Number.POSITIVE_INFINITY }: Confirmed): Gap[] {
    const { symbol, interval } = this.#ports.query;
    const detectedAt = Math.round(this.#ports.stampNow());
    return lacking
      .filter(({ fromOpenTime }) => fromOpenTime < endsAt)
      .map(({ fromOpenTime, toOpenTime, reason }) => ({
        symbol,
        interval,
        fromOpenTime,
        toOpenTime: toOpenTime < endsAt ? toOpenTime : barBefore(interval, endsAt),
        reason,
        detectedAt,
      }));
  }
}
