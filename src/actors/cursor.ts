import { fromCallback } from 'xstate';
import type { Retirement } from '../../machines/kline-stream.types.ts';
import type { Series } from '../../machines/model/kline.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

/** Brings the edges of a cursor to the chart of its stream, and the end of its symbol to the cursor. */
export const cursorActor = (pipeline: Pipeline, now: () => number) =>
  fromCallback<Retirement, Series>(({ input, sendBack, receive }) => {
    const cursor = pipeline.add(input);
    const onEdge = sendBack;
    cursor.onEdge = onEdge;
    cursor.heardSince = now();
    // Whoever hears from now on has heard of no frame: the next is a first one, also on a connection that spoke before.
    cursor.pulse.isInDoubt = true;
    cursor.retell();
    receive(({ endTime }) => pipeline.retire(input, endTime));
    return () => {
      if (cursor.onEdge === onEdge) cursor.onEdge = undefined;
    };
  });
