/** Run as a process of its own: `hold` begins a file and goes on living; `fill` writes until it can't, and says why. */
import { writeSync } from 'node:fs';
import { blockOf } from '../../machines/model/block.ts';
import { CandlestateError } from '../../src/errors.ts';
import { openCsvFile } from '../../src/store/csv-file.ts';
import { openParquetFile } from '../../src/store/parquet-file.ts';
import { bar } from '../pipeline/candles.ts';

const [mode, path = ''] = process.argv.slice(2);
const say = (text: string): void => void writeSync(1, `${text}\n`);

const table = await (path.endsWith('.csv') ? openCsvFile : openParquetFile)(path);
const noise = Array.from({ length: 5_000 }, (_, row) =>
  bar(1_700_000_040_000 + row * 60_000, 'vision', undefined, {
    open: Math.sqrt(row),
    volume: Math.cbrt(row),
  }),
);
const block = blockOf({ symbol: 'BTCUSDT', interval: '1m' }, 'vision', noise);
await table.write(block);
say('ready');
if (mode === 'hold') setInterval(() => undefined, 1_000);
try {
  while (mode === 'fill') await table.write(block);
} catch (error) {
  if (!(error instanceof CandlestateError)) throw error;
  say(error.code);
  say(error.message);
}
