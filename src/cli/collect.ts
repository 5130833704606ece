/** `candlestate collect`: streams, backfills and stores until told to stop. */
import { ConfigurationError } from '../errors.ts';
import { assertListed, type CollectPlan, planCollect } from './collect-plan.ts';
import { type CollectSettings, readCollectSettings } from './collect-settings.ts';
import { type Parts, realParts } from './collector-face.ts';
import { openScreen, plainScreen } from './terminal.ts';
import { asUsage } from './usage.ts';

/** Runs the command and resolves to its exit code. Throws `ConfigurationError` when nothing was begun. */
export async function collect(
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  parts: Parts = realParts,
): Promise<number> {
  const settings = readCollectSettings(flags, env);
  const plan = planCollect(settings);
  if (plan.embedded) assertListed(plan, settings, await parts.embeddedSymbols());
  await assertStore(plan, settings, parts);

  // From here on it will run, so the large parts are worth loading.
  const [{ createLogger }, { runCollect }] = await Promise.all([
    import('../log/logger.ts'),
    import('./collect-run.ts'),
  ]);
  const { logLevel, logFormat, apiKey, apiSecret } = settings.values;
  const live = await openScreen(process.stderr, logFormat !== 'json');
  const screen = live ?? plainScreen(process.stderr);
  const secrets = [apiKey, apiSecret].filter((secret) => secret !== undefined);
  const logger = createLogger({ level: logLevel, format: logFormat, stream: screen, secrets });
  const collector = await parts.createCollector({ ...plan.options, logger });
  return runCollect({ plan, settings, collector, logger, screen, isLive: live !== undefined });
}

/** Refuses a file that is no store or holds candles of another origin, before anything is opened. */
async function assertStore(plan: CollectPlan, settings: CollectSettings, parts: Parts): Promise<void> {
  try {
    const { origin } = await parts.inspectStore(plan.db);
    if (origin === undefined || origin === plan.origin) return;
    const allowed = `a store of ${plan.origin}; this one holds candles of ${origin}, and they must not meet`;
    throw new ConfigurationError([
      { option: settings.labelOf('db'), given: JSON.stringify(plan.db), allowed },
    ]);
  } catch (error) {
    throw asUsage(error, plan.db) ?? error;
  }
}
