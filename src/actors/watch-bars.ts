import { fromCallback } from 'xstate';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Clock, Timer } from '../ports.ts';

/** Between two looks through the cursors, wall ms. */
const SCAN_MS = 250;
/** Looks for bars that are owed, at a steady pace: no timer per stream, none per frame. */
export const watchBarsActor = (ports: { readonly clock: Clock; readonly pipeline: Pipeline }) =>
  fromCallback(() => {
    let timer: Timer;
    const look = (): void => {
      ports.pipeline.scan();
      timer = ports.clock.setTimeout(look, SCAN_MS);
    };
    look();
    return () => ports.clock.clearTimeout(timer);
  });
