/** A program that has nothing more to do ends, whoever looks at it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { within } from '../support/wait.ts';

test('an inspector keeps no process alive, nor does a page that looks at it', async () => {
  const script = fileURLToPath(new URL('./alive.child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await within('its address', once(child.stdout.setEncoding('utf8'), 'data'));
  const { host, hostname, port } = new URL(String(line).trim());
  const page = new WebSocket(`ws://${host}/live`);
  await within('the picture', once(page, 'message'));
  const kept = connect(Number(port), hostname).on('error', () => {});
  kept.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await within('an answer', once(kept, 'data'));
  const half = connect(Number(port), hostname).on('error', () => {});
  half.write('GET / HTTP/1.1\r\n');
  await once(half, 'connect');
  page.on('error', () => {});
  const closed = once(page, 'close');
  child.stdin.end();
  expect((await within('its end', once(child, 'exit'), 3_000))[0]).toBe(0);
  await closed;
  for (const socket of [kept, half]) socket.destroy();
});
