/** A simulated connection from a process to the exchange: a dial, and the WebSocket that may come of it. */
import type { SocketHandlers } from '../../../src/ports.ts';
import type { ExchangeCore } from '../../../src/simulator/core.ts';
import { type DialAnswer, END, type Frame, OVERHEAD_BYTES } from './frames.ts';
import type { Life } from './life.ts';
import type { Path } from './path.ts';
import { Pipe } from './pipe.ts';
import { VirtualLine } from './virtual-line.ts';
import { hangUp, VirtualSocket } from './virtual-socket.ts';

/** Head of a handshake, roughly, bytes. */
const HEAD_BYTES = 300;

interface Answered {
  readonly kind: 'answer';
  readonly answer: DialAnswer;
}

export interface ConnectionOptions {
  readonly life: Life;
  readonly path: Path;
  readonly exchange: ExchangeCore;
  readonly url: URL;
  readonly handlers: SocketHandlers;
  /** Both ends have let go of it. */
  readonly onOver: (connection: Connection) => void;
}

/** Both ends of one WebSocket and the two directions between them. */
export class Connection {
  readonly life: Life;
  readonly socket: VirtualSocket;
  readonly #options: ConnectionOptions;
  readonly #down: Pipe<Frame | Answered>;
  readonly #up: Pipe<Frame>;
  #line: VirtualLine | undefined;
  #number: number | undefined;
  /** The exchange has nothing to do with it: not yet, or not any more. */
  #isLineOver = false;
  #leave = (): void => {};

  constructor(options: ConnectionOptions) {
    const { life, path } = options;
    this.life = life;
    this.#options = options;
    this.#down = new Pipe({
      world: path.world,
      latency: path.latency,
      wake: (read) => life.deliver(read),
      out: (frame) => {
        if (!Buffer.isBuffer(frame) && frame.kind === 'answer') this.socket.answered(frame.answer);
        else this.socket.take(frame);
      },
    });
    this.#up = new Pipe({
      world: path.world,
      latency: path.latency,
      wake: (read) => read(),
      out: (frame) => {
        if (this.#line !== undefined) this.#line.take(frame);
        else if (frame === END) this.#lineOver();
      },
    });
    this.socket = new VirtualSocket(
      life,
      {
        push: (frame, bytes) => this.#up.push(frame, bytes),
        soon: (callback) => void path.world.setTimeout(() => life.deliver(callback), 0),
        over: () => this.#socketOver(),
      },
      options.handlers,
    );
    path.world.setTimeout(() => this.#dial(), path.connecting());
  }

  /** Number of the socket as the exchange counts; undefined while it has none. */
  get number(): number | undefined {
    return this.#number;
  }

  get isOver(): boolean {
    return this.socket.isOver && this.#isLineOver;
  }

  /** Nothing arrives before that time of the world, in neither direction. */
  hold(until: number): void {
    this.#down.hold(until);
    this.#up.hold(until);
  }

  /** Nothing arrives any more, and neither end is told. */
  lose(): void {
    this.#down.shut();
    this.#up.shut();
  }

  /** Its process is dead: the kernel says so to the exchange. */
  abandon(): void {
    this.#down.shut();
    this.#up.push(END, OVERHEAD_BYTES);
  }

  #dial(): void {
    const { exchange, path, url, life } = this.#options;
    if (this.socket.isOver || life.isDead) {
      this.#lineOver();
      return;
    }
    if (path.cutMs > 0) {
      path.world.setTimeout(() => this.#dial(), path.latency());
      return;
    }
    const obstacle = path.obstacle(url);
    if (obstacle !== undefined) {
      this.#fail(obstacle);
      return;
    }
    const handshake = exchange.handshake({ path: `${url.pathname}${url.search}`, isLocal: true });
    switch (handshake.kind) {
      case 'refused':
        this.#answer({ ...handshake, kind: 'refused' });
        this.#lineOver();
        return;
      case 'destroyed':
        this.#fail(hangUp());
        return;
      case 'hanging':
        this.#leave = handshake.wait(() => this.#fail(hangUp()));
        return;
      case 'accepted': {
        this.#answer({ kind: 'opened' });
        const line = this.#openLine();
        const session = handshake.open(line);
        this.#number = session.number;
        line.tell(session);
      }
    }
  }

  #openLine(): VirtualLine {
    const [down, up] = [this.#down, this.#up];
    this.#line = new VirtualLine(this.#options.path.world, {
      push: (frame, bytes) => down.push(frame, bytes),
      get bytes() {
        return down.bytes;
      },
      setRate: (bytesPerSecond) => down.setRate(bytesPerSecond),
      setDeaf: (isDeaf) => up.setPaused(isDeaf),
      over: () => this.#lineOver(),
    });
    return this.#line;
  }

  #answer(answer: DialAnswer): void {
    this.#down.push({ kind: 'answer', answer }, HEAD_BYTES);
  }

  #fail(error: Error): void {
    this.#answer({ kind: 'failed', error });
    this.#lineOver();
  }

  #lineOver(): void {
    if (this.#isLineOver) return;
    this.#isLineOver = true;
    this.#leave();
    this.#up.shut();
    this.#tellOver();
  }

  #socketOver(): void {
    this.#down.shut();
    this.#tellOver();
  }

  #tellOver(): void {
    if (this.isOver || (this.life.isDead && this.#isLineOver)) this.#options.onOver(this);
  }
}
