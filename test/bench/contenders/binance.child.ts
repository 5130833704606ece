/**
 * The client library `binance`. Each frame is parsed, a few fields are looked at to tell what it is, two are added to it
 * (market and stream), and it is emitted, its decimals text as they were sent (`message`). With its setting `beautify` it is
 * besides copied into an object of long names, the decimals numbers (`formattedMessage`): what the floor does. All other
 * settings are its own, but the URL; its logger, which would write to the console, is silent.
 */
import { type Bar, contend, namesOf, type Scene } from './contender.ts';
import { barOf, type KlineAsSent, peer, until } from './peer.ts';

interface Client {
  on(event: string, listener: (data: never) => void): void;
  subscribe(topics: readonly string[], wsKey: string): Promise<unknown>;
  closeAll(force?: boolean): void;
}
interface Exports {
  readonly WebsocketClient: new (options: object, logger: object) => Client;
}
interface AsSent {
  readonly e?: string;
  readonly k: KlineAsSent;
}
interface Formatted {
  readonly eventType?: string;
  readonly kline: Bar & { readonly startTime: number; readonly final: boolean };
}

const bars: Bar[] = [];
let frames = 0;

const LISTENERS: Readonly<Record<string, (data: never) => void>> = {
  message({ e, k }: AsSent) {
    if (e !== 'kline') return;
    frames++;
    if (k.x) bars.push(barOf(k));
  },
  formattedMessage({ eventType, kline }: Formatted) {
    if (eventType !== 'kline') return;
    frames++;
    if (kline.final) bars.push({ ...kline, openTime: kline.startTime });
  },
};

async function start(scene: Scene) {
  const { wsUrl, mode, peers } = scene;
  const { WebsocketClient } = peer<Exports>(peers, 'binance');
  const silent = { trace() {}, info() {}, error() {} };
  const options = { wsUrl: `${wsUrl}/market/stream`, beautify: mode === 'formattedMessage' };
  const client = new WebsocketClient(options, silent);
  const listener = LISTENERS[mode];
  if (listener === undefined) throw new RangeError(`no mode ${mode}`);
  client.on(mode, listener);
  const names = namesOf(scene);
  await client.subscribe(names, 'usdmMarket');
  await until(() => frames >= names.length);
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
