import { fromCallback } from 'xstate';
import type { CursorCommand } from '../../machines/kline-stream.types.ts';
import type { Series } from '../../machines/model/kline.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

/**
 * Brings the edges of a cursor to the chart of its stream, and to the cursor the end of its symbol and that its connection
 * is to be replaced. `newestEpoch`: the number of the newest connection.
 */
export const cursorActor = (pipeline: Pipeline, now: () => number, newestEpoch: () => number) =>
  fromCallback<CursorCommand, Series>(({ input, sendBack, receive }) => {
    const cursor = pipeline.add(input);
    const onEdge = sendBack;
    cursor.onEdge = onEdge;
    cursor.heardSince = now();
    // Whoever hears from now on has heard of no frame: the next is a first one, also on a connection that spoke before.
    cursor.pulse.isInDoubt = true;
    cursor.retell();
    receive((command) => {
      if (command.type === 'RETIRE') pipeline.retire(input, command.endTime);
      else pipeline.beginSuccession(input, newestEpoch(), command.isLive);
    });
    return () => {
      if (cursor.onEdge === onEdge) cursor.onEdge = undefined;
    };
  });
