interface Job<Result> {
  readonly result: Promise<Result>;
  readonly over: AbortController;
  waiting: number;
}

/**
 * One piece of work for all who want the same at the same time. It is begun by the first, can be joined until it
 * says otherwise, and is given up when the last who waits has gone.
 */
export class SharedWork<Result> {
  readonly #jobs = new Map<string, Job<Result>>();

  /**
   * The result of the work of that name. `work` calls `closeDoor` when it is too late to join. Rejects with the
   * signal's reason when aborted, or as the work does.
   */
  async join(
    name: string,
    signal: AbortSignal,
    work: (signal: AbortSignal, closeDoor: () => void) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const job = this.#jobs.get(name) ?? this.#begin(name, work);
    job.waiting += 1;
    const aborted = Promise.withResolvers<never>();
    const giveUp = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([job.result, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
      job.waiting -= 1;
      if (job.waiting === 0) job.over.abort();
    }
  }

  #begin(name: string, work: (signal: AbortSignal, closeDoor: () => void) => Promise<Result>): Job<Result> {
    const over = new AbortController();
    const closeDoor = (): void => {
      if (this.#jobs.get(name) === job) this.#jobs.delete(name);
    };
    over.signal.addEventListener('abort', closeDoor, { once: true });
    // Begun in a turn of its own, so that the job is there before its work can close the door.
    const result = Promise.resolve().then(() => work(over.signal, closeDoor));
    const job: Job<Result> = { result, over, waiting: 0 };
    this.#jobs.set(name, job);
    result.then(closeDoor, closeDoor);
    return job;
  }
}

/** Lets so many in at a time; the others wait in the order of their coming. */
export class Turnstile {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Does the work when there is a place for it. Rejects as the work does, or when aborted while it waits. */
  async pass<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
