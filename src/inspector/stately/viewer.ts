import type { WebSocket } from 'ws';
import type { AnyActorRef, InspectionEvent, Subscription } from 'xstate';
import { CandlestateError } from '../../errors.ts';
import type { Clock, Logger } from '../../ports.ts';
import { systemClock } from '../../transport/clock.ts';
import { Cast } from './cast.ts';
import { StatelyClient } from './client.ts';

/** Where the hosted viewer is: the one place beyond this machine that the page at `/stately` may show. */
const VIEWER_ORIGIN = 'https://stately.ai';
const CLIENTS_MAX = 8;

type Inspect = Pick<typeof import('@statelyai/inspect'), 'createInspector'>;

/** The same actors for the hosted viewer of `@statelyai/inspect`, over our own guarded server. */
export interface StatelyViewer {
  /** What `GET /stately` answers with: a file of the built page, and what it may load besides its own. */
  readonly page: { readonly file: string; readonly frameSrc: string };
  /** Takes the WebSocket of `/stately/live`. */
  attach(socket: WebSocket): void;
  close(): void;
}

export interface StatelyViewerOptions {
  /** The collector's, and other systems'. */
  readonly roots: readonly AnyActorRef[];
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  /** Default: the package, if it is installed. */
  readonly load?: (() => Promise<Inspect>) | undefined;
}

/**
 * Loads `@statelyai/inspect`. Actors are listened to while a viewer is connected, and not before.
 *
 * @throws {CandlestateError} `VIEWER_MISSING` when that package is not installed.
 */
export async function statelyViewer({
  roots,
  clock = systemClock,
  logger,
  load = () => import('@statelyai/inspect'),
}: StatelyViewerOptions): Promise<StatelyViewer> {
  const { createInspector } = await loaded(load);
  const cast = new Cast(roots);
  const clients = new Set<StatelyClient>();
  const note = (event: InspectionEvent): void => {
    for (const client of clients) client.note(event);
  };
  let subscriptions: Subscription[] = [];
  const leave = (client: StatelyClient): void => {
    clients.delete(client);
    client.close();
    if (clients.size > 0) return;
    for (const subscription of subscriptions) subscription.unsubscribe();
    subscriptions = [];
  };
  return {
    page: { file: 'stately.html', frameSrc: VIEWER_ORIGIN },
    attach(socket) {
      socket.on('error', (error) => logger?.debug('a viewer was lost', { error }));
      if (clients.size >= CLIENTS_MAX) {
        socket.close(1013, `at most ${CLIENTS_MAX} viewers`);
        return;
      }
      if (clients.size === 0) subscriptions = cast.roots.map(({ system }) => system.inspect(note));
      const client = new StatelyClient(socket, cast, clock, createInspector);
      clients.add(client);
      socket.once('close', () => leave(client));
    },
    close() {
      for (const client of [...clients]) leave(client);
    },
  };
}

async function loaded(load: () => Promise<Inspect>): Promise<Inspect> {
  try {
    return await load();
  } catch (cause) {
    const message = 'the viewer needs a package that is not installed: npm install @statelyai/inspect';
    throw new CandlestateError(message, { code: 'VIEWER_MISSING', cause });
  }
}
