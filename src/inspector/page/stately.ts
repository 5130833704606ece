/** Between the collector's WebSocket and the hosted viewer in the frame: it is told what it says that it can hear. */

const VIEWER = 'https://stately.ai';
const RETRY_MS = 1_000;

const frame = document.querySelector<HTMLIFrameElement>('#viewer');
const said = document.querySelector<HTMLElement>('#said');
let socket: WebSocket | undefined;

const say = (text: string): void => {
  if (said !== null) said.textContent = text;
};
// Nobody else gets to hear it, whatever the frame shows by now.
const pass = (message: unknown): void => frame?.contentWindow?.postMessage(message, VIEWER);

/** A connection of its own for each viewer: each begins with all actors. */
function relay(): void {
  socket?.close();
  const opened = new WebSocket(`ws://${location.host}/stately/live`);
  socket = opened;
  opened.onopen = () => say('');
  opened.onmessage = ({ data }) => pass(JSON.parse(String(data)));
  opened.onclose = () => {
    if (socket !== opened) return;
    say('The collector is gone.');
    setTimeout(() => socket === opened && relay(), RETRY_MS);
  };
}

window.addEventListener('message', ({ origin, source, data }) => {
  const isViewer = origin === VIEWER && source === frame?.contentWindow;
  if (isViewer && data?.type === '@statelyai.connected') relay();
});
