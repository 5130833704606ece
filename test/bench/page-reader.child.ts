/**
 * A page without a browser, started by `fork` with the inspector's URL and a series: reads everything, watches that
 * series, and tells what it has read when it is asked.
 */
import { WebSocket } from 'ws';

const [url = '', series = ''] = process.argv.slice(2);
const read = { messages: 0, bytes: 0, pictures: 0, news: 0 };
const socket = new WebSocket(`${url.replace('http', 'ws')}live`);
socket.on('open', () => socket.send(JSON.stringify({ type: 'watch', series })));
socket.on('message', (data) => {
  const text = String(data);
  const message = JSON.parse(text) as { type: string; series?: object };
  read.messages += 1;
  read.bytes += text.length;
  if (message.series !== undefined) read.news += 1;
  if (message.type === 'picture' && read.pictures++ === 0) process.send?.('ready');
});
socket.on('error', (error) => {
  process.stderr.write(`the page was refused: ${error.message}\n`);
  process.exit(1);
});
process.on('message', () => process.send?.(read));
process.once('disconnect', () => process.exit());
