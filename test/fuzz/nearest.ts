/** The double nearest to a decimal text by whole numbers alone: slow, and sure. */

const TEXT = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;
const bitsOf = (value: bigint): number => value.toString(2).length;

const known = new Map<string, number>();
const KNOWN_MAX = 50_000;

/** NaN for what is no plain decimal, infinite for what is beyond all doubles. */
export function nearestDouble(text: unknown): number {
  if (typeof text !== 'string') return Number.NaN;
  let value = known.get(text);
  if (value !== undefined) return value;
  value = divided(text);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(text, value);
  return value;
}

function divided(text: string): number {
  const [, sign, whole, fraction = ''] = TEXT.exec(text) ?? [];
  if (whole === undefined) return Number.NaN;
  const above = BigInt(whole + fraction);
  const below = 10n ** BigInt(fraction.length);
  const value = above === 0n ? 0 : rounded(above, below);
  return sign === '-' ? -value : value;
}

/** `above / below` to 53 bits, a tie to the even one. */
function rounded(above: bigint, below: bigint): number {
  for (let exponent = Math.max(bitsOf(above) - bitsOf(below) - 53, -1_074); ; exponent++) {
    const numerator = exponent < 0 ? above << BigInt(-exponent) : above;
    const denominator = exponent > 0 ? below << BigInt(exponent) : below;
    const quotient = numerator / denominator;
    if (quotient >= 2n ** 53n) continue;
    const twice = 2n * (numerator - quotient * denominator);
    const isUp = twice > denominator || (twice === denominator && quotient % 2n === 1n);
    return exponent > 971 ? Number.POSITIVE_INFINITY : Number(quotient + (isUp ? 1n : 0n)) * 2 ** exponent;
  }
}
