/**
 * Run as a process of its own: `hold` opens a store and keeps it; `commit` adds bars until it is killed; `correct`
 * adds a bar and a gap, and corrects and fills what it added before, until it is killed.
 */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Row } from '../../machines/model/row.ts';
import { SqliteWriter } from '../../src/store/writer.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { at, BTC, bar, MINUTE, T0 } from '../pipeline/candles.ts';

const [mode, path] = process.argv.slice(2) as ['hold' | 'commit' | 'correct' | 'look', string];
/** A bar, and a gap of two behind it; of those of the batch before, a correction, and the first bar of the gap. */
function batchOf(batch: number): Row[] {
  const [now, before] = [3 * batch, 3 * batch - 3];
  const range = { fromOpenTime: at(now + 1), toOpenTime: at(now + 2) };
  const added: Row[] = [
    { candle: bar(at(now)) },
    { gap: { ...BTC, ...range, reason: 'none', detectedAt: batch } },
  ];
  if (batch === 0) return added;
  const late = bar(at(before + 1), 'rest');
  const corrected = bar(at(before), 'rest', BTC, { count: 99 });
  return [
    { revision: { before: bar(at(before)), after: corrected, seenAt: batch } },
    ...added,
    { fill: { ...BTC, reason: 'none', candles: [late], filledAt: batch } },
  ];
}

const say = (text: string): void => void writeSync(1, `${text}\n`);

if (mode === 'look') {
  // As any other program: opened for writing, read, closed.
  const database = new DatabaseSync(path);
  say(String(database.prepare('SELECT count(*) AS n FROM candles').get()?.['n']));
  database.close();
} else {
  const writer = new SqliteWriter({ path, origin: 'simulator', clock: systemClock });
  const { watermarks } = await writer.open();
  say('ready');
  let next = watermarks[0] === undefined ? 0 : (watermarks[0].openTime - T0) / MINUTE + 1;
  while (mode === 'commit') {
    const size = 1 + (next % 7);
    await writer.commit(
      Array.from({ length: size }, (_, n) => ({ candle: bar(at(next + n)) })),
      next,
    );
    next += size;
    say(String(next));
  }
  for (let batch = next / 3; mode === 'correct'; batch++) {
    await writer.commit(batchOf(batch), batch);
    say(String(batch + 1));
  }
}
