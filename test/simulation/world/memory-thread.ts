/** The thread that writes a store of a simulated world: it takes its time, fails when it is told to, and ends with its life. */
import { StoreError } from '../../../src/errors.ts';
import type { Request } from '../../../src/store/messages.ts';
import { refusal, StoreService } from '../../../src/store/service.ts';
import type { StoreThread, ThreadEvents } from '../../../src/store/thread.ts';
import type { Life } from './life.ts';
import type { MemoryFile } from './memory-file.ts';
import type { WorldClock } from './world-clock.ts';

/** What befalls a write: nothing; it is not written; it is written, and nobody is told so. */
export type Fate = 'written' | { readonly failed: Error } | { readonly lost: Error };

export interface ThreadPorts {
  readonly life: Life;
  readonly world: WorldClock;
  /** The file of that name, made when it is not there. */
  file(path: string): MemoryFile;
  /** How long a request takes, ms. */
  takesMs(request: Request): number;
  /** What befalls the next write. */
  fate(): Fate;
  /** It has been obeyed. */
  written(file: MemoryFile, request: Request): void;
}

/** A thread takes so long to end, ms. */
const END_MS = 2;
const WRITES: ReadonlySet<Request['do']> = new Set(['commit', 'load', 'close']);
const CHANGES: ReadonlySet<Request['do']> = new Set(['open', ...WRITES]);

export class MemoryThread implements StoreThread {
  readonly life: Life;
  readonly #ports: ThreadPorts;
  readonly #events: ThreadEvents;
  readonly #service: StoreService;
  readonly #asked: Request[] = [];
  #file: MemoryFile | undefined;
  #isBusy = false;
  #hasEnded = false;

  constructor(ports: ThreadPorts, events: ThreadEvents) {
    this.life = ports.life;
    this.#ports = ports;
    this.#events = events;
    this.#service = new StoreService(({ path }) => this.#hold(path));
  }

  post(request: Request, handedOver: readonly ArrayBuffer[]): void {
    this.#asked.push(structuredClone(request, { transfer: [...handedOver] }));
    this.#next();
  }

  terminate(): Promise<void> {
    return new Promise((resolve) => {
      this.#end(resolve);
    });
  }

  /** It fails, as a thread does that has no memory left. */
  crash(error: Error): void {
    if (this.isOver) return;
    const ended = this.terminate();
    this.life.deliver(() => this.#events.gone(error, ended));
  }

  #end(done: () => void): void {
    this.#hasEnded = true;
    this.#ports.world.setTimeout(() => {
      this.#file?.release(this);
      this.life.deliver(done);
    }, END_MS);
  }

  get isOver(): boolean {
    return this.#hasEnded || this.life.isDead;
  }

  /** What is written is there when half of its time has passed; by then nobody has been told. */
  #next(): void {
    if (this.#isBusy || this.isOver) return;
    const request = this.#asked.shift();
    if (request === undefined) return;
    this.#isBusy = true;
    const { world, takesMs } = this.#ports;
    const halfMs = takesMs(request) / 2;
    world.setTimeout(() => {
      if (this.isOver) return;
      const answer = this.#serve(request);
      world.setTimeout(() => {
        this.#isBusy = false;
        this.life.deliver(() => {
          if (!this.#hasEnded) this.#events.answered(answer);
        });
        this.#next();
      }, halfMs);
    }, halfMs);
  }

  #serve(request: Request) {
    const fate = WRITES.has(request.do) ? this.#ports.fate() : 'written';
    if (typeof fate === 'object' && 'failed' in fate) {
      // A file that is let go of is let go of, whatever could not be noted in it.
      if (request.do === 'close') this.#file?.release(this);
      return refusal(request, fate.failed);
    }
    const answer = this.#service.answer(request);
    if (answer.ok && this.#file !== undefined && CHANGES.has(request.do))
      this.#ports.written(this.#file, request);
    return typeof fate === 'object' ? refusal(request, fate.lost) : answer;
  }

  #hold(path: string) {
    const file = this.#ports.file(path);
    if (!file.take(this)) throw lockedStore(path);
    this.#file = file;
    return {
      database: file.database,
      walBytes: () => 0,
      assertInPlace() {},
      release: () => file.release(this),
    };
  }
}

export const lockedStore = (path: string): StoreError =>
  new StoreError(`${path} is being written by another process; stop it or use another store`, {
    code: 'STORE_LOCKED',
  });
