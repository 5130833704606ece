/**
 * `ccxt` pro: a loop of `watchOHLCV` for each stream, as its manual shows. Each frame is parsed (behind a regular expression that
 * quotes long numbers), made a row of six numbers, put into a cache of 1,000 bars, and a promise is resolved, behind which its
 * user gets the rows that are new and asks for the next. It does not say which bar is closed: here a bar counts as it was when
 * a later one came, which its user would have to do, too. Streams go round 50 connections. All that is its own setting, but:
 * the URL; markets that are given, not asked for; and no limit of its requests.
 */
import { type Bar, contend, type Scene } from './contender.ts';
import { peer, until } from './peer.ts';

type Row = readonly [
  openTime: number,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
];
interface Exchange {
  readonly urls: { readonly api: { readonly ws: Record<string, string> } };
  loadHttpProxyAgent(): Promise<unknown>;
  setMarkets(markets: readonly object[]): void;
  watchOHLCV(symbol: string, interval: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}
interface Exports {
  readonly pro: { readonly binanceusdm: new (options: object) => Exchange };
}

const bars: Bar[] = [];
const lasts = new Map<string, Bar>();
/** Rows that its user got: one for a frame, as long as it keeps up. */
let updates = 0;

async function watch(exchange: Exchange, symbol: string, interval: string, began: () => void): Promise<void> {
  const name = `${symbol}@${interval}`;
  for (;;) {
    const rows = await exchange.watchOHLCV(unified(symbol), interval);
    began();
    updates += rows.length;
    for (const [openTime, open, high, low, close, volume] of rows) {
      const last = lasts.get(name);
      if (last !== undefined && last.openTime < openTime) bars.push(last);
      lasts.set(name, { symbol, interval, openTime, open, high, low, close, volume });
    }
  }
}

const unified = (symbol: string): string => symbol.replace(/USDT$/u, '/USDT:USDT');

const marketOf = (id: string): object => ({
  ...{ id, lowercaseId: id.toLowerCase(), symbol: unified(id), base: id.replace(/USDT$/u, '') },
  ...{ quote: 'USDT', settle: 'USDT', baseId: id.replace(/USDT$/u, ''), quoteId: 'USDT', settleId: 'USDT' },
  ...{ type: 'swap', spot: false, margin: false, swap: true, future: false, option: false, active: true },
  ...{ contract: true, linear: true, inverse: false, contractSize: 1, precision: {}, limits: {}, info: {} },
});

async function start({ wsUrl, symbols, intervals, peers }: Scene) {
  const { pro } = peer<Exports>(peers, 'ccxt');
  // Else a thousand subscriptions take minutes.
  const exchange = new pro.binanceusdm({ newUpdates: true, enableRateLimit: false });
  exchange.urls.api.ws['future'] = `${wsUrl}/ws`;
  // Without it a URL that is not encrypted is refused.
  await exchange.loadHttpProxyAgent();
  exchange.setMarkets(symbols.map(marketOf));
  let isOver = false;
  const live = new Set<string>();
  const all = symbols.flatMap((symbol) => intervals.map((interval) => ({ symbol, interval })));
  for (const { symbol, interval } of all)
    watch(exchange, symbol, interval, () => live.add(`${symbol}@${interval}`)).catch((error: Error) => {
      if (isOver) return;
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    });
  await until(() => live.size === all.length);
  return {
    // What it holds at the end is of the last bar: it counts as closed, for nothing comes behind it.
    bars: () => [...bars, ...lasts.values()],
    frames: () => updates,
    async stop() {
      isOver = true;
      await exchange.close();
      return undefined;
    },
  };
}

await contend(start);
