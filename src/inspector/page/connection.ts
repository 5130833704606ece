/** The one WebSocket to the inspector: dialled again, ever more slowly, for as long as the page is open. */
import { effect, signal } from '@preact/signals';
import type { ServerMessage, WatchMessage } from '../protocol.ts';
import { link, receive, setLink, watched } from './model.ts';

const FIRST_RETRY_MS = 400;
const LONGEST_RETRY_MS = 10_000;
/** So long a connection must have lasted for the next dial to be soon again. */
const PROVED_MS = 5_000;

/** When it is tried again, wall ms; `undefined`: it is being tried, or open. */
export const retryAt = signal<number | undefined>(undefined);

let socket: WebSocket | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let retryMs = FIRST_RETRY_MS;

/** Dials at once. */
export function connect(): void {
  clearTimeout(timer);
  if (socket !== undefined) return;
  retryAt.value = undefined;
  const openedSince = performance.now();
  const dialled = new WebSocket(new URL('live', location.href.replace(/^http/, 'ws').replace(/#.*/, '')));
  socket = dialled;
  dialled.addEventListener('message', ({ data }: MessageEvent<string>) => {
    // Open means that what is shown is so now: not before the first picture.
    receive(JSON.parse(data) as ServerMessage);
    if (link.value !== 'open') {
      setLink('open');
      tell(watched.value);
    }
  });
  dialled.addEventListener('close', () => {
    socket = undefined;
    setLink('lost');
    if (performance.now() - openedSince > PROVED_MS) retryMs = FIRST_RETRY_MS;
    // Many pages of one collector do not all come back in the same moment.
    const inMs = retryMs * (0.75 + Math.random() / 2);
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 1.7);
    retryAt.value = Date.now() + inMs;
    timer = setTimeout(connect, inMs);
  });
}

/** Connects, keeps connected, and says which series is looked at. */
export function keepConnected(): void {
  connect();
  effect(() => tell(watched.value));
  // Whoever comes back to the page does not wait for the rest of a pause.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') connect();
  });
  addEventListener('online', connect);
}

function tell(series: string | undefined): void {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const said: WatchMessage = { type: 'watch', ...(series === undefined ? {} : { series }) };
  socket.send(JSON.stringify(said));
}
