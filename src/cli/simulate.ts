/** `candlestate simulate`: the simulated exchange alone, for programs that collect from it. */
import { statSync } from 'node:fs';
import { ConfigurationError } from '../errors.ts';
import { LEVELS } from '../log/format.ts';
import type { FlushableLogger } from '../log/logger.ts';
import { printable, raiseAscii } from '../options.ts';
import { superviseProcess } from '../supervisor/process.ts';
import { list, number, oneOf, text, wholeNumber } from './flags.ts';
import { flagSource, readSettings, type Settings } from './settings.ts';

const SIMULATE_READERS = {
  port: wholeNumber(0, 65_535),
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  timeScale: number('a number above 0 and at most 100000', (value) => value > 0 && value <= 100_000),
  symbols: list('BTCUSDT,ETHUSDT'),
  replay: text('a folder of archive files'),
  logLevel: oneOf(...LEVELS),
  logFormat: oneOf('text', 'json'),
} as const;

const STOP_MS = 2_000;

/** Upper-case names, each once; any name will do, because this exchange invents them. */
function symbolsOf({ values, labelOf }: Settings<typeof SIMULATE_READERS>): readonly string[] | undefined {
  const symbols = values.symbols?.map(raiseAscii);
  const option = labelOf('symbols');
  const issues = (symbols ?? []).flatMap((symbol, index, all) => {
    const given = printable(symbol);
    if (all.indexOf(symbol) !== index) return [{ option, given, allowed: 'each symbol once' }];
    if (/^[\p{L}\p{N}_]{1,30}$/u.test(symbol)) return [];
    return [{ option, given, allowed: 'letters, digits and _, at most 30 characters' }];
  });
  if (issues.length > 0) throw new ConfigurationError(issues);
  return symbols;
}

function assertFolder(path: string | undefined, option: string): void {
  if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const allowed = 'a folder of archive files, in their path layout';
  throw new ConfigurationError([{ option, given: printable(path), allowed }]);
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

function logFailure(error: unknown, port: number | undefined, logger: FlushableLogger): void {
  if (codeOf(error) === 'EADDRINUSE') logger.error(`--port: ${port} is taken; give another one, or none`);
  else logger.error('the simulated exchange could not be started', { error });
}

/** Runs the command and resolves to its exit code. */
export async function simulate(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const settings = readSettings(SIMULATE_READERS, [flagSource(flags)]);
  const { port, seed, timeScale, replay, logLevel, logFormat } = settings.values;
  const symbols = symbolsOf(settings);
  assertFolder(replay, settings.labelOf('replay'));

  const [{ createLogger }, { startSimulator }] = await Promise.all([
    import('../log/logger.ts'),
    import('../simulator/index.ts'),
  ]);
  const logger = createLogger({ level: logLevel, format: logFormat });
  const starting = startSimulator({
    ...(port === undefined ? {} : { port }),
    ...(seed === undefined ? {} : { seed }),
    ...(timeScale === undefined ? {} : { timeScale }),
    ...(symbols === undefined ? {} : { symbols }),
    ...(replay === undefined ? {} : { replayDir: replay }),
  });
  const supervision = superviseProcess({
    logger,
    stopTimeoutMs: STOP_MS,
    stop: async () => {
      const exchange = await starting.catch(() => undefined);
      await exchange?.close();
      return true;
    },
  });
  process.stdout.on('error', () => supervision.end('finished'));
  starting.then(
    (exchange) => {
      const { wsUrl, restUrl, visionUrl, controlUrl } = exchange;
      const facts = {
        wsUrl,
        restUrl,
        visionUrl,
        controlUrl,
        seed: exchange.seed,
        timeScale: exchange.timeScale,
      };
      process.stdout.write(
        `${JSON.stringify({ ...facts, symbols: exchange.truth.symbols().map((info) => info.symbol) })}\n`,
      );
      logger.info('the simulated exchange runs; Ctrl+C stops it', { restUrl, timeScale: exchange.timeScale });
    },
    (error: unknown) => {
      logFailure(error, port, logger);
      supervision.end('failed');
    },
  );
  const code = await supervision.ended;
  await logger.flush();
  supervision.release();
  return code;
}
