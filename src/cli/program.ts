/** The command line: which commands and flags there are. What they mean is in a file for each command. */
import { Command, CommanderError } from 'commander';
import { EXIT } from '../../machines/model/exit-code.ts';
import { INTERVALS } from '../../machines/model/interval.ts';
import manifest from '../../package.json' with { type: 'json' };
import { ConfigurationError } from '../errors.ts';
import { usageText } from './usage.ts';

type Flags = Readonly<Record<string, unknown>>;

const COLLECT_HELP = `
Without --network and URLs the exchange is an embedded simulated one (time scale 60).
Every network starts with BTCUSDT, ETHUSDT, SOLUSDT and 1m, 5m unless told otherwise.
Flags win over the file of --config, the file over the environment (CANDLESTATE_SYMBOLS,
CANDLESTATE_STOP_TIMEOUT, …). BINANCE_API_KEY and BINANCE_API_SECRET are never needed.

Exit codes: 0 finished; 1 failed, rows lost, or forced by a second signal; 2 wrong usage or
configuration; 130 / 143 / 129 stopped by SIGINT / SIGTERM / SIGHUP.`;

function addCollect(program: Command, act: (flags: Flags) => Promise<void>): void {
  program
    .command('collect')
    .description('stream, backfill and store closed candles until told to stop')
    .option(
      '--symbols <list>',
      'contracts, as BTCUSDT,ETHUSDT, or all: every perpetual (default BTCUSDT,ETHUSDT,SOLUSDT)',
    )
    .option('--intervals <list>', `bar lengths, of ${INTERVALS.join(' ')} (default 1m,5m)`)
    .option('--network <name>', 'simulator, testnet or mainnet (default simulator)')
    .option('--ws-url <url>', "base URL of one's own exchange, with --rest-url; no path")
    .option('--rest-url <url>', 'base URL of its REST interface')
    .option('--vision-url <url>', 'base URL of its archive')
    .option('--time-scale <n>', 'exchange time runs n times as fast; simulator or own URLs only')
    .option('--db <path>', 'SQLite file (default data/<network>.db, data/custom.db with URLs)')
    .option('--duration <time>', 'stop after 90s, 10m, 2h of wall time (default: run on)')
    .option('--backfill <time>', 'history to hold before going live, as 2h or 3d')
    .option('--stop-timeout <time>', 'a stop takes no longer than this (default 5s)')
    .option('--stdout <format>', 'jsonl: a JSON line for each closed candle, revision and gap')
    .option('--port <n>', 'port of the page, /healthz and /metrics (default 8787, or a free one)')
    .option('--no-http', 'none of these')
    .option('--host <address>', 'where they listen (default 127.0.0.1: this machine alone)')
    .option('--allow-hosts <list>', 'names by which they may be asked besides those of this machine')
    .option('--inspect <viewer>', "stately: also for Stately's hosted viewer, at /stately of the page")
    .option('--log-level <level>', 'error, warn, info or debug (default info)')
    .option('--log-format <format>', 'text or json (default text)')
    .option('--config <file>', 'JSON with the same names in camel case')
    .addHelpText('after', COLLECT_HELP)
    .action(act);
}

function addVerify(program: Command, act: (flags: Flags) => Promise<void>): void {
  program
    .command('verify')
    .description('check a store: holes, misplaced or overlapping bars, impossible values, its file')
    .option('--db <path>', 'the store; a collector may be writing it (default data/<network>.db)')
    .option('--json', 'the findings as one JSON object')
    .option('--strict', 'gaps that are recorded are a fault, too')
    .option('--symbol <name>', 'only series of this contract')
    .option('--interval <name>', 'only series of this bar length')
    .option('--from <time>', 'only bars from here on')
    .option('--to <time>', 'only bars before this')
    .option('--against <source>', 'rest or vision: compare every bar with what the exchange has')
    .option('--network <name>', 'simulator, testnet or mainnet: whose store, and whom to ask')
    .option('--ws-url <url>', 'taken as with collect, and not needed')
    .option('--rest-url <url>', 'whom to ask')
    .option('--vision-url <url>', 'whose archive')
    .option('--cache-dir <path>', 'archive files that were fetched (default: none are kept)')
    .option('--no-cache', 'keep none of them')
    .option('--archive-dir <path>', "archive files in their path layout, instead of the network's")
    .option('--log-level <level>', 'error, warn, info or debug (default info)')
    .option('--log-format <format>', 'text or json (default text)')
    .addHelpText('after', VERIFY_HELP)
    .action(act);
}

function addExport(program: Command, act: (flags: Flags) => Promise<void>): void {
  program
    .command('export')
    .description('write a series of a store, or a range of it, to a CSV or Parquet file')
    .option('--db <path>', 'the store; a collector may be writing it')
    .option('--symbol <name>', 'contract (may be left out when the store has one series)')
    .option('--interval <name>', `bar length, of ${INTERVALS.join(' ')}`)
    .option('--from <time>', 'first bar: 2021-01-31, 2021-01-31T12:30Z, or ms since epoch (default: all)')
    .option('--to <time>', 'bars before this one (default: all)')
    .option('--format <name>', 'csv or parquet (default: by the ending of --out, else csv)')
    .option('--out <file>', 'default, and -: standard output, CSV only')
    .option('--force', 'replace a file that is there')
    .option('--log-level <level>', 'error, warn, info or debug (default info)')
    .option('--log-format <format>', 'text or json (default text)')
    .action(act);
}

