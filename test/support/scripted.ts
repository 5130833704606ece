/** A WebSocket server that does what a test says, and one connection on it as a feed has it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createActor, createMachine, fromPromise } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.ts';
import {
  type ConnectionCommand,
  type ConnectionTiming,
  DEFAULT_TIMING,
  type Proof,
  type ProofInput,
} from '../../machines/connection.types.ts';
import { permitActor } from '../../src/actors/dial-gate.ts';
import { type Stamp, socketActor } from '../../src/actors/socket.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { openSocket } from '../../src/transport/socket.ts';
import { rig } from '../pipeline/candles.ts';
import { QUICK } from './collector.ts';

export interface Control {
  readonly method: 'SUBSCRIBE' | 'UNSUBSCRIBE';
  readonly params: readonly string[];
  readonly id: number;
}

export interface Scripted {
  readonly wsUrl: string;
  /** Control messages as they came, with the number of the socket from 1. */
  readonly asked: (Control & { readonly socket: number })[];
  /** Sockets that were opened so far. */
  opened(): number;
}

/** What the server does with a control message on the socket of that number. */
export type Script = (client: WebSocket, control: Control, socket: number) => void;

export const acknowledge: Script = (client, { id }) => client.send(JSON.stringify({ result: null, id }));

/** Serves sockets on loopback. */
export async function serveSockets(script: Script): Promise<Scripted> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const asked: (Control & { socket: number })[] = [];
  let opened = 0;
  sockets.on('connection', (client) => {
    const socket = ++opened;
    client.on('error', () => {});
    client.on('message', (data: Buffer) => {
      const control = JSON.parse(data.toString()) as Control;
      asked.push({ ...control, socket });
      script(client, control, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { wsUrl: `ws://127.0.0.1:${port}`, asked, opened: () => opened };
}

/** What a connection told its feed. */
export interface Report {
  readonly type: string;
  readonly reason?: string;
  readonly retryMs?: number;
  readonly alarming?: boolean;
}

/** A connection with real sockets, stopped at the end of the test; REST says `proof` of it. */
export function connectTo(
  wsUrl: string,
  {
    timing = {},
    proof = 'quiet',
    dialWaitMs = () => 0,
  }: { timing?: Partial<ConnectionTiming>; proof?: Proof; dialWaitMs?: () => number } = {},
) {
  const heard: Report[] = [];
  const oddities: string[] = [];
  const stamps = new Map<string, Stamp>();
  const { pipeline, time } = rig();
  let epoch = 0;
  const now = (): number => systemClock.now();
  const machine = connectionMachine.provide({
    actors: {
      permit: permitActor({ clock: systemClock, wsUrl: () => wsUrl, dialWaitMs }),
      prove: fromPromise<Proof, ProofInput>(async () => proof),
      socket: socketActor({
        clock: systemClock,
        open: openSocket,
        wsUrl: () => wsUrl,
        pipeline,
        nextEpoch: () => ++epoch,
        stamps,
        onOddity: (message) => oddities.push(message),
      }),
    },
  });
  const feed = createActor(
    createMachine({
      invoke: {
        id: 'connection',
        src: machine,
        input: {
          id: 'feed0.a',
          streams: ['btcusdt@kline_1m'],
          timing: { ...DEFAULT_TIMING, ...QUICK, ...timing },
          route: '/route',
          random: Math.random,
          now,
          activity: { silentMs: () => now() - (stamps.get('feed0.a')?.at ?? Number.NEGATIVE_INFINITY) },
        },
      },
      on: { '*': { actions: ({ event }) => heard.push(event as Report) } },
    }),
  ).start();
  onTestFinished(() => void feed.stop());
  const child = () => feed.getSnapshot().children['connection'];
  return {
    heard,
    oddities,
    pipeline,
    time,
    types: (): string[] => heard.map(({ type }) => type),
    send: (command: ConnectionCommand): void => child()?.send(command),
    state: (): unknown => child()?.getSnapshot().value,
    isDone: (): boolean => child()?.getSnapshot().status === 'done',
    stop: (): void => void feed.stop(),
  };
}
