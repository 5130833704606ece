import { Writable } from 'node:stream';

/** Where lines go: a stream as `process.stderr`, or something that writes around a live view. */
export interface LineStream {
  write(text: string, callback: (error?: Error | null) => void): unknown;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** Bytes not yet taken by the reader. */
  readonly writableLength?: number;
  /** It may take lines again after it has failed with one. Default: it is closed then. */
  readonly recovers?: boolean;
}

/** Waiting for a reader that has stalled; more is dropped and counted. */
const WAITING_MAX_BYTES = 32 * 1_048_576;

/**
 * What winston writes finished lines to. Knows which are still on their way, from the moment that they are
 * announced until the target has taken them. A target that is closed takes nothing any more and that is no
 * error: a program must not die because nobody reads its log.
 */
export class LineSink extends Writable {
  readonly #target: LineStream;
  #onTheWay = 0;
  #dropped = 0;
  #broken = false;
  #error: Error | undefined;
  #isFailureTold = false;
  readonly #onFailed: (error: Error) => void;
  #idle: (() => void)[] = [];

  /** `onFailed` hears of the first line that the target refused. */
  constructor(target: LineStream, onFailed: (error: Error) => void = () => {}) {
    super({ decodeStrings: false });
    this.#target = target;
    this.#onFailed = onFailed;
    target.on?.('error', () => {
      this.#broken = true;
    });
  }

  /** How many lines the target did not take since this was last asked; 0 while it still takes none. */
  takeLost(): number {
    if (this.#dropped === 0 || this.#error !== undefined || !this.#ready()) return 0;
    const lost = this.#dropped;
    this.#dropped = 0;
    return lost;
  }

  /** Lines are on their way. */
  get isBusy(): boolean {
    return this.#onTheWay > 0;
  }

  /** A line will come. */
  announce(): void {
    this.#onTheWay++;
  }

  /** Resolves when no line is on its way any more. */
  drained(): Promise<void> {
    if (this.#onTheWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Never waits for the target, so that winston's own queue stays empty. */
  override _write(line: string, _encoding: string, next: () => void): void {
    if (this.#ready()) {
      this.#pass(line);
    } else {
      this.#dropped++;
      this.#arrived();
    }
    next();
  }

  #ready(): boolean {
    return !this.#broken && (this.#target.writableLength ?? 0) <= WAITING_MAX_BYTES;
  }

  #pass(line: string): void {
    const taken = (error?: Error | null): void => {
      this.#error = error ?? undefined;
      if (error) {
        this.#broken = this.#target.recovers !== true;
        this.#dropped++;
        this.#tellFailure(error);
      }
      this.#arrived();
    };
    try {
      this.#target.write(line, taken);
    } catch (error) {
      taken(error as Error);
    }
  }

  #tellFailure(error: Error): void {
    if (this.#isFailureTold) return;
    this.#isFailureTold = true;
    this.#onFailed(error);
  }

  #arrived(): void {
    this.#onTheWay--;
    if (this.#onTheWay > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
