/** The command line. */
import { parseArgs } from 'node:util';
import type { NetworkUrls } from 'candlestate';

export interface Settings {
  readonly durationMs?: number;
  readonly db: string;
  readonly logFile?: string;
  readonly network: 'simulator' | NetworkUrls;
  readonly timeScale: number;
  readonly failAfterMs?: number;
}

export const USAGE = `usage: main.ts --paper [--duration 60s] [--db paper.db] [--log-file FILE]
               [--ws-url URL --rest-url URL] [--time-scale N]`;

/** Says which flag is wrong. */
export class UsageError extends Error {}

const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `90s`, `1.5m`, `2h` as ms. */
function duration(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/u.exec(text) ?? [];
  const ms = Math.round(Number(amount) * MS[unit as keyof typeof MS]);
  if (!(ms >= 1 && ms < 2 ** 31)) throw new UsageError(`--${flag}: '${text}' is no duration, as 60s or 10m`);
  return ms;
}

/** @throws {UsageError} */
export function readFlags(args: readonly string[]): Settings {
  const values = parse(args);
  if (values.paper !== true) throw new UsageError('--paper is required: there is no live trading here');
  const { 'ws-url': wsUrl, 'rest-url': restUrl } = values;
  if ((wsUrl === undefined) !== (restUrl === undefined))
    throw new UsageError('--ws-url and --rest-url are given together or not at all');
  const network = wsUrl === undefined || restUrl === undefined ? 'simulator' : { wsUrl, restUrl };
  const timeScale = Number(values['time-scale'] ?? (network === 'simulator' ? 60 : 1));
  if (!(timeScale > 0 && timeScale <= 100_000))
    throw new UsageError(`--time-scale: '${values['time-scale']}' is not a number above 0, at most 100000`);
  if (values.db === '' || values.db === ':memory:')
    throw new UsageError(`--db: '${values.db}' is no file, and what is saved must be found again`);
  const durationMs = duration('duration', values.duration);
  const failAfterMs = duration('fail-after', values['fail-after']);
  return {
    db: values.db,
    network,
    timeScale,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(failAfterMs === undefined ? {} : { failAfterMs }),
    ...(values['log-file'] === undefined ? {} : { logFile: values['log-file'] }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        paper: { type: 'boolean' },
        duration: { type: 'string' },
        db: { type: 'string', default: 'paper.db' },
        'log-file': { type: 'string' },
        'ws-url': { type: 'string' },
        'rest-url': { type: 'string' },
        'time-scale': { type: 'string' },
        // Not for users: shows what an error in the middle of a run does.
        'fail-after': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
