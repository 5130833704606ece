/** A function that takes a subscription back. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** Who hears of one event. */
export interface Audience {
  /** Replaced when somebody comes or goes: whoever calls them one after the other has the old one. */
  entries: readonly ((payload: never) => unknown)[];
}

/**
 * Listeners by event name. One that throws, or whose promise rejects, hurts only itself: `onFault` hears of
 * it and the others are called all the same.
 */
export class Listeners<Events extends object> {
  readonly #byEvent = new Map<keyof Events, Audience>();
  readonly #onFault: (event: keyof Events, error: unknown) => void;

  constructor(onFault: (event: keyof Events, error: unknown) => void) {
    this.#onFault = onFault;
  }

  on<Name extends keyof Events>(event: Name, listener: (payload: Events[Name]) => unknown): Unsubscribe {
    // A function of its own per call: the same listener may be given twice, and is then called twice.
    const entry = (payload: Events[Name]): unknown => listener(payload);
    const audience = this.#audience(event);
    audience.entries = [...audience.entries, entry];
    return () => {
      audience.entries = audience.entries.filter((other) => other !== entry);
    };
  }

  /** Who hears of an event; the same object for ever, so that a hot path finds it once. */
  of(event: keyof Events): Readonly<Audience> {
    return this.#audience(event);
  }

  #audience(event: keyof Events): Audience {
    const known = this.#byEvent.get(event);
    if (known !== undefined) return known;
    const audience: Audience = { entries: [] };
    this.#byEvent.set(event, audience);
    return audience;
  }

  emit<Name extends keyof Events>(event: Name, payload: Events[Name]): void {
    // These entries as they are now: a listener may unsubscribe itself or others while it is called.
    for (const entry of this.#audience(event).entries) {
      try {
        const result = (entry as (payload: Events[Name]) => unknown)(payload);
        if (result instanceof Promise) result.catch((error: unknown) => this.#onFault(event, error));
      } catch (error) {
        this.#onFault(event, error);
      }
    }
  }
}
