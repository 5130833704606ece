/** A terminal with a live view at its bottom and log lines above. */
import { styleText } from 'node:util';
import { escapeControls } from '../log/format.ts';
import type { LineStream } from '../log/logger.ts';
import type { Paint } from './table.ts';

/** What is needed of `process.stderr`. */
export interface TerminalStream extends LineStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Rewrites the lines it wrote last; log-update's function. */
export interface Updater {
  (text: string): void;
  clear(): void;
  done(): void;
}

export interface Screen extends LineStream {
  /** Draws the view now and every 250 ms from now on. */
  show(lines: (size: { width: number; height: number }) => readonly string[]): void;
  /** Draws it once more and leaves it there. */
  end(): void;
}

const REFRESH_MS = 250;

/** Colours when the stream shows them; NO_COLOR and FORCE_COLOR are honoured. */
export const painter =
  (stream: NodeJS.WritableStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream, validateStream: true });

/** A screen without a view: lines go straight through. */
export function plainScreen(stream: TerminalStream): Screen {
  return {
    write: (text, callback) => stream.write(text, callback),
    on: (event, listener) => stream.on?.(event, listener),
    get writableLength() {
      return stream.writableLength ?? 0;
    },
    show: () => undefined,
    end: () => undefined,
  };
}

/** A screen with a view. The cursor stays visible, so that no end of the process can leave it hidden. */
export function liveScreen(stream: TerminalStream, update: Updater): Screen {
  let draw: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    on: (event, listener) => stream.on?.(event, listener),
    get writableLength() {
      return stream.writableLength ?? 0;
    },
    write(text, callback) {
      if (draw === undefined) return stream.write(text, callback);
      update.clear();
      const result = stream.write(text, callback);
      draw();
      return result;
    },
    show(lines) {
      draw = () => {
        try {
          update(lines({ width: stream.columns || 80, height: stream.rows || 24 }).join('\n'));
        } catch (error) {
          // A fault of the display must not end the collecting.
          draw = undefined;
          clearInterval(timer);
          stream.write(
            `the live view failed and is off: ${escapeControls(String(error))}\n`,
            () => undefined,
          );
        }
      };
      draw();
      timer ??= setInterval(() => draw?.(), REFRESH_MS).unref();
    },
    end() {
      clearInterval(timer);
      draw?.();
      draw = undefined;
      update.done();
    },
  };
}

/** The screen for standard error: with a view when that is a terminal and `wanted`. */
export async function openScreen(stream: NodeJS.WriteStream, wanted: boolean): Promise<Screen | undefined> {
  if (!wanted || stream.isTTY !== true || process.env['TERM'] === 'dumb') return undefined;
  const { createLogUpdate } = await import('log-update');
  return liveScreen(stream, createLogUpdate(stream, { showCursor: true }));
}
