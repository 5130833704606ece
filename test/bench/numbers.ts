/** Figures: the middle of several, and how they are written. */

/** The middle one; of an even number the mean of both. NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals));

/** 1,234,567 */
export const grouped = (value: number): string => value.toLocaleString('en-US');
