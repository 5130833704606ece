/**
 * Any plain value as text, for state keys and titles. What JSON would drop silently (maps, sets, bigints, undefined)
 * is spelled out, since two states must not fall together because a Map prints as `{}`.
 */
export function plain(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Map) return { map: [...inner] };
    if (inner instanceof Set) return { set: [...inner] };
    if (inner instanceof Error) return { error: inner.message };
    if (typeof inner === 'bigint') return `${inner}n`;
    if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner);
    if (typeof inner === 'function') return undefined;
    return inner === undefined ? '(undefined)' : inner;
  });
}
