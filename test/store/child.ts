/**
 * Run as a process of its own: `hold` opens a store and keeps it; `commit` adds bars until it is killed; `correct`
 * adds a bar and a gap, and corrects and fills what it added before, until it is killed; `load` adds history a hundred
 * bars at a time, names the last ten as a gap, and fills the gap before, until it is killed.
 */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { EXCHANGE_LACKS } from '../../machines/model/gap-reasons.ts';
import type { Row } from '../../machines/model/row.ts';
import { SqliteWriter } from '../../src/store/writer.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { at, BTC, bar, MINUTE, T0 } from '../pipeline/candles.ts';
import { batchOf, gapAt, type Numbers } from './histories.ts';
import type { ChildMode } from './processes.ts';

const [mode, path] = process.argv.slice(2) as [ChildMode, string];
/** A bar, and a gap of two behind it; of those of the batch before, a correction, and the first bar of the gap. */
function correctionOf(batch: number): Row[] {
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
    await writer.commit(correctionOf(batch), batch);
    say(String(batch + 1));
  }
  for (let batch = next / 100; mode === 'load'; batch++) {
    const [from, end] = [100 * batch, 100 * batch + 100];
    const had: Numbers[] =
      batch === 0
        ? [[0, 90]]
        : [
            [from - 10, from],
            [from, end - 10],
          ];
    const load = batchOf(had, {
      gaps: [gapAt([end - 10, end], EXCHANGE_LACKS, batch)],
      collected: [[from, end]],
    });
    await writer.load(load, batch);
    say(String(batch + 1));
  }
}
