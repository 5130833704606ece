/** Archive and REST as one source of history. */
import { pMapIterable } from 'p-map';
import { joinRuns } from '../../machines/model/block-runs.ts';
import {
  ARCHIVE_LACKS,
  EXCHANGE_FORGOT,
  FOLDER_FORGOT,
  FOLDER_LACKS,
} from '../../machines/model/gap-reasons.ts';
import type { Run } from '../../machines/model/gaps.ts';
import { type PlannedPiece, planHistory } from '../../machines/model/history-plan.ts';
import { countBars, nextOpenTime } from '../../machines/model/interval.ts';
import { type Series, seriesKey } from '../../machines/model/kline.ts';
import type { RestPort } from '../actors/rest-port.ts';
import type { ArchiveFile } from '../binance/archive.ts';
import { ConfigurationError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { fileOf, filesIn, published } from './archive/archive-view.ts';
import { isInArchive } from './archive/probe.ts';
import { withinEdges } from './edges.ts';
import { endedBy, type Facts, findFacts, possibleRange } from './facts.ts';
import { PieceLoader } from './piece-loader.ts';
import { confirmByRest } from './rest/confirm.ts';
import { BRIEF, PatientRest } from './rest/patient-rest.ts';
import { PAGE_ROWS, RestPages } from './rest/rest-pages.ts';
import type {
  ArchiveFiles,
  Confirmed,
  HistoryPlan,
  HistoryQuery,
  HistorySource,
  Loaded,
  Piece,
} from './types.ts';

export interface HistorySourcePorts {
  /** Undefined: there is no network, what the files lack is lacking. */
  readonly rest: RestPort | undefined;
  /** Undefined: there is no archive, all comes from REST. */
  readonly files: ArchiveFiles | undefined;
  /** The files are in a folder on this disk, and this tells which there are. Undefined: they come by network. */
  readonly hasFile?: ((file: ArchiveFile) => Promise<boolean>) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Pieces that are worked on ahead of the one that is due: files by the day, and months, which are thirty times as large. */
const AHEAD = 8;
const MONTHS_AHEAD = 1;
/** Rows of REST that are handed over at a time. */
const REST_ROWS = 10 * PAGE_ROWS;

/** A history source on an archive and a REST session. It owns neither. */
export function createHistorySource(ports: HistorySourcePorts): HistorySource {
  return new Source(ports);
}

class Source implements HistorySource {
  readonly #ports: HistorySourcePorts;
  readonly #rest: RestPort | undefined;
  /** For a plan nobody waits long: the local clock and the archive may do. */
  readonly #restNow: RestPort | undefined;
  /** What was found when the last plan was made, by series and source. */
  readonly #facts = new Map<string, Facts>();
  /** Where series were found to have ended: the open time behind their last bar. */
  readonly #ends = new Map<string, number>();

  constructor(ports: HistorySourcePorts) {
    const { rest, clock, logger } = ports;
    this.#ports = ports;
    this.#rest = rest === undefined ? undefined : new PatientRest(rest, clock, logger);
    this.#restNow = rest === undefined ? undefined : new PatientRest(rest, clock, logger, BRIEF);
  }

  async plan(query: HistoryQuery, signal?: AbortSignal): Promise<HistoryPlan> {
    const { clock, hasFile } = this.#ports;
    const rest = query.source === 'vision' ? undefined : this.#restNow;
    const facts = await findFacts(query, rest, clock, signal);
    const files = this.#files(query);
    if (facts.isGone && files === undefined) throw unknown(query);
    const { range, notes } = possibleRange(query, facts);
    const { interval } = query;
    const wanted = (query.missing ?? [query]).map(({ from, to }) => ({
      from: Math.max(from, range.from),
      to: Math.min(to, range.to),
    }));
    const { pieces, left } = planHistory({
      ...query,
      source: files === undefined ? 'rest' : query.source,
      wanted,
      endedBy: endedBy(facts),
      firstOpenTime: facts.firstOpenTime,
      archive:
        hasFile === undefined || files === undefined
          ? published(interval, facts.exchangeNow)
          : await filesIn(hasFile, query, wanted),
      hasRest: rest !== undefined && !facts.isGone,
    });
    const first = left[0];
    const unpublished =
      first === undefined
        ? []
        : [
            {
              ...seriesOf(query),
              kind: 'outside' as const,
              from: first.from,
              to: range.to,
              found: 'the archive has not published it yet',
              done: 'not asked for',
            },
          ];
    const plan: HistoryPlan = {
      query,
      range: { from: range.from, to: Math.min(range.to, first?.from ?? range.to) },
      pieces: pieces.map((piece) => withFile(query, piece)),
      bars: pieces.reduce((bars, { from, to }) => bars + countBars(interval, from, to), 0),
      notes: [...facts.notes, ...notes, ...unpublished],
    };
    if (facts.isGone && files !== undefined && !(await isInArchive(files, query, range, plan.pieces, signal)))
      throw unknown(query);
    this.#facts.set(factsKey(query), facts);
    return plan;
  }

  async *load(plan: HistoryPlan, signal?: AbortSignal): AsyncGenerator<Loaded, void, undefined> {
    const { query } = plan;
    const series = seriesOf(query);
    const facts = this.#factsOf(query);
    const rest = this.#restFor(query, facts);
    const loader = new PieceLoader({
      series,
      files: this.#files(query),
      isLocal: this.#isLocal,
      pages: rest === undefined ? undefined : new RestPages(rest, series),
      exchangeNow: facts.exchangeNow,
    });
    const edges = {
      isBeginKnown: facts.firstOpenTime !== undefined || rest !== undefined || this.#isLocal,
      hasEnded: facts.isGone,
    };
    const over = new AbortController();
    const end = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
    const underWay = new Set<Promise<Loaded>>();
    const begin = async ({ piece, part }: Portion): Promise<Loaded> => {
      const loading = loader.load(part, over.signal);
      underWay.add(loading);
      try {
        return { ...(await loading), piece };
      } finally {
        underWay.delete(loading);
      }
    };
    const concurrency = plan.pieces.some(({ by }) => by === 'month') ? MONTHS_AHEAD : AHEAD;
    try {
      const parts = pMapIterable(inPortions(plan.pieces, query), begin, { concurrency });
      let isFound = edges.isBeginKnown;
      for await (const loaded of withinEdges(parts, plan, edges)) {
        isFound ||= loaded.blocks.length > 0 || loaded.unreached.length > 0;
        yield this.#withoutEnd(query, loaded);
      }
      if (!isFound) await this.#assertKnown(plan, facts, over.signal);
    } finally {
      // Whoever leaves early leaves nothing running.
      signal?.removeEventListener('abort', end);
      over.abort();
      await Promise.allSettled(underWay);
    }
  }

  async confirm(query: HistoryQuery, lacking: readonly Run[], signal?: AbortSignal): Promise<Confirmed> {
    const facts = this.#factsOf(query);
    const { clock } = this.#ports;
    const rest = this.#restFor(query, facts);
    if (rest !== undefined) {
      const ports = { rest, clock, exchangeNow: facts.exchangeNow };
      const confirmed = await confirmByRest(ports, seriesOf(query), lacking, signal);
      if (confirmed.endsAt !== undefined) this.#ends.set(seriesKey(query), confirmed.endsAt);
      return confirmed;
    }
    signal?.throwIfAborted();
    const [lacks, forgot] = this.#isLocal ? [FOLDER_LACKS, FOLDER_FORGOT] : [ARCHIVE_LACKS, EXCHANGE_FORGOT];
    const reason = facts.isGone ? forgot : lacks;
    return {
      blocks: [],
      unreached: [],
      lacking: joinRuns(query.interval, lacking).map((run) => ({ ...run, reason })),
    };
  }

  /** Of a range in which the archive has nothing, and for which nobody else may be asked. */
  async #assertKnown(
    { query, range, pieces, bars }: HistoryPlan,
    { exchangeNow }: Facts,
    signal: AbortSignal,
  ): Promise<void> {
    const files = this.#files(query);
    // What a store holds of it vouches for the symbol.
    const isAll = bars > 0 && bars === countBars(query.interval, range.from, range.to);
    const since = { from: range.from, to: exchangeNow };
    if (files !== undefined && isAll && !(await isInArchive(files, query, since, pieces, signal)))
      throw unknown(query);
  }

  get #isLocal(): boolean {
    return this.#ports.hasFile !== undefined;
  }

  /** What lies behind the end of a series does not lack. */
  #withoutEnd(query: HistoryQuery, loaded: Loaded): Loaded {
    const end = this.#ends.get(seriesKey(query));
    if (end === undefined) return loaded;
    return { ...loaded, lacking: loaded.lacking.filter(({ fromOpenTime }) => fromOpenTime < end) };
  }

  #files({ source }: HistoryQuery): ArchiveFiles | undefined {
    return source === 'rest' ? undefined : this.#ports.files;
  }

  /** REST, where it may be asked and knows the symbol. */
  #restFor({ source }: HistoryQuery, { isGone }: Facts): RestPort | undefined {
    return source === 'vision' || isGone ? undefined : this.#rest;
  }

  #factsOf(query: HistoryQuery): Facts {
    const local = {
      exchangeNow: this.#ports.clock.wallNow(),
      firstOpenTime: undefined,
      isGone: false,
      notes: [],
    };
    return this.#facts.get(factsKey(query)) ?? local;
  }
}