function addSimulate(program: Command, act: (flags: Flags) => Promise<void>): void {
  program
    .command('simulate')
    .description('run the simulated exchange alone; prints one JSON line with its URLs when ready')
    .option('--port <n>', 'default: a free one')
    .option('--seed <n>', 'the same seed is the same market (default 1)')
    .option('--time-scale <n>', 'exchange time runs n times as fast (default 60)')
    .option('--symbols <list>', 'any names (default BTCUSDT,ETHUSDT,SOLUSDT)')
    .option('--replay <dir>', 'replay archive files instead of inventing a market')
    .option('--log-level <level>', 'error, warn, info or debug (default info)')
    .option('--log-format <format>', 'text or json (default text)')
    .action(act);
}

const HISTORY_HELP = `
Files of the archive are kept in --cache-dir; a second run asks the network only for what is new.
With --archive-dir and neither --network nor URLs nobody is asked: what the folder lacks is a gap.
--from and --to: 2021-01-31, 2021-01-31T12:30Z, or ms since epoch; --to is not part of the range.

Exit codes: 0 all of it is there, or named as a gap; 1 failed, or something could not be asked for;
2 wrong usage or configuration; 130 / 143 / 129 stopped by SIGINT / SIGTERM / SIGHUP: what was
written stays, and the next run goes on from there.`;

const VERIFY_HELP = `
Exit codes: 0 sound; 1 something is wrong, or differs, or could not be asked for; 2 wrong usage, or no
candlestate store there. Nothing is changed.`;

function addHistory(program: Command, act: (flags: Flags) => Promise<void>): void {
  program
    .command('history')
    .description('fetch the closed candles of a time range, from archive and REST, into a store or a file')
    .option('--symbol <name>', 'contract, as BTCUSDT')
    .option('--interval <name>', `bar length, of ${INTERVALS.join(' ')}`)
    .option('--from <time>', 'first bar that is wanted')
    .option('--to <time>', 'end of the range (default: what has ended on the exchange)')
    .option('--source <name>', 'auto, vision (the archive alone) or rest (default auto)')
    .option('--network <name>', 'mainnet, testnet or simulator (default mainnet)')
    .option('--ws-url <url>', 'taken as with collect, and not needed')
    .option('--rest-url <url>', "base URL of one's own exchange's REST interface; no path")
    .option('--vision-url <url>', 'base URL of its archive')
    .option('--db <path>', 'SQLite file (default data/<network>.db, data/custom.db with URLs)')
    .option('--out <path>', 'instead of a store: a file, .csv or .parquet')
    .option('--force', 'with --out: replace a file that is there, once the new one is whole')
    .option('--cache-dir <path>', 'archive files that were fetched (default data/cache)')
    .option('--no-cache', 'keep none of them')
    .option('--cache-gb <n>', 'size of the cache, gigabytes (default 10)')
    .option('--archive-dir <path>', "archive files in their path layout, instead of the network's")
    .option('--dry-run', 'print what would be done, and do nothing')
    .option('--json', 'with --dry-run: as JSON')
    .option('--stop-timeout <time>', 'a stop takes no longer than this (default 5s)')
    .option('--log-level <level>', 'error, warn, info or debug (default info)')
    .option('--log-format <format>', 'text or json (default text)')
    .addHelpText('after', HISTORY_HELP)
    .action(act);
}

/** Commander has `http: true` for a `--no-http` that was not given; settings have `noHttp` when it was. */
function settingsOf({ http, cache, ...flags }: Flags): Flags {
  return {
    ...flags,
    ...(http === false ? { noHttp: true } : {}),
    ...(cache === false ? { noCache: true } : {}),
  };
}

/** What follows a `=` may be a secret in the wrong place. */
const withoutValues = (text: string): string => text.replace(/'(--?[^='\s]{1,60})=[^']*'/gu, "'$1=…'");

/** Connections check certificates all the same; but who has set this means to speak to somebody who has none. */
function assertTls(env: NodeJS.ProcessEnv): void {
  const option = 'NODE_TLS_REJECT_UNAUTHORIZED';
  const given = env[option];
  if (given !== '0') return;
  const allowed =
    'leave it out: certificates are always checked; NODE_EXTRA_CA_CERTS names others to be trusted';
  throw new ConfigurationError([{ option, given, allowed }]);
}

/** Runs a command line and resolves to its exit code. Never rejects for wrong usage. */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let code: number = EXIT.finished;
  let name = '';
  const act =
    (command: string, work: (flags: Flags) => Promise<number>) =>
    async (flags: Flags): Promise<void> => {
      name = command;
      assertTls(env);
      code = await work(settingsOf(flags));
    };

  const program = new Command('candlestate')
    .description(manifest.description)
    .version(manifest.version)
    .exitOverride()
    .showHelpAfterError('Try candlestate --help, or candlestate <command> --help')
    .configureOutput({ outputError: (text, write) => write(withoutValues(text)) });
  addCollect(
    program,
    act('collect', async (flags) => (await import('./collect.ts')).collect(flags, env)),
  );
  addHistory(
    program,
    act('history', async (flags) => (await import('./history.ts')).history(flags, env)),
  );
  addVerify(
    program,
    act('verify', async (flags) => (await import('./verify.ts')).verify(flags)),
  );
  addExport(
    program,
    act('export', async (flags) => (await import('./export.ts')).exportCandles(flags)),
  );
  addSimulate(
    program,
    act('simulate', async (flags) => (await import('./simulate.ts')).simulate(flags)),
  );

  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.finished : EXIT.usage;
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(usageText(name, error));
    return EXIT.usage;
  }
}
