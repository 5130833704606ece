import { checkOptions } from './check-options.ts';
import type { Inspector, InspectorOptions, Watched } from './options.ts';

/**
 * Shows a collector while it works: the page with its statecharts, `/healthz` and `/metrics`, on this machine alone
 * unless told otherwise. May begin and end at any time of the collector's life.
 *
 * @throws {CandlestateError} `HTTP_LISTEN` when the given port is taken or can't be listened on, `VIEWER_MISSING` when the
 * package of the viewer that was asked for is not installed.
 * @throws {ConfigurationError} listing every option that can't work.
 */
export async function startInspector(collector: Watched, options: InspectorOptions = {}): Promise<Inspector> {
  checkOptions(collector, options);
  const { serveInspector } = await import('./serve/serve.ts');
  return serveInspector(collector, options);
}
