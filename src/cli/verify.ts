/** `candlestate verify`: whether a store is as it should be, by itself and as its exchange has it. */
import { EXIT } from '../../machines/model/exit-code.ts';
import { ConfigurationError } from '../errors.ts';
import { compareSeries } from '../history/compare/compare.ts';
import { Differences } from '../history/compare/differences.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { printable } from '../options.ts';
import { auditStore, type StoreFindings } from '../store/verify.ts';
import { runApplication } from '../supervisor/run.ts';
import type { HistorySourceOptions, withHistorySource } from '../wire.history-source.ts';
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

/** What is put in from outside: who has a source for as long as some work asks it. */
export interface VerifyParts {
  withSource: typeof withHistorySource;
}

const realParts: VerifyParts = {
  // Who looks at a store alone needs none of it.
  withSource: async (options, work) =>
    (await import('../wire.history-source.ts')).withHistorySource(options, work),
};

const STOP_MS = 5_000;

/** Runs the command and resolves to its exit code. Throws `ConfigurationError` for what can't be. */
export async function verify(
  flags: Readonly<Record<string, unknown>>,
  parts: VerifyParts = realParts,
): Promise<number> {
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
      say('');
      screen.end();
      const text = json ? `${JSON.stringify(report)}\n` : reportText(report);
      await stdoutSink(process.stdout, signal).write(Buffer.from(text));
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
  const { source: by, network, archiveDir, cacheDir, noCache } = plan;
  const who = {
    source: by,
    network,
    archiveDir,
    cacheDir,
    noCache,
    store: found.path,
    stopTimeoutMs: STOP_MS,
  };
  const onReplaced: HistorySourceOptions['onReplaced'] = (replaced) => differences.replace(replaced);
  await parts.withSource({ ...who, logger, signal, onReplaced }, async (source, over) => {
    // Also where bars are named as missing, before the first one and behind the last.
    for (const { symbol, interval, from, to } of found.reaches) {
      const tell = (): void =>
        say(`${symbol}@${interval} against ${by} · ${differences.counts.compared} bars`);
      tell();
      const options = { path: found.path, source, by, differences, signal: over, onProgress: tell };
      await compareSeries({ symbol, interval }, { from, to }, options);
    }
  });
  return differences;
}
