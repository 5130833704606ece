/** `candlestate history`: closed bars of a time range, from archive and REST, into the store or a file. */
import { EXIT } from '../../machines/model/exit-code.ts';
import { ConfigurationError } from '../errors.ts';
import type { HistoryReport } from '../history/report.ts';
import type { HistoryLoad } from '../history-load.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { historyComponent } from '../supervisor/history-component.ts';
import { runApplication } from '../supervisor/run.ts';
import { storeComponent } from '../supervisor/store-component.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { systemClock } from '../transport/clock.ts';
import { ProgressView, type Shown } from './history-progress.ts';
import { type HistoryPlanned, planHistoryCommand } from './history-settings.ts';
import { planJson, planText, sayReport, whereFrom } from './history-words.ts';
import { ReaderGone, stdoutSink } from './stdout-sink.ts';
import { asUsage, inFlags, usageText } from './usage.ts';

/** Runs the command and resolves to its exit code. Throws `ConfigurationError` when nothing was begun. */
export async function history(
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const planned = planHistoryCommand(flags, env);
  const { logLevel, logFormat, dryRun } = planned.settings.values;
  const [{ createLogger }, { HistoryLoad }] = await Promise.all([
    import('../log/logger.ts'),
    import('../history-load.ts'),
  ]);
  const isTerminal = process.stderr.isTTY === true && process.env['TERM'] !== 'dumb';
  const view = new ProgressView(process.stderr, isTerminal && logFormat !== 'json');
  const logger = createLogger({ level: logLevel, format: logFormat, stream: view });
  const load = inItsFlags(planned, () => new HistoryLoad({ ...planned.options, logger }));
  const { store, stopTimeoutMs } = planned.options;
  const into = store === undefined || dryRun === true ? [] : [storeComponent({ path: store })];
  const application: Supervisor = new Supervisor({
    ...(stopTimeoutMs === undefined ? {} : { timeoutMs: stopTimeoutMs }),
    logger,
    components: [
      ...into,
      historyComponent(load, {
        dependsOn: into.map(({ name }) => name),
        onFinished: () => void application.stop({ reason: 'finished' }),
      }),
    ],
  });
  if (dryRun !== true) view.begin(() => shownOf(load), logger);
  const code = await runApplication(application, { logger, goesOn: true });
  view.end();
  const report = await load.done;
  const isPlan = dryRun === true && report.outcome === 'finished';
  const isSaid = !isPlan || (await printPlan(load, planned, logger));
  return finish(code === EXIT.finished && !isSaid ? EXIT.failed : code, report, planned, logger);
}

/** Wrong options are named as flags. */
function inItsFlags(planned: HistoryPlanned, make: () => HistoryLoad): HistoryLoad {
  try {
    return make();
  } catch (error) {
    throw error instanceof ConfigurationError ? inFlags(error, planned.settings) : error;
  }
}

function shownOf({ progress }: HistoryLoad): Shown | undefined {
  const { state, barsPlanned, barsDone, piece, startedAt } = progress;
  if (startedAt === undefined) return undefined;
  return {
    done: barsDone,
    planned: state === 'opening' || state === 'planning' ? undefined : barsPlanned,
    where: piece === undefined ? state : whereFrom(piece),
    elapsedMs: systemClock.now() - startedAt,
  };
}

/** False: it could not be written. A reader that has gone had enough of it. */
async function printPlan(
  load: HistoryLoad,
  { settings }: HistoryPlanned,
  logger: FlushableLogger,
): Promise<boolean> {
  const plan = await load.plan();
  const text = settings.values.json === true ? planJson(plan) : planText(plan);
  try {
    await stdoutSink(process.stdout, new AbortController().signal).write(Buffer.from(text));
  } catch (error) {
    if (error instanceof ReaderGone) return true;
    logger.error('the plan could not be printed', { error });
    return false;
  }
  return true;
}

/** Says what came of it; what lacks because nobody could be asked is a failure, whatever the process thinks of it. */
async function finish(
  code: number,
  report: HistoryReport,
  { settings, options, target }: HistoryPlanned,
  logger: FlushableLogger,
): Promise<number> {
  const { error, outcome, unreached } = report;
  const usage = asUsage(error, target);
  if (usage !== undefined) {
    process.stderr.write(usageText('history', inFlags(usage, settings)));
    return EXIT.usage;
  }
  if (options.dryRun !== true) sayReport(report, target, options.out !== undefined, logger);
  await logger.flush();
  const isWhole = outcome !== 'failed' && unreached.length === 0;
  return code === EXIT.finished && !isWhole ? EXIT.failed : code;
}
