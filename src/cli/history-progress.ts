/** How far a load is: a bar on a terminal, a line every five seconds elsewhere. */
import { MultiBar, type SingleBar } from 'cli-progress';
import type { LineStream } from '../log/logger.ts';
import type { Logger } from '../ports.ts';
import type { TerminalStream } from './terminal.ts';

/** What is shown. */
export interface Shown {
  readonly done: number;
  /** Undefined while there is no plan. */
  readonly planned: number | undefined;
  /** Where the bars come from now, as `archive 2026-02-03`. */
  readonly where: string;
  /** Since the first bar was asked for, ms. */
  readonly elapsedMs: number;
}

const LINE_MS = 5_000;
const DRAWS_PER_SECOND = 10;
const FORMAT = '{bar} {percentage}% | {value}/{total} bars | {rate} rows/s | {left} left | {where}';

/** Rows a second so far. */
export const rateOf = ({ done, elapsedMs }: Pick<Shown, 'done' | 'elapsedMs'>): number =>
  elapsedMs <= 0 ? 0 : Math.round((done / elapsedMs) * 1_000);

/** What is left at the pace so far, as `1h 2m 20s`; `?` when that can't be said. */
export function remaining({ done, planned, elapsedMs }: Shown): string {
  if (planned === undefined || done === 0) return '?';
  const seconds = Math.ceil(((planned - done) * elapsedMs) / done / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const first = parts.findIndex((part) => part > 0);
  return parts
    .map((part, index) => `${part}${'hms'[index]}`)
    .slice(first === -1 ? 2 : first)
    .join(' ');
}

/** Standard error with a progress bar at its bottom when that is a terminal; lines of the log go above it. */
export class ProgressView implements LineStream {
  readonly #stream: TerminalStream;
  readonly #isLive: boolean;
  #bars: MultiBar | undefined;
  #timer: NodeJS.Timeout | undefined;
  #draw: () => void = () => {};

  /** `isLive`: a bar is wanted, and the stream is a terminal. */
  constructor(stream: TerminalStream, isLive: boolean) {
    this.#stream = stream;
    this.#isLive = isLive;
  }

  get writableLength(): number {
    return this.#stream.writableLength ?? 0;
  }

  on(event: 'error', listener: (error: Error) => void): unknown {
    return this.#stream.on?.(event, listener);
  }

  write(text: string, callback: (error?: Error | null) => void): unknown {
    if (this.#bars === undefined) return this.#stream.write(text, callback);
    // The bar's own log would keep it until the next drawing, which may never come.
    this.#stream.write(`\r\u001b[K${text}`, callback);
    this.#draw();
    return true;
  }

  /** Shows it until {@link end}; nothing is shown while `read` has nothing. */
  begin(read: () => Shown | undefined, logger: Logger): void {
    if (this.#isLive) this.#drawBar(read);
    else this.#timer = setInterval(() => logShown(read(), logger), LINE_MS).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#bars?.stop();
    this.#bars = undefined;
  }

  #drawBar(read: () => Shown | undefined): void {
    const bars = new MultiBar({
      stream: this.#stream as NodeJS.WriteStream,
      fps: DRAWS_PER_SECOND,
      format: FORMAT,
      barsize: 24,
      // It would take signals, and the cursor could be left hidden by a kill.
      gracefulExit: false,
      hideCursor: null,
      emptyOnZero: true,
      // A line of the log has taken its place.
      forceRedraw: true,
    });
    this.#bars = bars;
    let bar: SingleBar | undefined;
    this.#draw = () => {
      const shown = read();
      if (shown?.planned === undefined) return;
      const payload = { rate: rateOf(shown), left: remaining(shown), where: shown.where };
      bar ??= bars.create(shown.planned, 0, payload);
      bar.setTotal(shown.planned);
      bar.update(shown.done, payload);
      letGo(bars);
    };
    bars.on('update-post', () => letGo(bars));
    this.#timer = setInterval(this.#draw, 1_000 / DRAWS_PER_SECOND).unref();
  }
}

/** Its timer, which it does not tell of, must not count as something that was left running. */
const letGo = (bars: MultiBar): void => void (bars as { timer?: NodeJS.Timeout | null }).timer?.unref();

function logShown(shown: Shown | undefined, logger: Logger): void {
  if (shown === undefined) return;
  const { done, planned, where } = shown;
  const percent = planned === undefined || planned === 0 ? undefined : Math.floor((done / planned) * 100);
  logger.info(planned === undefined ? 'history is being planned' : 'history', {
    bars: done,
    ...(planned === undefined ? {} : { of: planned, percent }),
    rowsPerSecond: rateOf(shown),
    left: remaining(shown),
    source: where,
  });
}
