/** JSON as lines of a folding tree: what a value is in a word, and what is in it. */
export interface Item {
  readonly name: string;
  readonly value: unknown;
}

/** What lies in it; `undefined`: it is a plain value. */
export function itemsOf(value: unknown): readonly Item[] | undefined {
  if (Array.isArray(value)) return value.map((inner, index) => ({ name: String(index), value: inner }));
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).map(([name, inner]) => ({ name, value: inner }));
}

/** A plain value as it is written; of others how much is in them. */
export function wordOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.length}]`;
  if (typeof value === 'object' && value !== null) {
    const { length } = Object.keys(value);
    return length === 0 ? '{}' : `{${length}}`;
  }
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

export const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value);

/** Figures between these bounds are moments of this age of the world: 2001 to 2096, ms. */
const MOMENTS = [1e12, 4e12] as const;

/** When a figure may be a moment, which: as a hint beside it. */
export const momentOf = (value: unknown): string | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= MOMENTS[0] && value < MOMENTS[1]
    ? new Date(value).toISOString()
    : undefined;
