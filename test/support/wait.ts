/** Waits for a condition that something outside will bring about; fails by name when it does not. */
export async function until(what: string, condition: () => boolean, timeoutMs = 8_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A promise that must settle in time. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = 8_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain for: ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Wall ms above a deadline that a test grants. */
export const TOLERANCE_MS = 50;

/**
 * How long something took, ms, less the time for which this process got no processor at all: gaps between
 * ticks that it did not spend computing. On an idle machine that is nothing.
 */
export async function timed<T>(promise: Promise<T>): Promise<{ value: T; took: number }> {
  const TICK_MS = 5;
  let starved = 0;
  let tickAt = performance.now();
  let cpu = process.cpuUsage();
  const tick = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    const idleLate = performance.now() - tickAt - TICK_MS - (user + system) / 1000;
    if (idleLate > TICK_MS) starved += idleLate;
    tickAt = performance.now();
    cpu = process.cpuUsage();
  };
  const ticker = setInterval(tick, TICK_MS);
  const began = performance.now();
  try {
    const value = await promise;
    tick();
    return { value, took: performance.now() - began - starved };
  } finally {
    clearInterval(ticker);
  }
}
