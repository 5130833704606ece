import winston from 'winston';
import type { Clock, Logger } from '../ports.ts';
import { systemClock } from '../transport/clock.ts';
import { createCollapse } from './collapse.ts';
import { jsonLine, LEVELS, type Level, type LogRecord, textLine } from './format.ts';
import { LineSink, type LineStream } from './line-sink.ts';
import { LogFile } from './log-file.ts';
import { cleanFields, textMasker } from './redact.ts';

export { LEVELS, type Level } from './format.ts';
export type { LineStream } from './line-sink.ts';

/** Where lines go, which, and in what form. */
export interface LoggerOptions {
  /** The least important level that is written. Default `info`. */
  readonly level?: Level | undefined;
  /** `text` for people, `json` for programs: one object a line. Default `text`. */
  readonly format?: 'text' | 'json' | undefined;
  /** Default: standard error; standard output belongs to data. */
  readonly stream?: LineStream | undefined;
  /**
   * Path of a file that the lines are appended to as well; made for its owner alone (0600). One that can't be
   * written is said once on `stream`, and its lines are lost and counted. Default: none.
   */
  readonly file?: string | undefined;
  /** Texts that must not appear in any line, as an API key. Default: none. */
  readonly secrets?: readonly string[] | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/** A logger that knows when its lines are out. */
export interface FlushableLogger extends Logger {
  /**
   * Resolves when every line so far was taken by the stream, and is in the file as far as the kernel is concerned,
   * or could not be; after 1 s at the latest.
   */
  flush(): Promise<void>;
  /** Whether lines of this level are written. */
  enabled(level: Level): boolean;
}

const FLUSH_MS = 1_000;
const SWEEP_MS = 1_000;

/**
 * A winston logger that writes whole lines, without secrets, without control characters, and at most ten of
 * the same a second. It neither takes signals nor keeps the process alive, and a closed stream is no error.
 */
export function createLogger(options: LoggerOptions = {}): FlushableLogger {
  const clock = options.clock ?? systemClock;
  const { file } = options;
  const toStream = new LineSink(options.stream ?? process.stderr);
  const toFile =
    file === undefined
      ? undefined
      : new LineSink(new LogFile(file), (error) =>
          put('error', 'the log file cannot be written; its lines are lost', { file, error }),
        );
  const sinks = toFile === undefined ? [toStream] : [toStream, toFile];
  const toLine = options.format === 'json' ? jsonLine : textLine;
  const engine = winston.createLogger({
    level: options.level ?? 'info',
    levels: Object.fromEntries(LEVELS.map((level, index) => [level, index])),
    format: winston.format.printf((info) => toLine(info['record'] as LogRecord)),
    transports: sinks.map((stream) => new winston.transports.Stream({ stream, eol: '' })),
    exitOnError: false,
  });
  const threshold = LEVELS.indexOf(options.level ?? 'info');
  const enabled = (level: Level): boolean => LEVELS.indexOf(level) <= threshold;
  const mask = textMasker(options.secrets);

  const put = (level: Level, message: string, fields: object): void => {
    // What winston does not write would be waited for in vain.
    if (!enabled(level)) return;
    for (const sink of sinks) sink.announce();
    const record: LogRecord = {
      time: clock.wallNow(),
      level,
      message: mask(message),
      fields: cleanFields(fields, mask),
    };
    engine.log({ level, message: record.message, record });
  };
  const collapse = createCollapse((level, message, held) => put(level, message, { repeated: held }));
  let sweeping: unknown;
  const sweepLater = (): void => {
    sweeping = clock.setTimeout(() => {
      sweeping = undefined;
      collapse.sweep(clock.now());
      if (collapse.busy) sweepLater();
    }, SWEEP_MS);
    // A machine's timer would hold the process; a simulated one has nothing to let go of.
    (sweeping as Partial<NodeJS.Timeout>).unref?.();
  };

  const admitLost = (): void => {
    const unread = toStream.takeLost();
    if (unread > 0) put('warn', 'log lines were lost, because nobody read them', { lines: unread });
    const unwritten = toFile?.takeLost() ?? 0;
    if (unwritten > 0) put('warn', 'log lines are missing from the log file', { file, lines: unwritten });
  };
  const write = (level: Level, message: unknown, fields: object | undefined): void => {
    if (!enabled(level)) return;
    const text = String(message);
    if (!collapse.admit(level, text, clock.now())) return;
    if (sweeping === undefined) sweepLater();
    admitLost();
    put(level, text, fields ?? {});
  };

  const drained = async (): Promise<void> => {
    // What one of them refuses may become a line for the other.
    while (sinks.some((sink) => sink.isBusy)) await Promise.all(sinks.map((sink) => sink.drained()));
  };

  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    enabled,
    async flush() {
      collapse.sweep(clock.now(), true);
      let timer: unknown;
      const patience = new Promise<void>((resolve) => {
        timer = clock.setTimeout(resolve, FLUSH_MS);
      });
      await Promise.race([drained(), patience]);
      clock.clearTimeout(timer);
    },
  };
}
