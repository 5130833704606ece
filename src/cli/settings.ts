/** Settings from flags, a file and the environment: flags win over the file, the file over the environment. */
import { ConfigurationError, type ConfigurationIssue } from '../errors.ts';
import { printable } from '../options.ts';
import { type Reader, Refused } from './flags.ts';

/** What a command can be told: a reader for each setting, by its name in camel case. */
export type SettingReaders = Readonly<Record<string, Reader<unknown>>>;
export type ValuesOf<R extends SettingReaders> = {
  readonly [K in keyof R]?: ReturnType<R[K]> | undefined;
};

/** A place where settings were found, and how it calls them. */
export interface Source {
  readonly values: Readonly<Record<string, unknown>>;
  /** As `CANDLESTATE_DB`; empty for a flag. */
  nameOf(setting: string): string;
}

export interface Settings<R extends SettingReaders> {
  readonly values: ValuesOf<R>;
  /** How messages call a setting: its flag and, when it came from elsewhere, where from. */
  labelOf(setting: string): string;
}

/** Settings that can't be on a command line, where every user of the machine could read them. */
const SECRET_ENV: Readonly<Record<string, string>> = {
  apiKey: 'BINANCE_API_KEY',
  apiSecret: 'BINANCE_API_SECRET',
};

/** `stopTimeout` → `--stop-timeout`. Secrets have no flag. */
export const flagOf = (setting: string): string =>
  setting in SECRET_ENV ? setting : `--${setting.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;

/** `stopTimeout` → `CANDLESTATE_STOP_TIMEOUT`. */
export const environmentNameOf = (setting: string): string =>
  SECRET_ENV[setting] ?? `CANDLESTATE_${setting.replace(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase()}`;

export const flagSource = (values: Readonly<Record<string, unknown>>): Source => ({
  values,
  nameOf: () => '',
});

/** The settings in an environment. Empty variables count as absent. */
export function environmentSource(names: readonly string[], env: NodeJS.ProcessEnv): Source {
  const found = names.flatMap((name) => {
    const value = env[environmentNameOf(name)];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  return { values: Object.fromEntries(found), nameOf: environmentNameOf };
}

const URLS = ['wsUrl', 'restUrl', 'visionUrl'] as const;
const PAGE = ['port', 'host', 'allowHosts', 'inspect'] as const;

/**
 * Which exchange is one question with two ways to answer it, and so is whether there is a page. When a stronger source
 * answers, the other way is not taken from a weaker one; both in one source are a contradiction, which is found later.
 */
function isOutvoted(setting: string, stronger: readonly Source[]): boolean {
  const said = (name: string): boolean => stronger.some((source) => source.values[name] !== undefined);
  const denied = (name: string): boolean =>
    stronger.some(({ values }) => [true, 'true', '1'].includes(values[name] as string | boolean));
  if (setting === 'network') return said('wsUrl') || said('restUrl');
  if (setting === 'noHttp') return PAGE.some(said);
  if (PAGE.some((name) => name === setting)) return denied('noHttp');
  return URLS.some((name) => name === setting) && said('network');
}

/** Reads every setting from the strongest source that has it. Throws one error with all that is wrong. */
export function readSettings<R extends SettingReaders>(readers: R, sources: readonly Source[]): Settings<R> {
  const values: Record<string, unknown> = {};
  const labels: Record<string, string> = {};
  const issues: ConfigurationIssue[] = [];
  for (const [setting, read] of Object.entries(readers)) {
    const index = sources.findIndex((source) => source.values[setting] !== undefined);
    const source = sources[index];
    if (source === undefined || isOutvoted(setting, sources.slice(0, index))) continue;
    const place = source.nameOf(setting);
    const label =
      place === '' || place === flagOf(setting) ? flagOf(setting) : `${flagOf(setting)} (${place})`;
    labels[setting] = label;
    try {
      values[setting] = read(source.values[setting]);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const given = printable(source.values[setting], setting);
      issues.push({ option: label, given, allowed: error.message });
    }
  }
  if (issues.length > 0) throw new ConfigurationError(issues);
  return { values: values as ValuesOf<R>, labelOf: (setting) => labels[setting] ?? flagOf(setting) };
}
