/** `candlestate verify`: whether a store is as it should be, by itself and as its exchange has it. */
import { EXIT } from '../../machines/model/exit-code.ts';
import { type Interval, isInterval, nextOpenTime, openTimeAt } from '../../machines/model/interval.ts';
import { ConfigurationError } from '../errors.ts';
import { compareSeries } from '../history/compare.ts';
import { Differences, type Replaced } from '../history/differences.ts';
import type { HistorySource } from '../history/types.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { printable } from '../options.ts';
import type { Logger } from '../ports.ts';
import { auditStore, type StoreFindings } from '../store/verify.ts';
import { runApplication } from '../supervisor/run.ts';
import { jobOf } from './job.ts';
import { flagSource, readSettings } from './settings.ts';
import { ReaderGone, stdoutSink } from './stdout-sink.ts';
import { openScreen, plainScreen } from './terminal.ts';
import { asUsage, inFlags } from './usage.ts';
import {
  type AgainstPlan,
  planVerify,
  VERIFY_READERS,
  type VerifyPlan,
  type VerifySettings,
} from './verify-plan.ts';
import { reportOf, reportText, type VerifyReport } from './verify-report.ts';

/** A source to compare with, and its end. */
export interface OpenedSource {
  readonly source: HistorySource;
  close(): Promise<unknown>;
}

export interface SourceRequest extends AgainstPlan {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Is told of files that are others than those that were kept. */
  onReplaced(replaced: Replaced): void;
}

/** What is put in from outside. */
export interface VerifyParts {
  openSource(request: SourceRequest): OpenedSource | Promise<OpenedSource>;
}

const STOP_MS = 5_000;

/** Runs the command and resolves to its exit code. Throws `ConfigurationError` for what can't be. */
export async function verify(flags: Readonly<Record<string, unknown>>, parts: VerifyParts): Promise<number> {
  const settings = readSettings(VERIFY_READERS, [flagSource(flags)]);
  const plan = await planVerify(settings);
  const { createLogger } = await import('../log/logger.ts');
  const { logLevel, logFormat, json = false } = settings.values;
  const live = await openScreen(process.stderr, logFormat !== 'json');
  const screen = live ?? plainScreen(process.stderr);
  const logger = createLogger({ level: logLevel, format: logFormat, stream: screen });

  let isSound = false;
  let usage: ConfigurationError | undefined;
  let now = '';
  screen.show(() => [now]);
  const say = (text: string): void => {
    now = text;
  };
  const work = async (signal: AbortSignal): Promise<void> => {
    try {
      const report = await look(plan, settings, { parts, logger, signal, say });
      isSound = report.sound;
      screen.end();
      const text = json ? `${JSON.stringify(report)}\n` : reportText(report);
      await stdoutSink(process.stdout).write(Buffer.from(text));
    } catch (error) {
      usage = signal.aborted ? undefined : asUsage(error, plan.db);
      if (usage === undefined && !(error instanceof ReaderGone)) throw error;
    }
  };
  const code = await runApplication(jobOf(work, STOP_MS), { logger, goesOn: true });
  screen.end();
  await logger.flush();
  if (usage !== undefined) throw inFlags(usage, settings);
  return code === EXIT.finished && !isSound ? EXIT.failed : code;
}

interface Tools {
  readonly parts: VerifyParts;
  readonly logger: FlushableLogger;
  readonly signal: AbortSignal;
  /** Says how far it is. */
  say(text: string): void;
}

async function look(plan: VerifyPlan, settings: VerifySettings, tools: Tools): Promise<VerifyReport> {
  const { db: path, symbol, interval, from, to, isStrict, against } = plan;
  const found = await auditStore(
    { path, symbol, interval, from, to },
    {
      signal: tools.signal,
      onProgress: ({ series, seriesDone, bars }) =>
        tools.say(
          series === undefined
            ? `${path}: the pages of the file · ${seriesDone} series · ${bars} bars`
            : `${path}: ${series.symbol}@${series.interval} · ${seriesDone} series done · ${bars} bars`,
        ),
    },
  );
  assertSome(found, settings);
  if (against === undefined) return reportOf({ found, isStrict, against });
  const differences = await compare(found, against, tools);
  return reportOf({ found, isStrict, against: { source: against.source, differences } });
}

/** A series that was asked for by name and is not there: nothing would be looked at, and nothing found. */
function assertSome({ series, counts }: StoreFindings, { values, labelOf }: VerifySettings): void {
  const setting = values.symbol === undefined ? 'interval' : 'symbol';
  if (values[setting] === undefined || series.length > 0 || counts.integrity > 0) return;
  const allowed = 'a series that the store has';
  throw new ConfigurationError([{ option: labelOf(setting), given: printable(values[setting]), allowed }]);
}

async function compare(found: StoreFindings, plan: AgainstPlan, tools: Tools): Promise<Differences> {
  const { parts, logger, signal, say } = tools;
  const differences = new Differences();
  const onReplaced = (replaced: Replaced): void => differences.replace(replaced);
  const { source, close } = await parts.openSource({ ...plan, logger, signal, onReplaced });
  try {
    for (const { symbol, interval, firstOpenTime, lastOpenTime } of found.series) {
      if (!isInterval(interval) || firstOpenTime === null || lastOpenTime === null) continue;
      const tell = (): void =>
        say(`${symbol}@${interval} against ${plan.source} · ${differences.counts.compared} bars`);
      tell();
      await compareSeries({ symbol, interval }, rangeOf(interval, firstOpenTime, lastOpenTime), {
        path: found.path,
        source,
        by: plan.source,
        differences,
        signal,
        onProgress: tell,
      });
    }
  } finally {
    await close();
  }
  return differences;
}

/** From where bars are stored to where they end, also where they are not where they should be. */
function rangeOf(interval: Interval, first: number, last: number): { from: number; to: number } {
  const at = (time: number): number => (interval === '3d' ? time : openTimeAt(interval, time));
  return { from: at(first), to: nextOpenTime(interval, at(last)) };
}
