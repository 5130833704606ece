/** A process of its own, in which nobody else has timers or sockets: says what is left after each of some runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Component } from '../../src/supervisor/component.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';

type Close = () => unknown;
const FILE = join(tmpdir(), `candlestate-resources-${process.pid}`);

const OPENS: Readonly<Record<string, () => Close | Promise<Close>>> = {
  nothing: () => () => {},
  timer: () => {
    const timer = setTimeout(() => {}, 60_000);
    return () => clearTimeout(timer);
  },
  sockets: async () => {
    const accepted: Socket[] = [];
    const server = createServer((socket) => accepted.push(socket.on('error', () => {})));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    return () => {
      for (const one of [socket, ...accepted]) one.destroy();
      server.close();
    };
  },
  file: async () => {
    const file = await open(FILE, 'w');
    return () => file.close();
  },
  log: async () => {
    const file = await open(FILE, 'a');
    return () => file.close();
  },
  'file of a thread': async () => {
    const code = `require('node:fs').openSync(${JSON.stringify(FILE)}, 'w');
      require('node:worker_threads').parentPort.on('message', () => {}).postMessage('open');`;
    const thread = new Worker(code, { eval: true });
    await once(thread, 'message');
    return () => thread.terminate();
  },
  child: async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    return async () => {
      child.kill();
      await once(child, 'exit');
    };
  },
};

async function leftOf(component: Component): Promise<string[]> {
  const supervisor = new Supervisor({ components: [component] });
  await supervisor.start();
  const { checks } = await supervisor.stop();
  return checks.filter(({ outcome }) => outcome !== 'ok').map(({ name, detail }) => `${name}: ${detail}`);
}

const told: Record<string, { closed: string[]; left: string[] }> = {};
for (const [name, opens] of Object.entries(OPENS)) {
  const opened: Close[] = [];
  const start = async (): Promise<unknown> => opened.push(await opens());
  const stop = async (): Promise<void> => {
    for (const close of opened.splice(0)) await close();
  };
  const closed = await leftOf({ name, deadlineMs: 2_000, start, stop });
  const left = await leftOf({ name, start });
  told[name] = { closed, left };
  await stop();
}
await rm(FILE);
process.stdout.write(JSON.stringify(told));
