/**
 * A page without its screen, started by `fork` with the inspector's URL and a series: what the page does with what it
 * is told, and asks for, is done by the page's own code. Says `ready` when it has its picture and the series, and how
 * far it has read when it is asked.
 */
import { effect } from '@preact/signals';
import { WebSocket } from 'ws';
import { followSeries } from '../../src/inspector/page/candles/feed.ts';
import { link, receive, seriesNews, setLink, watched, watchSeries } from '../../src/inspector/page/model.ts';
import type { ServerMessage } from '../../src/inspector/protocol.ts';

const [url = '', series = ''] = process.argv.slice(2);
const read = { messages: 0, bytes: 0, changes: 0, lastOpenTime: 0 };
const socket = new WebSocket(`${url.replace('http', 'ws')}live`);
socket.on('message', (data) => {
  const text = String(data);
  receive(JSON.parse(text) as ServerMessage);
  read.messages += 1;
  read.bytes += text.length;
  if (link.value === 'open') return;
  setLink('open');
  effect(() => socket.send(JSON.stringify({ type: 'watch', series: watched.value })));
  followSeries(
    series,
    { seriesNews, link, watchSeries, fetch: (path, signal) => fetch(new URL(path, url), { signal }) },
    {
      onChange({ bars }) {
        if (read.changes++ === 0) process.send?.('ready');
        read.lastOpenTime = bars.at(-1)?.openTime ?? 0;
      },
      onTrouble: (words) => words !== undefined && fail(words),
    },
  );
});
socket.on('error', ({ message }) => fail(message));
process.on('message', () => process.send?.(read));
process.once('disconnect', () => process.exit());

function fail(why: string): never {
  process.stderr.write(`the page was refused: ${why}\n`);
  process.exit(1);
}
