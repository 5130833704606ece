/** One exchange and one process that reaches it: over the network that there is, and without one. */
import type { HttpClient, HttpRequest, Socket, SocketEnd, SocketHandlers } from '../../../src/ports.ts';
import { createExchange } from '../../../src/simulator/core.ts';
import {
  type SimulatedExchange,
  type SimulatorOptions,
  startSimulator,
} from '../../../src/simulator/index.ts';
import { systemClock } from '../../../src/transport/clock.ts';
import { createHttpClient } from '../../../src/transport/http.ts';
import { openSocket } from '../../../src/transport/socket.ts';
import { seeded } from '../../support/seeded.ts';
import { until } from '../../support/wait.ts';
import { Life } from './life.ts';
import { VirtualNetwork } from './network.ts';
import { WorldClock } from './world-clock.ts';

export const EPOCH = Date.UTC(2026, 2, 1);
const TARGET = '/market/stream';

/** What a socket was told, in words. */
export class Ear implements SocketHandlers {
  readonly told: string[] = [];
  readonly texts: string[] = [];
  end: Omit<SocketEnd, 'cause'> | undefined;
  /** Called before each word. */
  onWord: () => void = () => {};

  opened(): void {
    this.#say('opened');
  }

  message(data: Buffer): void {
    this.texts.push(data.toString());
    this.#say('message');
  }

  heard(): void {
    this.#say('heard');
  }

  closed({ cause: _, ...end }: SocketEnd): void {
    this.end = end;
    this.#say(`closed ${end.code}`);
  }

  #say(word: string): void {
    this.onWord();
    this.told.push(word);
  }
}

/** What tests need of either. */
export interface Rig {
  readonly exchange: Pick<SimulatedExchange, 'inject' | 'clearFaults' | 'log' | 'sockets' | 'connections'>;
  readonly http: HttpClient;
  open(ear: SocketHandlers): Socket;
  get(request?: Partial<HttpRequest> & { readonly path?: string }): ReturnType<HttpClient['get']>;
  /** Lets time pass until it is so. */
  until(what: string, isSo: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const OPTIONS: SimulatorOptions = {
  seed: 5,
  symbols: ['BTCUSDT', 'ETHUSDT'],
  timeScale: 1,
  startTime: EPOCH,
};

const asking =
  (base: string, http: HttpClient): Rig['get'] =>
  async ({ path = '/fapi/v1/time', ...request } = {}) =>
    http.get({ url: `${base}${path}`, timeoutMs: 5_000, maxBytes: 10_000, ...request });

export async function realRig(options: SimulatorOptions = {}): Promise<Rig> {
  const exchange = await startSimulator({ ...OPTIONS, ...options });
  const http = createHttpClient(systemClock);
  const sockets: Socket[] = [];
  return {
    exchange,
    http,
    open: (ear) => {
      const socket = openSocket(`${exchange.wsUrl}${TARGET}`, ear);
      sockets.push(socket);
      return socket;
    },
    get: asking(exchange.restUrl, http),
    until: (what, isSo) => until(what, isSo),
    async close() {
      for (const socket of sockets) socket.terminate();
      await http.close();
      await exchange.close();
    },
  };
}

export interface VirtualRig extends Rig {
  readonly world: WorldClock;
  readonly life: Life;
  readonly network: VirtualNetwork;
  /** Lets so much time pass. */
  pass(ms: number): Promise<void>;
}

export async function virtualRig(
  options: SimulatorOptions & { readonly dice?: number } = {},
): Promise<VirtualRig> {
  const { dice = 1, ...rest } = options;
  const world = new WorldClock(EPOCH);
  const exchange = createExchange({ ...OPTIONS, ...rest, clock: world.quiet });
  const network = new VirtualNetwork({ exchange, world, random: seeded(dice) });
  const life = new Life(world);
  const ports = network.portsFor(life);
  const http = ports.createHttpClient(life);
  return {
    world,
    life,
    network,
    exchange,
    http,
    open: (ear) => ports.openSocket(`ws://exchange${TARGET}`, ear),
    get: asking('http://exchange', http),
    pass: (ms) => world.run(world.now() + ms),
    async until(what, isSo) {
      await world.run(world.now() + 120_000, () => !isSo());
      if (!isSo()) throw new Error(`${what}: not within two minutes`);
    },
    async close() {
      await http.close();
      exchange.close();
    },
  };
}
