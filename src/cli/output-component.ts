/** What a run shows, as a part of the application: lines or the live view, and JSON lines on standard output. */

import type { EndReason } from '../../machines/model/exit-code.ts';
import type { Component } from '../supervisor/component.ts';
import { type Detach, logClosed, logEvents, showView, writeRareRecords } from './collect-output.ts';
import type { RunParts } from './collector-face.ts';
import { createJsonl, type Jsonl } from './jsonl.ts';
import { painter } from './terminal.ts';

/** How long a reader of standard output may take for the last lines, ms. */
const LAST_LINES_MS = 500;

/**
 * The collector depends on it, so that it is there for the first candle and ends behind the last one. `end` is told
 * when standard output can't be written any more.
 */
export function outputComponent(
  parts: RunParts & {
    readonly end: (reason: EndReason) => void;
    /** Where the page is, once it is served. */
    readonly page: () => string | undefined;
  },
): Component {
  const { collector, plan, settings, isLive, logger } = parts;
  const detach: Detach[] = [];
  let lines: Lines | undefined;
  return {
    name: 'output',
    deadlineMs: LAST_LINES_MS,
    start() {
      detach.push(logEvents(collector, logger));
      detach.push(
        isLive ? showView(parts, painter(process.stderr), parts.page) : logClosed(collector, logger, plan),
      );
      if (settings.values.stdout === 'jsonl') lines = writeLines(parts);
    },
    async stop(signal) {
      const late = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      // In the same turn as the deadline, so that nothing is left when it has passed.
      await Promise.race([lines?.written(), late]);
      for (const one of [...detach.splice(0), lines?.detach]) one?.();
    },
  };
}

interface Lines {
  /** Resolves when the last candle and all that was written has been taken. */
  written(): Promise<void>;
  readonly detach: Detach;
}

function writeLines({
  collector,
  logger,
  end,
}: Pick<Parameters<typeof outputComponent>[0], 'collector' | 'logger' | 'end'>): Lines {
  const jsonl: Jsonl = createJsonl({
    target: process.stdout,
    onClosed: () => {
      logger.debug('nobody reads standard output any more; stopping');
      end('finished');
    },
    onFailed: (error) => {
      logger.error('standard output failed; stopping', { error });
      end('failed');
    },
  });
  const following = jsonl.follow(collector.candles({})).catch((error: unknown) => {
    logger.error('candles could not be read; stopping', { error });
    end('failed');
  });
  return {
    written: () => following.then(() => jsonl.flushed()),
    detach: writeRareRecords(collector, jsonl, logger),
  };
}
