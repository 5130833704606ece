/** What was wrong with a command, for people: one line for each thing, named as they gave it. */
import { ConfigurationError, type ConfigurationIssue, StoreError } from '../errors.ts';

import type { SettingReaders, Settings } from './settings.ts';

/** Collector options by the settings that they come from. */
const SETTING_OF: Readonly<Record<string, string>> = {
  store: 'db',
  backfillMs: 'backfill',
  stopTimeoutMs: 'stopTimeout',
  allowedHosts: 'allowHosts',
  'network.wsUrl': 'wsUrl',
  'network.restUrl': 'restUrl',
  'network.visionUrl': 'visionUrl',
};

/** The same issue with the flag in place of the option. */
function named(issue: ConfigurationIssue, settings: Settings<SettingReaders>): ConfigurationIssue {
  if (issue.option.startsWith('--')) return issue;
  const [whole = ''] = issue.option.split('[');
  return { ...issue, option: settings.labelOf(SETTING_OF[whole] ?? whole) };
}

/** A configuration error with flags in place of options. */
export const inFlags = (error: ConfigurationError, settings: Settings<SettingReaders>): ConfigurationError =>
  new ConfigurationError(
    error.issues.map((issue) => named(issue, settings)),
    error.cause,
  );

/** The text for standard error. */
export function usageText(command: string, error: ConfigurationError): string {
  const lines = error.issues.map(({ option, given, allowed }) =>
    given === 'nothing'
      ? `  ${option}: is missing; ${allowed}`
      : `  ${option}: ${given} won't do; ${allowed}`,
  );
  return [
    `candlestate ${command}: wrong usage or configuration`,
    ...lines,
    `Try candlestate ${command} --help\n`,
  ].join('\n');
}

/** Codes of a store that can't be the one that was meant: wrong configuration rather than a failure. */
const WRONG_STORE: ReadonlySet<string> = new Set([
  'STORE_ORIGIN',
  'STORE_FOREIGN',
  'STORE_UNUSABLE',
  'STORE_NEWER',
]);

/** What an error at the start amounts to. */
export function asUsage(error: unknown, db: string): ConfigurationError | undefined {
  if (error instanceof ConfigurationError) return error;
  if (!(error instanceof StoreError) || !WRONG_STORE.has(error.code)) return undefined;
  return new ConfigurationError(
    [{ option: '--db', given: JSON.stringify(db), allowed: error.message }],
    error,
  );
}
