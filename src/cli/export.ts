/** `candlestate export`: a series of a store, or a range of it, as a CSV or Parquet file. */
import { setImmediate as turn } from 'node:timers/promises';
import { seriesKey } from '../../machines/model/kline.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { Snapshot } from '../store/snapshot.ts';
import type { TableFile } from '../store/table-file.ts';
import { runApplication } from '../supervisor/run.ts';
import { systemClock } from '../transport/clock.ts';
import { Holes } from './export-holes.ts';
import { EXPORT_READERS, type ExportPlan, planExport } from './export-plan.ts';
import { jobOf } from './job.ts';
import { flagSource, readSettings } from './settings.ts';
import { ReaderGone, stdoutSink } from './stdout-sink.ts';
import { utc } from './when.ts';

const STOP_MS = 5_000;

/** The table that a plan asks for, with nothing in it yet. */
async function openTable({ format, out, replace }: ExportPlan, signal: AbortSignal): Promise<TableFile> {
  if (format === 'parquet') {
    const { openParquetFile } = await import('../store/parquet-file.ts');
    return openParquetFile(out ?? '', { replace });
  }
  const { csvTable, openCsvFile } = await import('../store/csv-file.ts');
  return out === undefined ? csvTable(stdoutSink(process.stdout, signal)) : openCsvFile(out, { replace });
}

/** Writes it, and says what it wrote. Leaves nothing when it fails, or when the signal is aborted. */
async function write(plan: ExportPlan, logger: FlushableLogger, signal: AbortSignal): Promise<void> {
  const { db, series, from, to } = plan;
  const began = systemClock.now();
  const holes = new Holes(series);
  const table = await openTable(plan, signal);
  let store: Snapshot | undefined;
  try {
    store = new Snapshot(db, series);
    for (const block of store.blocks({ from, to })) {
      holes.pass(block);
      await table.write(block);
      // A file on standard output is written at once: signals would never be heard.
      await turn();
      signal.throwIfAborted();
    }
    for (const gap of store.gaps({ from, to })) holes.name(gap, from, to);
    const size = await table.close();
    tell(plan, holes, { ...size, seconds: Math.round(systemClock.now() - began) / 1_000 }, logger);
  } finally {
    store?.close();
    await table.abort();
  }
}

function tell(
  { series, out }: ExportPlan,
  { first, last, places, bars, example }: Holes,
  size: { rows: number; bytes: number; seconds: number },
  logger: FlushableLogger,
): void {
  const where = out ?? 'standard output';
  if (example !== undefined)
    logger.warn(`${bars} bars in ${places} gaps lack; a file can't show where`, {
      first: `${utc(example.from)} to ${utc(example.to)}`,
    });
  if (first === undefined || last === undefined) {
    logger.warn(`the store has no bar of ${seriesKey(series)} in that range; ${where} has none`, size);
    return;
  }
  logger.info(`exported ${seriesKey(series)} to ${where}`, {
    ...size,
    first: utc(first),
    last: utc(last),
  });
}

/** Runs the command and resolves to its exit code. */
export async function exportCandles(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const settings = readSettings(EXPORT_READERS, [flagSource(flags)]);
  const plan = await planExport(settings);

  const { createLogger } = await import('../log/logger.ts');
  const { logLevel, logFormat } = settings.values;
  const logger = createLogger({ level: logLevel, format: logFormat });
  const work = (signal: AbortSignal): Promise<void> =>
    write(plan, logger, signal).catch((error: unknown) => {
      if (!(error instanceof ReaderGone)) throw error;
    });
  const code = await runApplication(jobOf(work, STOP_MS), { logger, goesOn: true });
  await logger.flush();
  return code;
}
