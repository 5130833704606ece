import { fromPromise } from 'xstate';
import type { Prepared } from '../../machines/collector.setup.ts';
import type { FeedInput } from '../../machines/feed.machine.ts';
import { exchangeInfoRequest, type ListedSymbol, readSymbols } from '../binance/rest.ts';
import { ConfigurationError } from '../errors.ts';
import type { Logger } from '../ports.ts';
import type { RestPort } from './rest-port.ts';

export interface PreparePorts {
  readonly rest: RestPort;
  readonly logger: Logger;
  readonly symbols: readonly string[];
  /** Makes the exchange reachable, where that is ours to do: the embedded one. */
  readonly reachExchange: () => Promise<void>;
  /** Sets the exchange clock. */
  readonly setClock: (signal: AbortSignal) => Promise<void>;
  /** The shards, once symbols and time are known. */
  readonly shard: (listed: readonly ListedSymbol[]) => readonly FeedInput[];
}

/** What must be known before a socket is opened: that the symbols exist, and what time it is there. */
export const prepareActor = (ports: PreparePorts) =>
  fromPromise<Prepared>(async ({ signal }) => {
    await ports.reachExchange();
    const listed = readSymbols(await ports.rest.ask(exchangeInfoRequest, signal));
    checkSymbols(ports.symbols, listed, ports.logger);
    await ports.setClock(signal);
    signal.throwIfAborted();
    return { feeds: ports.shard(listed) };
  });

/** The venue acknowledges streams of symbols that it does not have, and is mute on them: hence this check. */
function checkSymbols(wanted: readonly string[], listed: readonly ListedSymbol[], logger: Logger): void {
  const bySymbol = new Map(listed.map((entry) => [entry.symbol, entry]));
  const issues = wanted.flatMap((symbol, index) =>
    bySymbol.has(symbol)
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
  for (const symbol of wanted) {
    const status = bySymbol.get(symbol)?.status;
    if (status !== 'TRADING') logger.warn('the symbol does not trade now', { symbol, status });
  }
}

/** A symbol that begins alike, for a typing error. */
function suggestion(symbol: string, listed: readonly ListedSymbol[]): string {
  const near = listed.find((entry) => entry.symbol.startsWith(symbol.slice(0, 3)));
  return near === undefined ? `; it lists ${listed.length} symbols` : `, but for instance ${near.symbol}`;
}
