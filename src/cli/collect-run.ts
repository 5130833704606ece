/** A run of `collect`, from its plan to its exit code. */

import type { EndReason } from '../../machines/model/exit-code.ts';
import { CandlestateError, type ConfigurationError, ConnectionError } from '../errors.ts';
import { inspectorComponent } from '../inspector/component.ts';
import { isLoopback } from '../inspector/serve/hosts.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { redact } from '../options.ts';
import { collectorComponent } from '../supervisor/collector-component.ts';
import type { Component } from '../supervisor/component.ts';
import { ownClock } from '../supervisor/own-clock.ts';
import { type Supervision, superviseProcess } from '../supervisor/process.ts';
import type { SupervisorReport } from '../supervisor/report.ts';
import { storeComponent } from '../supervisor/store-component.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { CollectSettings } from './collect-settings.ts';
import type { RunParts } from './collector-face.ts';
import { outputComponent } from './output-component.ts';
import { asUsage, inFlags, usageText } from './usage.ts';

/** The store, what is shown, the page, and the collector, which needs them: they are there before it and after it. */
function applicationOf(parts: RunParts, end: (reason: EndReason) => void): Supervisor {
  const { plan, settings, collector, logger } = parts;
  const application = new Supervisor({ timeoutMs: plan.resolved.stopTimeoutMs, logger });
  const page = settings.values.noHttp === true ? [] : [pageComponent(parts, application)];
  return application.register(
    storeComponent({ path: plan.db, origin: plan.origin }),
    outputComponent({ ...parts, end }),
    ...page,
    collectorComponent(collector, { dependsOn: ['store', 'output', ...page.map(({ name }) => name)] }),
  );
}

/** The page shows the application, too: its supervisor is a statechart like all others. */
function pageComponent(parts: RunParts, application: Supervisor): Component {
  const { settings, collector, logger } = parts;
  const { port, host, allowHosts, inspect } = settings.values;
  return inspectorComponent(collector, {
    name: 'page',
    port,
    host,
    allowedHosts: allowHosts,
    viewer: inspect,
    roots: [application.actor],
    logger,
    onListening: (url) => {
      logger.info(`page at ${url}`);
      if (host !== undefined && !isLoopback(host))
        logger.warn(`${settings.labelOf('host')}: whoever reaches ${host} may look; there is no password`);
    },
  });
}

/** Starts the application, stops it once, whatever the reason, and resolves to the exit code. */
export async function runCollect(parts: RunParts): Promise<number> {
  const { plan, settings, logger, screen } = parts;
  const { resolved, db, embedded, origin } = plan;
  logger.debug('options', { options: redact(resolved) });
  const where = embedded ? 'the embedded simulated exchange' : origin;
  const { symbols, intervals, timeScale } = resolved;
  logger.info(`collecting from ${where} into ${db}`, { symbols, intervals, timeScale });

  const application = applicationOf(parts, (reason) => supervision.end(reason));
  const supervision: Supervision = superviseProcess({
    logger,
    stop: async (reason) => isSound(await application.stop({ reason }), logger),
    stopTimeoutMs: resolved.stopTimeoutMs,
    pending: () => application.pending,
  });
  const { duration } = settings.values;
  // By the clock of those who do the stopping: it is nothing that an application has left behind.
  const timer =
    duration === undefined ? undefined : ownClock.setTimeout(() => supervision.end('finished'), duration);
  let usage: ConfigurationError | undefined;
  application.start().catch((error: unknown) => {
    if (supervision.isEnding) return;
    const cause = error instanceof Error ? error.cause : error;
    usage = asUsage(cause, db);
    if (usage === undefined) logger.error(failureText(cause, settings), { error: cause });
    else usage = inFlags(usage, settings);
    supervision.end(usage === undefined ? 'failed' : 'usage');
  });
  // A component that ends by itself ends the run.
  void application.ended.then(() => supervision.end('failed'));

  const code = await supervision.ended;
  ownClock.clearTimeout(timer);
  if (usage !== undefined) screen.write(usageText('collect', usage), () => undefined);
  await logger.flush();
  supervision.release();
  return code;
}

/** Whether nothing was lost; what was, is said. */
function isSound(report: SupervisorReport, logger: FlushableLogger): boolean {
  const rows = report.components.reduce((sum, { lost = 0 }) => sum + lost, 0);
  if (rows > 0)
    logger.error('rows were received and could not be stored; the next run fetches them', { rows });
  return report.sound;
}

/** What is wrong with a port; anything else is wrong with the address that it would be on. */
const PORT_FAULTS: ReadonlySet<string> = new Set(['EADDRINUSE', 'EACCES', 'EPERM']);

const failureText = (error: unknown, settings: CollectSettings): string => {
  if (error instanceof ConnectionError) return 'no stream could be had';
  if (error instanceof CandlestateError && error.code === 'HTTP_LISTEN') {
    const isOfPort = PORT_FAULTS.has((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
    return `${settings.labelOf(isOfPort ? 'port' : 'host')}: the page can not be served`;
  }
  if (error instanceof CandlestateError && error.code === 'VIEWER_MISSING')
    return `${settings.labelOf('inspect')}: the page can not be served`;
  return 'collecting failed';
};
