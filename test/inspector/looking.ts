/** Pages that look at a hub: real WebSockets over a bare server on loopback, in the hub's time and not in ours. */
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { SeriesBook } from '../../src/inspector/detail/series.ts';
import { Hub, type HubOptions } from '../../src/inspector/live/hub.ts';
import { type Changes, Observer } from '../../src/inspector/observe/observer.ts';
import type { ActorRow, News, Picture, ServerMessage } from '../../src/inspector/protocol.ts';
import { Memo } from '../support/collector.ts';
import { until } from '../support/wait.ts';
import { FakeClock } from '../transport/fake-clock.ts';
import { type Crowd, type CrowdOptions, crowd } from './crowd.ts';

/** A page, and all that it was told. */
export class Page {
  readonly messages: ServerMessage[] = [];
  readonly texts: string[] = [];
  readonly socket: WebSocket;
  closed: number | undefined;

  constructor(url: string, options: { autoPong?: boolean } = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data: Buffer) => {
      this.texts.push(data.toString());
      this.messages.push(JSON.parse(data.toString()) as ServerMessage);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', (code) => {
      this.closed = code;
    });
  }

  get pictures(): Picture[] {
    return this.messages.filter((message) => message.type === 'picture');
  }

  get news(): News[] {
    return this.messages.filter((message) => message.type === 'news');
  }

  /** Numbers of all transitions that it was told of, in the order in which it was. */
  get seqs(): number[] {
    return this.messages.flatMap((message) => (message.recent ?? []).map((step) => step.seq));
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }
}

export interface Looking {
  readonly hub: Hub;
  readonly observer: Observer;
  readonly crowd: Crowd;
  readonly clock: FakeClock;
  readonly log: Memo;
  /** Sockets of the server's side. */
  readonly sockets: readonly WebSocket[];
  /** A page that is connected; it has been told nothing yet. */
  page(options?: { autoPong?: boolean }): Promise<Page>;
  /** One that has its picture. */
  look(): Promise<Page>;
  /** One that shakes hands and then reads nothing any more. */
  stall(): Promise<Socket>;
  /** So much time passes; then all that was sent has arrived at these pages. */
  pass(ms: number, ...pages: Page[]): Promise<void>;
}

/** Sees as much more in each batch: much to tell, at no cost. */
class Loud extends Observer {
  readonly #more: ActorRow[];

  constructor(options: ConstructorParameters<typeof Observer>[0], bytes: number) {
    super(options);
    this.#more = bytes === 0 ? [] : [{ id: 'loud', name: 'x'.repeat(bytes), status: 'active', steps: 0 }];
  }

  override takeChanges(): Changes {
    const changes = super.takeChanges();
    return { ...changes, actors: [...changes.actors, ...this.#more] };
  }
}

/** A hub around a crowd. */
export async function looking(
  options: CrowdOptions & Pick<Partial<HubOptions>, 'series'> & { loudBytes?: number; candles?: true } = {},
): Promise<Looking> {
  const clock = new FakeClock();
  const made = await crowd({ streams: 4, ...options, clock: new FakeClock() });
  const { loudBytes = 0 } = options;
  const series = options.candles ? new SeriesBook(made.collector) : options.series;
  const observer = new Loud({ clock, roots: [made.actor] }, loudBytes);
  observer.attach();
  const log = new Memo();
  const { collector } = made;
  const hub = new Hub({ collector, observer, clock, version: '1.2.3', logger: log, series });
  const server = createServer();
  const upgrades = new WebSocketServer({ noServer: true, maxPayload: 65_536 });
  const sockets: WebSocket[] = [];
  server.on('upgrade', (request, socket, head) =>
    upgrades.handleUpgrade(request, socket, head, (one) => {
      sockets.push(one);
      hub.add(one);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/live`;
  const pages: Page[] = [];
  const raw: Socket[] = [];
  onTestFinished(async () => {
    for (const one of pages) one.socket.terminate();
    for (const one of raw) one.destroy();
    hub.terminate();
    observer.detach();
    await new Promise((resolve) => server.close(resolve));
    await made.stop();
  });

  const page: Looking['page'] = async (pageOptions = {}) => {
    const one = new Page(url, pageOptions);
    pages.push(one);
    await until('a page to be connected', () => one.socket.readyState !== WebSocket.CONNECTING);
    return one;
  };
  const pass: Looking['pass'] = async (ms, ...those) => {
    await clock.advance(ms);
    for (const one of those) await arrived(one);
  };
  return {
    hub,
    observer,
    crowd: made,
    clock,
    log,
    sockets,
    page,
    pass,
    look: async () => {
      const one = await page();
      await clock.advance(100);
      await until('a picture', () => one.pictures.length > 0);
      return one;
    },
    stall: async () => {
      const count = sockets.length;
      const socket = connect(port, '127.0.0.1');
      raw.push(socket);
      socket.on('error', () => {});
      socket.write(
        `GET /live HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      socket.pause();
      await until('a handshake', () => sockets.length > count);
      return socket;
    },
  };
}

/** An answer to a ping of ours comes behind all that was sent before. */
async function arrived(page: Page): Promise<void> {
  if (page.socket.readyState !== WebSocket.OPEN) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ['pong', 'close']) page.socket.off(event, done);
      resolve();
    };
    for (const event of ['pong', 'close']) page.socket.on(event, done);
    page.socket.ping();
  });
}
