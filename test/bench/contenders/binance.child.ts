/** The client library `binance`: its events as sent (`message`), or with numbers and long names (`formattedMessage`). */
import { type Bar, contend, type Scene } from './contender.ts';
import { peer } from './peer.ts';

interface Client {
  on(event: string, listener: (data: never) => void): void;
  subscribe(topics: readonly string[], wsKey: string): Promise<unknown>;
  closeAll(force?: boolean): void;
}
interface Exports {
  readonly WebsocketClient: new (options: object, logger: object) => Client;
}
interface AsSent {
  readonly data?: { readonly e?: string; readonly k: Readonly<Record<string, never>> };
}
interface Formatted {
  readonly eventType?: string;
  readonly kline: Bar & { readonly startTime: number; readonly final: boolean };
}

const bars: Bar[] = [];
let frames = 0;

const LISTENERS: Readonly<Record<string, (data: never) => void>> = {
  message(message: AsSent & AsSent['data']) {
    const { e, k } = message.data ?? message;
    if (e !== 'kline' || k === undefined) return;
    frames++;
    if (!k['x']) return;
    const numbers = { open: +k['o']!, high: +k['h']!, low: +k['l']!, close: +k['c']!, volume: +k['v']! };
    bars.push({ symbol: k['s']!, interval: k['i']!, openTime: k['t']!, ...numbers });
  },
  formattedMessage({ eventType, kline }: Formatted) {
    if (eventType !== 'kline') return;
    frames++;
    if (kline.final) bars.push({ ...kline, openTime: kline.startTime });
  },
};

async function start({ wsUrl, symbols, intervals, mode, peers }: Scene) {
  const { WebsocketClient } = peer<Exports>(peers, 'binance');
  const silent = { trace() {}, info() {}, error() {} };
  const options = { wsUrl: `${wsUrl}/market/stream`, beautify: mode === 'formattedMessage' };
  const client = new WebsocketClient(options, silent);
  const listener = LISTENERS[mode];
  if (listener === undefined) throw new RangeError(`no mode ${mode}`);
  client.on(mode, listener);
  const names = symbols.flatMap((symbol) =>
    intervals.map((interval) => `${symbol.toLowerCase()}@kline_${interval}`),
  );
  await client.subscribe(names, 'usdmMarket');
  for (; frames < names.length; ) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    bars: () => bars,
    frames: () => frames,
    async stop() {
      client.closeAll(true);
      return undefined;
    },
  };
}

await contend(start);
