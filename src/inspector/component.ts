/** The inspector as a part of an application. */
import type { Component } from '../supervisor/component.ts';
import { checkOptions } from './check-options.ts';
import type { InspectorOptions, Watched } from './options.ts';
import type { OpenInspector } from './serve/serve.ts';

/** How an inspector takes part in an application. */
export interface InspectorComponentOptions extends InspectorOptions {
  /** Default `inspector`. */
  readonly name?: string;
  readonly deadlineMs?: number;
  readonly dependsOn?: readonly string[];
  /** Hears where it listens, each time it has started. */
  readonly onListening?: (url: string) => void;
}

/**
 * The inspector of a collector as a part of an application. The collector is to depend on it: then `/healthz` answers
 * from the beginning to the end, 503 while nothing streams yet or any more. Checks `connections` and `pages`: none is left.
 *
 * Its start rejects with a `CandlestateError`, code `HTTP_LISTEN`, that names the port, or `VIEWER_MISSING`.
 *
 * @throws {ConfigurationError} listing every option that can't work.
 */
export function inspectorComponent(
  collector: Watched,
  { name = 'inspector', deadlineMs, dependsOn, onListening, ...options }: InspectorComponentOptions = {},
): Component {
  checkOptions(collector, options);
  let inspector: OpenInspector | undefined;
  return {
    name,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(dependsOn === undefined ? {} : { dependsOn }),
    async start(signal, context) {
      inspector = undefined;
      const { serveInspector } = await import('./serve/serve.ts');
      inspector = await serveInspector(collector, options, { signal, context });
      onListening?.(inspector.url);
    },
    stop: (_, { timeoutMs }) => inspector?.close({ timeoutMs }),
    verify: async () => (await inspector?.verify()) ?? [],
  };
}
