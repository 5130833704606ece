import { fromPromise } from 'xstate';
import type { Prepared } from '../../machines/collector.types.ts';
import type { FeedInput } from '../../machines/feed.machine.ts';
import type { KlineStreamInput } from '../../machines/kline-stream.machine.ts';
import type { Interval } from '../../machines/model/interval.ts';
import { exchangeInfoRequest } from '../binance/rest.ts';
import { type ListedSymbol, readSymbols } from '../binance/symbols.ts';
import { ConfigurationError, ExchangeError } from '../errors.ts';
import type { Logger } from '../ports.ts';
import type { RestPort } from './rest-port.ts';
import { type Roster, retirements } from './roster.ts';

export interface PreparePorts {
  readonly rest: RestPort;
  readonly logger: Logger;
  readonly symbols: 'all' | readonly string[];
  readonly intervals: readonly Interval[];
  readonly roster: Roster;
  /** The exchange's time, ms. */
  readonly exchangeNow: () => number;
  /** Makes the exchange reachable, where that is ours to do: the embedded one. */
  readonly reachExchange: () => Promise<void>;
  /** Sets the exchange clock. */
  readonly setClock: (signal: AbortSignal) => Promise<void>;
  /** Makes ready for the streams of a symbol. */
  readonly admit: (listed: ListedSymbol) => readonly KlineStreamInput[];
  /** The shards of these streams; one at least. */
  readonly shard: (streams: readonly KlineStreamInput[]) => readonly FeedInput[];
}

/** What must be known before a socket is opened: that the symbols exist, and what time it is there. */
export const prepareActor = (ports: PreparePorts) =>
  fromPromise<Prepared>(async ({ signal }) => {
    await ports.reachExchange();
    const listed = readSymbols(await ports.rest.ask(exchangeInfoRequest, signal));
    // Not even one: that is a fault there, and no wrong name here.
    if (listed.length === 0)
      throw new ExchangeError('the exchange lists no symbol at all', {
        code: 'HTTP_MALFORMED',
        status: 200,
        retryable: true,
      });
    if (ports.symbols !== 'all') checkSymbols(ports.symbols, listed);
    await ports.setClock(signal);
    signal.throwIfAborted();
    const { start, retire } = ports.roster.begin(listed, ports.exchangeNow());
    sayWhoStandsBy(ports, listed);
    return { feeds: ports.shard(start.flatMap(ports.admit)), retire: retirements(retire, ports.intervals) };
  });

/** The venue acknowledges streams of symbols that it does not have, and is mute on them: hence this check. */
function checkSymbols(wanted: readonly string[], listed: readonly ListedSymbol[]): void {
  const known = new Set(listed.map((entry) => entry.symbol));
  const issues = wanted.flatMap((symbol, index) =>
    known.has(symbol)
      ? []
      : [
          {
            option: `symbols[${index}]`,
            given: `'${symbol}'`,
            allowed: `the exchange lists no such symbol${suggestion(symbol, listed)}`,
          },
        ],
  );
  if (issues.length > 0) throw new ConfigurationError(issues);
}

const STANDING_BY = {
  waiting: 'the symbol does not trade yet; it is waited for',
  halted: 'the symbol is halted; its streams stay',
  retired: 'the symbol has ended; only what is still owed is fetched',
} as const;

function sayWhoStandsBy({ symbols, roster, logger }: PreparePorts, listed: readonly ListedSymbol[]): void {
  if (symbols === 'all') {
    const traded = listed.filter(({ symbol }) => roster.standing(symbol) === 'trading').length;
    if (traded === 0) logger.warn('no perpetual trades now; they are waited for', { listed: listed.length });
    else logger.info('every perpetual that trades is collected', { symbols: traded });
    return;
  }
  const status = new Map(listed.map((entry) => [entry.symbol, entry.status]));
  for (const symbol of symbols) {
    const standing = roster.standing(symbol) ?? 'trading';
    if (standing !== 'trading') logger.warn(STANDING_BY[standing], { symbol, status: status.get(symbol) });
  }
  if (symbols.every((symbol) => roster.standing(symbol) === 'retired'))
    logger.warn('every symbol has ended; nothing is left to collect', { symbols: symbols.length });
}

/** A symbol that begins alike, for a typing error. */
function suggestion(symbol: string, listed: readonly ListedSymbol[]): string {
  const near = listed.find((entry) => entry.symbol.startsWith(symbol.slice(0, 3)));
  return near === undefined ? `; it lists ${listed.length} symbols` : `, but for instance ${near.symbol}`;
}
