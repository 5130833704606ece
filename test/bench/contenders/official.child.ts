/**
 * The connector that Binance publishes: a stream object for each series. Each frame is parsed with a
 * function that looks at every value, for whole numbers that a double does not hold; its event is given to the listeners of
 * its stream, whose results it awaits, with the decimals as text, as they were sent. All settings are its own, but the URL; it logs connections,
 * and nothing for a frame.
 */
import { type Bar, contend, type Scene } from './contender.ts';
import { barOf, type KlineAsSent, peer, until } from './peer.ts';

interface Event {
  readonly k?: KlineAsSent;
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
  if (k.x) bars.push(barOf(k));
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
  await until(() => frames >= wanted);
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