const seriesOf = ({ symbol, interval }: HistoryQuery): Series => ({
  symbol,
  interval,
});

function withFile(query: HistoryQuery, { by, from, to, fileFrom, isLacking }: PlannedPiece): Piece {
  if (by === 'rest' || fileFrom === undefined) return { by, from, to };
  const file = fileOf(by, query, fileFrom);
  if (file === undefined) throw unknown(query);
  return { by, from, to, file, ...(isLacking && { isLacking }) };
}

/** What is loaded at a time: a piece, or a part of a long one. */
interface Portion {
  readonly piece: Piece;
  readonly part: Piece;
}

function* inPortions(pieces: readonly Piece[], { interval }: HistoryQuery): Generator<Portion> {
  for (const piece of pieces) {
    for (let from = piece.from; from < piece.to; ) {
      let to = piece.by === 'rest' ? from : piece.to;
      for (let rows = 0; rows < REST_ROWS && to < piece.to; rows++) to = nextOpenTime(interval, to);
      yield { piece, part: { ...piece, from, to } };
      from = to;
    }
  }
}

const factsKey = (query: HistoryQuery): string => `${seriesKey(query)} ${query.source}`;

const unknown = ({ symbol }: HistoryQuery): ConfigurationError =>
  new ConfigurationError([
    {
      option: 'symbol',
      given: JSON.stringify(symbol),
      allowed: 'a symbol that the exchange or its archive has',
    },
  ]);
