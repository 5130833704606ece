import type { Snapshot } from 'xstate';
import type { CursorCommand, CursorEvent } from '../../machines/kline-stream.types.ts';
import type { Series } from '../../machines/model/kline.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

/** The chart of a stream. */
interface Stream {
  getSnapshot(): Pick<Snapshot<unknown>, 'status'>;
  send(event: CursorEvent): void;
}

interface Args {
  readonly context: { readonly series: Series };
  readonly self: Stream;
}

/**
 * Brings the edges of a cursor to the chart of its stream, and to the cursor the end of its symbol and that its connection
 * is to be replaced. These are actions, and no actor beside each chart: ten thousand of those took 17 MB. `newestEpoch`: the
 * number of the newest connection.
 */
export const cursorActions = (pipeline: Pipeline, now: () => number, newestEpoch: () => number) => ({
  attachCursor({ context, self }: Args): void {
    try {
      const cursor = pipeline.add(context.series);
      cursor.heardBy = self;
      cursor.onEdge = (event) => {
        // A chart that is stopped from above does not detach.
        if (self.getSnapshot().status === 'active') self.send(event);
      };
      cursor.heardSince = now();
      // Whoever hears from now on has heard of no frame: the next is a first one, also on a connection that spoke before.
      cursor.pulse.isInDoubt = true;
      cursor.retell();
    } catch (error) {
      self.send({ type: 'CURSOR.FAILED', error });
    }
  },

  detachCursor({ context, self }: Args): void {
    const cursor = pipeline.cursor(context.series);
    // Another chart may hear it by now.
    if (cursor?.heardBy === self) cursor.detach();
  },

  tellCursor({ context }: Args, command: CursorCommand): void {
    if (command.type === 'RETIRE') pipeline.retire(context.series, command.endTime);
    else pipeline.beginSuccession(context.series, newestEpoch(), command.isLive);
  },
});
