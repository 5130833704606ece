/** `candlestate simulate`: the simulated exchange alone, for programs that collect from it. */
import { statSync } from 'node:fs';
import { ConfigurationError } from '../errors.ts';
import { LEVELS } from '../log/format.ts';
import { printable, raiseAscii } from '../options.ts';
import type { SimulatedExchange } from '../simulator/index.ts';
import type { Component } from '../supervisor/component.ts';
import { runApplication } from '../supervisor/run.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
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

/** The exchange as the only component. It says where it is as soon as it runs. */
function exchangeComponent(start: () => Promise<SimulatedExchange>, port: number | undefined): Component {
  let running: SimulatedExchange | undefined;
  return {
    name: 'simulated exchange',
    async start() {
      try {
        running = await start();
      } catch (cause) {
        if (codeOf(cause) !== 'EADDRINUSE') throw cause;
        throw new Error(`--port: ${port} is taken; give another one, or none`, { cause });
      }
      const { wsUrl, restUrl, visionUrl, controlUrl, seed, timeScale, truth } = running;
      const symbols = truth.symbols().map((info) => info.symbol);
      const facts = { wsUrl, restUrl, visionUrl, controlUrl, seed, timeScale, symbols };
      process.stdout.write(`${JSON.stringify(facts)}\n`);
    },
    stop: () => running?.close(),
  };
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
  const start = (): Promise<SimulatedExchange> =>
    startSimulator({
      ...(port === undefined ? {} : { port }),
      ...(seed === undefined ? {} : { seed }),
      ...(timeScale === undefined ? {} : { timeScale }),
      ...(symbols === undefined ? {} : { symbols }),
      ...(replay === undefined ? {} : { replayDir: replay }),
    });
  const components = [exchangeComponent(start, port)];
  const code = await runApplication(new Supervisor({ timeoutMs: STOP_MS, logger, components }), {
    logger,
    onStarted: () => logger.info('the simulated exchange runs; Ctrl+C stops it'),
    goesOn: true,
  });
  await logger.flush();
  return code;
}
