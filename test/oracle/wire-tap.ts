/** Listens on the wire between a collector and its exchange: what really went over it, when, and to whom. */
import type { Link } from '../support/tcp-proxy.ts';
import { FrameReader, httpHead } from './ws-frames.ts';

/** Monotonic wall ms; `link` is the number of the TCP connection. A frame is one that was passed on to the client. */
export type WireEvent = { readonly wallMs: number; readonly link: number } & (
  | { readonly kind: 'opened' | 'ended' }
  | { readonly kind: 'subscribed' | 'unsubscribed' | 'frame'; readonly stream: string }
);

/** A frame of a stream is noted again after so long, wall ms: proof of life, not a recording. */
const AGAIN_MS = 100;
const STREAM = /^\{"stream":"([^"]+)"/u;

/** Writes what passes over a link into `events`. */
export function listen(link: Link, events: WireEvent[]): void {
  const note = (event: WireEvent): void => {
    events.push(event);
  };
  const base = (): { wallMs: number; link: number } => ({ wallMs: performance.now(), link: link.number });
  const lastOf = new Map<string, number>();
  const server = new FrameReader((text) => {
    const stream = STREAM.exec(text)?.[1];
    if (stream === undefined) return;
    const { wallMs } = base();
    if (wallMs - (lastOf.get(stream) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    lastOf.set(stream, wallMs);
    note({ ...base(), kind: 'frame', stream });
  });
  const client = new FrameReader((text) => {
    const { method, params } = JSON.parse(text) as { method?: string; params?: unknown };
    if (!Array.isArray(params) || (method !== 'SUBSCRIBE' && method !== 'UNSUBSCRIBE')) return;
    for (const stream of params as string[])
      note({ ...base(), kind: method === 'SUBSCRIBE' ? 'subscribed' : 'unsubscribed', stream });
  });
  let opened = false;
  link.toClient.onBytes = httpHead(
    (head) => {
      opened = head.startsWith('HTTP/1.1 101');
      if (opened) note({ ...base(), kind: 'opened' });
    },
    (bytes) => opened && server.read(bytes),
  );
  link.toServer.onBytes = httpHead(
    () => {},
    (bytes) => client.read(bytes),
  );
  link.onEnd = () => {
    if (opened) note({ ...base(), kind: 'ended' });
  };
}
