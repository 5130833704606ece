/** What an inspector may be told, checked before anything is begun. */
import { z } from 'zod';
import { ConfigurationError } from '../errors.ts';
import * as fields from '../options.fields.ts';
import { describe } from '../options.ts';
import type { Clock, Logger } from '../ports.ts';
import type { InspectorOptions, Watched } from './options.ts';

const PORT_MAX = 65_535;

const namesError = "an array of names, as ['collector.lan']";

const schema = z.strictObject({
  port: fields.wholeNumber(0, PORT_MAX).optional(),
  // An empty one would listen on all addresses of the machine.
  host: z.string({ error: 'a name or an address' }).regex(/^\S+$/u, 'a name or an address').optional(),
  allowedHosts: z.array(z.string({ error: 'a name or an address' }), { error: namesError }).optional(),
  roots: z
    .array(fields.having('an actor of XState', ['getSnapshot', 'subscribe']), {
      error: 'an array of actors, as [supervisor.actor]',
    })
    .optional(),
  viewer: z.literal('stately', { error: "'stately', or left out" }).optional(),
  logger: fields.having<Logger>('a logger', ['debug', 'info', 'warn', 'error']).optional(),
  clock: fields.having<Clock>('a clock', ['now', 'wallNow', 'setTimeout', 'clearTimeout']).optional(),
}) satisfies z.ZodType<unknown, Readonly<Partial<Record<keyof InspectorOptions, unknown>>>>;

const KNOWN_KEYS = { '': Object.keys(schema.shape) };

const collectorSchema = z.strictObject({
  collector: fields.having<Watched>('a BinanceDataCollector, or what behaves like one,', [
    'status',
    'vitals',
    'health',
    'getCandleBuffer',
    'getFormingCandle',
    'getOpenGaps',
    'on',
  ]),
});

/** @throws {ConfigurationError} with everything that can't work. */
export function checkOptions(collector: unknown, options: unknown): void {
  const issues = [[collectorSchema, { collector }] as const, [schema, options] as const].flatMap(
    ([one, input]) =>
      (one.safeParse(input).error?.issues ?? []).flatMap((issue) => describe(issue, input, KNOWN_KEYS)),
  );
  if (issues.length > 0) throw new ConfigurationError(issues);
}
