/** What this browser keeps between visits. Where it may keep nothing, each visit is the first. */
const PREFIX = 'candlestate.';

export function recall(name: string): string | undefined {
  try {
    return localStorage.getItem(PREFIX + name) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Then not.
  }
}
