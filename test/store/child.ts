/** Run as a process of its own: `hold` opens a store and keeps it; `commit` adds bars until it is killed. */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SqliteWriter } from '../../src/store/writer.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { at, bar, MINUTE, T0 } from '../pipeline/candles.ts';

const [mode, path] = process.argv.slice(2) as ['hold' | 'commit' | 'look', string];
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
}
