import { SimulatedClock } from 'xstate';

/** Simulated time that tells when a timer is armed, so that the session knows which one is due next. */
export class WalkClock extends SimulatedClock {
  onArm: (delay: number) => void = () => {};

  override setTimeout(callback: (...args: unknown[]) => void, delay: number): number {
    // Whole milliseconds, as Node's timers are: a sum of fractions may miss the moment by a hair, for ever.
    const ms = Math.trunc(delay);
    this.onArm(ms);
    return super.setTimeout(callback, ms);
  }
}
