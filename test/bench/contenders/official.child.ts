/** The connector that Binance publishes: a stream object for each series, whose listener gets the parsed event. */
import { type Bar, contend, type Scene } from './contender.ts';
import { peer } from './peer.ts';

interface Event {
  readonly k?: Readonly<Record<string, never>>;
}
interface Connection {
  klineCandlestickStreams(what: { symbol: string; interval: string }): {
    on(event: 'message', listener: (event: Event) => void): void;
  };
  disconnect(): Promise<void>;
}
interface Exports {
  readonly DerivativesTradingUsdsFutures: new (
    options: object,
  ) => {
    readonly websocketStreams: { connect(): Promise<Connection> };
  };
}

const bars: Bar[] = [];
let frames = 0;

function onEvent({ k }: Event): void {
  if (k === undefined) return;
  frames++;
  if (!k['x']) return;
  const numbers = { open: +k['o']!, high: +k['h']!, low: +k['l']!, close: +k['c']!, volume: +k['v']! };
  bars.push({ symbol: k['s']!, interval: k['i']!, openTime: k['t']!, ...numbers });
}

async function start({ wsUrl, symbols, intervals, peers }: Scene) {
  const name = '@binance/derivatives-trading-usds-futures';
  const { DerivativesTradingUsdsFutures } = peer<Exports>(peers, name);
  const client = new DerivativesTradingUsdsFutures({ configurationWebsocketStreams: { wsURL: wsUrl } });
  const connection = await client.websocketStreams.connect();
  for (const symbol of symbols)
    for (const interval of intervals)
      connection
        .klineCandlestickStreams({ symbol: symbol.toLowerCase(), interval })
        .on('message', (event) => onEvent(event));
  const wanted = symbols.length * intervals.length;
  for (; frames < wanted; ) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    bars: () => bars,
    frames: () => frames,
    async stop() {
      await connection.disconnect();
      return undefined;
    },
  };
}

await contend(start);
