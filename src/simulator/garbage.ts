/** Frames that no exchange should send, one kind after the other. */
const KINDS: readonly (string | Uint8Array)[] = [
  '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":17913829',
  'null',
  Uint8Array.from([0, 255, 254, 1, 128, 200, 10, 13]),
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1e400,"s":"BTCUSDT","k":{"t":1e400}}}',
  '{"stream":7,"data":{"e":"kline","E":"now","s":null,"k":{"t":"x","T":[],"s":1,"i":{},"x":"true"}}}',
  '',
  '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1,"s":"BTCUSDT","k":null}}',
];

/** A garbage source: the given text, or the kinds in turn. */
export function garbageSource(): (text?: string) => string | Uint8Array {
  let next = 0;
  return (text) => text ?? (KINDS[next++ % KINDS.length] as string | Uint8Array);
}
