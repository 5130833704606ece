/** What a log must hold after a forced exit: every line that was logged before, and the reason as the last. */
const FORCED = 'Forced exit requested';

/** `line 1`, `line 2`, … up to the last number that the program told by another way. */
export function numberedLogComplaints(log: string, told: number): string[] {
  const numbers = [...log.matchAll(/line (\d+)$/gmu)].map(([, digits]) => Number(digits));
  const missing = numbers.findIndex((number, index) => number !== index + 1);
  return [
    ...(missing < 0 ? [] : [`line ${missing + 1} is missing from the log, or is not in order`]),
    ...(numbers.length >= told && told > 0
      ? []
      : [`${told} lines were logged and ${numbers.length} are in the log`]),
    ...endComplaints(log),
  ];
}

/** A candle is logged before it is written: each that was written is in the log. */
export function collectLogComplaints(log: string, written: string): string[] {
  const logged = new Set([...log.matchAll(/closed (\S+ \S+ \S+Z) O /gu)].map(([, name]) => name));
  const lines = written
    .slice(0, written.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean);
  const candles = lines
    .map((line) => JSON.parse(line) as { type: string; symbol: string; interval: string; openTime: number })
    .filter(({ type }) => type === 'candle')
    .map(({ symbol, interval, openTime }) => `${symbol} ${interval} ${new Date(openTime).toISOString()}`);
  const lost = candles.filter((name) => !logged.has(name));
  return [
    ...(candles.length > 0 ? [] : ['no candle was written']),
    ...(lost.length === 0
      ? []
      : [`${lost.length} of ${candles.length} candles are not in the log, first ${lost[0]}`]),
    ...endComplaints(log),
  ];
}

/** A stack may follow, in the line or below it. */
function endComplaints(log: string): string[] {
  const at = log.lastIndexOf(FORCED);
  if (at < 0) return [`"${FORCED}" is not in the log`];
  if (!log.endsWith('\n')) return ['the last line of the log is cut off'];
  const others = log
    .slice(at)
    .trimEnd()
    .split('\n')
    .slice(1)
    .filter((line) => !/^\s+at |^(?:\w+)?Error\b/u.test(line));
  return others.length === 0 ? [] : [`"${FORCED}" is not the last line: ${others[0]} follows`];
}
