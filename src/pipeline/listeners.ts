/** A function that takes a subscription back. Calling it again does nothing. */
export type Unsubscribe = () => void;

/**
 * Listeners by event name. One that throws, or whose promise rejects, hurts only itself: `onFault` hears of
 * it and the others are called all the same.
 */
export class Listeners<Events extends object> {
  readonly #byEvent = new Map<keyof Events, Set<(payload: never) => unknown>>();
  readonly #onFault: (event: keyof Events, error: unknown) => void;

  constructor(onFault: (event: keyof Events, error: unknown) => void) {
    this.#onFault = onFault;
  }

  on<Name extends keyof Events>(event: Name, listener: (payload: Events[Name]) => unknown): Unsubscribe {
    // A function of its own per call: the same listener may be given twice, and is then called twice.
    const entry = (payload: Events[Name]): unknown => listener(payload);
    const entries = this.#byEvent.get(event) ?? new Set();
    entries.add(entry);
    this.#byEvent.set(event, entries);
    return () => {
      entries.delete(entry);
    };
  }

  has(event: keyof Events): boolean {
    return (this.#byEvent.get(event)?.size ?? 0) > 0;
  }

  emit<Name extends keyof Events>(event: Name, payload: Events[Name]): void {
    const entries = this.#byEvent.get(event);
    if (entries === undefined) return;
    // Over a copy: a listener may unsubscribe itself or others while it is called.
    for (const entry of [...entries]) {
      try {
        const result = (entry as (payload: Events[Name]) => unknown)(payload);
        if (result instanceof Promise) result.catch((error: unknown) => this.#onFault(event, error));
      } catch (error) {
        this.#onFault(event, error);
      }
    }
  }
}
