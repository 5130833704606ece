import { describe, expect, test } from 'vitest';
import type { Socket } from '../../src/ports.ts';
import { openSocket } from '../../src/transport/socket.ts';
import { handshake, startRawServer, textFrame } from '../support/raw-server.ts';
import { until } from '../support/wait.ts';
import { filled, takes } from './direct.ts';

describe('messages that are taken as they stand in what was read, over a connection', () => {
  const usual = (number: number): string => filled(`k${number} `, 300, '}').toString();

  /** A server that sends these bytes, and who listens to it; `on` is called with each message. */
  async function listen(
    data: Buffer,
    then: 'hold' | 'fin' | 'rst',
    on: (text: string, socket: Socket) => void,
  ) {
    const server = await startRawServer(handshake(data, then));
    const heard: string[] = [];
    const note = (text: string): void => {
      heard.push(text);
      on(text, socket);
    };
    const socket = openSocket(`ws://127.0.0.1:${server.port}/`, {
      opened: () => {},
      message: (bytes) => note(`ws ${bytes.toString()}`),
      heard: () => note('heard'),
      closed: ({ code }) => heard.push(`closed ${code}`),
      direct: takes((text) => note(`direct ${text}`)),
    });
    const dispose = async (): Promise<void> => {
      socket.terminate();
      await server.close();
    };
    return { heard, [Symbol.asyncDispose]: dispose };
  }
  const numbersOf = (heard: readonly string[]): number[] =>
    heard.flatMap((text) => /k(\d+) /u.exec(text)?.[1] ?? []).map(Number);
  const counting = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

  test('ten thousand come each once and in order, most of them directly, and then its close', async () => {
    const frames = counting(10_000).map((number) => textFrame(usual(number)));
    await using one = await listen(
      Buffer.concat([...frames, Buffer.from([0x88, 2, 3, 232])]),
      'hold',
      () => {},
    );
    await until('the close', () => one.heard.at(-1) === 'closed 1000');
    expect(numbersOf(one.heard)).toEqual(counting(10_000));
    expect(one.heard.filter((text) => text.startsWith('direct')).length).toBeGreaterThan(9_000);
  });

  test('a connection that is cut off ends, and what came before is heard once', async () => {
    const frames = counting(5_000).map((number) => textFrame(usual(number)));
    await using one = await listen(Buffer.concat(frames), 'fin', () => {});
    await until('the end', () => one.heard.at(-1) === 'closed 1006');
    expect(numbersOf(one.heard)).toEqual(counting(5_000));
  });

  test.each(['close', 'terminate'] as const)(
    '%s in the midst of a piece: nothing comes twice',
    async (how) => {
      const frames = counting(400).map((number) =>
        textFrame(number % 10 === 5 ? `n${usual(number)}` : usual(number)),
      );
      await using one = await listen(
        Buffer.concat([...frames, Buffer.from([0x88, 0])]),
        'hold',
        (text, socket) => {
          if (text.includes('k17 ')) socket[how]();
          if (text.includes('k25 ')) socket[how]();
        },
      );
      const count = how === 'close' ? 400 : 18;
      await until('what is to come', () => numbersOf(one.heard).length >= count);
      if (how === 'close') await until('the end', () => one.heard.at(-1)?.startsWith('closed') ?? false);
      expect(numbersOf(one.heard)).toEqual(counting(count));
    },
  );
});
