/**
 * Seeded integer hashes: every number that the simulated exchange invents comes from here, so a seed is a
 * whole market. The constants must never change: recorded tests and stores depend on the values.
 */

/** Finaliser of MurmurHash3: every input bit reaches every output bit. Result in [0, 2^32). */
export function mix(value: number): number {
  let h = value | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** Hash of two integers under a key, in [0, 2^32). */
export function hash(key: number, a: number, b = 0): number {
  return mix(mix(key ^ Math.imul(a, 0x9e3779b1)) + Math.imul(b, 0x7feb352d) + 0x165667b1);
}

/** Key of a text under a seed (any safe integer), in [0, 2^32). */
export function keyOf(seed: number, text: string): number {
  let h = mix(seed) ^ mix(Math.floor(seed / 2 ** 32) + 0x27d4eb2f);
  for (let i = 0; i < text.length; i++) h = mix(Math.imul(h, 31) + text.charCodeAt(i));
  return mix(h);
}

/** Uniform in [0, 1) from a hash. */
export const unit = (h: number): number => h / 2 ** 32;
