/**
 * What a user writes by hand over `ws`. `raw`: counts messages; `parse`: parses them; `floor`: gives every candle as
 * numbers to a callback, which is the floor that all are measured by.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type Bar, type Contender, namesOf, type Scene } from './contender.ts';

const STREAMS_PER_SOCKET = 200;
const NAMES_PER_MESSAGE = 100;

interface Candle extends Bar {
  readonly closeTime: number;
  readonly quoteVolume: number;
  readonly count: number;
  readonly takerBuyVolume: number;
  readonly takerBuyQuoteVolume: number;
  readonly isClosed: boolean;
}

interface Message {
  readonly data?: {
    readonly s: string;
    readonly k: Readonly<Record<'s' | 'i' | 'o' | 'c' | 'h' | 'l' | 'v' | 'q' | 'V' | 'Q', string>> & {
      readonly t: number;
      readonly T: number;
      readonly n: number;
      readonly x: boolean;
    };
  };
}

let frames = 0;
const bars: Bar[] = [];

function onCandle(candle: Candle): void {
  if (candle.isClosed) bars.push(candle);
}

function onText(data: Buffer): void {
  const { data: event } = JSON.parse(data.toString()) as Message;
  if (event === undefined) return;
  frames++;
  const { k } = event;
  onCandle({
    symbol: k.s,
    interval: k.i,
    openTime: k.t,
    closeTime: k.T,
    open: Number(k.o),
    high: Number(k.h),
    low: Number(k.l),
    close: Number(k.c),
    volume: Number(k.v),
    quoteVolume: Number(k.q),
    count: k.n,
    takerBuyVolume: Number(k.V),
    takerBuyQuoteVolume: Number(k.Q),
    isClosed: k.x,
  });
}

const HANDLERS: Readonly<Record<string, (data: Buffer) => void>> = {
  raw: () => {
    frames++;
  },
  parse: (data) => {
    if ((JSON.parse(data.toString()) as Message).data !== undefined) frames++;
  },
  floor: onText,
};

/** One socket, when its subscriptions have been answered. */
async function open(wsUrl: string, names: readonly string[], onMessage: (data: Buffer) => void) {
  const socket = new WebSocket(`${wsUrl}/market/stream`, { perMessageDeflate: false });
  await once(socket, 'open');
  for (let first = 0; first < names.length; first += NAMES_PER_MESSAGE) {
    const params = names.slice(first, first + NAMES_PER_MESSAGE);
    socket.send(JSON.stringify({ method: 'SUBSCRIBE', params, id: first }));
    await once(socket, 'message');
  }
  socket.on('message', onMessage);
  return socket;
}

export async function startByHand(scene: Scene): Promise<Contender> {
  const { wsUrl, mode } = scene;
  const names = namesOf(scene);
  const onMessage = HANDLERS[mode];
  if (onMessage === undefined) throw new RangeError(`no mode ${mode}`);
  const sockets = await Promise.all(
    Array.from({ length: Math.ceil(names.length / STREAMS_PER_SOCKET) }, (_, index) => {
      const first = index * STREAMS_PER_SOCKET;
      return open(wsUrl, names.slice(first, first + STREAMS_PER_SOCKET), onMessage);
    }),
  );
  return {
    frames: () => frames,
    ...(mode === 'floor' ? { bars: () => bars } : {}),
    async stop() {
      for (const socket of sockets) socket.terminate();
      return undefined;
    },
  };
}
