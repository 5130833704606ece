import { EventEmitter } from 'node:events';
import type { Socket as Connection } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import type { Socket } from '../../src/ports.ts';
import { Shortcut } from '../../src/transport/shortcut.ts';
import { openSocket } from '../../src/transport/socket.ts';
import { handshake, startRawServer, textFrame } from '../support/raw-server.ts';
import { until } from '../support/wait.ts';

/** What reads frames in `ws`; its types do not name it. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

/** A text that is taken by the bytes of the test's own reader. */
const isOurs = (text: string): boolean => text.startsWith('k') && text.endsWith('}');

const isText = (heard: string): boolean => heard.startsWith('text k');

/** Whether these are taken, and which. */
function takes(heard: string[]) {
  return {
    arrived: () => {},
    message: (bytes: Uint8Array, from: number, to: number) => {
      const text = Buffer.from(bytes.subarray(from, to)).toString('latin1');
      if (isOurs(text)) heard.push(`text ${text}`);
      return isOurs(text);
    },
  };
}

/** Reads pieces as a connection brings them, one in each turn of the loop; what was heard. */
async function hear(pieces: readonly Buffer[], isDirect: boolean) {
  const heard: string[] = [];
  let isOpen = true;
  let taken = 0;
  const receiver = new Receiver({ maxPayload: 70_000, allowSynchronousEvents: true });
  const connection = new EventEmitter() as unknown as Connection & Duplex;
  const pass = (piece: Buffer): void => void receiver.write(piece);
  /** As `ws` does it. */
  const over = (): void => {
    isOpen = false;
    connection.off('data', pass);
  };
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    heard.push(`${isBinary ? 'bytes' : 'text'} ${data.toString('latin1')}`),
  );
  for (const control of ['ping', 'pong'])
    receiver.on(control, (data: Buffer) => heard.push(`${control} ${data.toString('latin1')}`));
  receiver.on('conclude', (code: number) => {
    heard.push(`close ${code}`);
    over();
  });
  receiver.on('error', ({ code }: NodeJS.ErrnoException) => {
    heard.push(`error ${code}`);
    over();
  });
  connection.on('data', pass);
  const direct = takes(heard);
  const counted = {
    ...direct,
    message: (...args: Parameters<typeof direct.message>) => {
      const isTaken = direct.message(...args);
      if (isTaken) taken += 1;
      return isTaken;
    },
  };
  if (isDirect) Shortcut.begin(connection, counted, () => isOpen);
  for (const piece of pieces) {
    connection.emit('data', Buffer.from(Uint8Array.from(piece).buffer));
    await setImmediate();
  }
  return { heard, taken };
}

const frame = (first: number, payload: Buffer, mask = 0): Buffer => {
  const { length } = payload;
  const size =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
  size[0] = (size[0] as number) | mask;
  return Buffer.concat([Buffer.from([first, ...size]), payload]);
};
const filled = (head: string, length: number, tail: string): Buffer =>
  Buffer.from(head + 'x'.repeat(Math.max(0, length - head.length - tail.length)) + tail);

/** What a server may send, and what it may not. */
type Sent = readonly [kind: keyof typeof KINDS, length: number];
const KINDS = {
  usual: (length: number) => frame(0x81, filled('k', length, '}')),
  other: (length: number) => frame(0x81, filled('n', length, '}')),
  binary: (length: number) => frame(0x82, filled('k', length, '}')),
  ping: (length: number) => frame(0x89, filled('', Math.min(length, 125), '')),
  pong: (length: number) => frame(0x8a, filled('', Math.min(length, 125), '')),
  'in parts': (length: number) =>
    Buffer.concat([
      ...[frame(0x01, filled('k', length, '}')), frame(0x89, Buffer.from('amid'))],
      ...[frame(0x00, filled('k', length, '}')), frame(0x80, filled('', 150, '}'))],
    ]),
  'a message amid another': (length: number) =>
    Buffer.concat([
      frame(0x01, filled('n', length, '')),
      KINDS.usual(200),
      frame(0x80, filled('', 150, '}')),
    ]),
  close: (length: number) => frame(0x88, length % 2 === 0 ? Buffer.alloc(0) : Buffer.from([3, 232])),
  'a close with half a code': () => frame(0x88, Buffer.alloc(1)),
  'a reserved bit': (length: number) => frame(length % 2 === 0 ? 0xc1 : 0x91, filled('k', length, '}')),
  masked: (length: number) => frame(0x81, filled('k', length, '}'), 0x80),
  'too long': () => KINDS.usual(70_001),
  'no UTF-8': (length: number) => frame(0x81, Buffer.concat([Buffer.from('n'), Buffer.alloc(length, 0xff)])),
  'eight bytes of length': () => Buffer.from([0x81, 0xff, 1, 2, 3, 4, 5, 6, 7, 8]),
} as const;
const bytesOf = (sent: readonly Sent[]): Buffer =>
  Buffer.concat(sent.map(([kind, length]) => KINDS[kind](length)));

const lengths = fc.oneof(
  fc.integer({ min: 2, max: 130 }),
  fc.integer({ min: 126, max: 480 }),
  fc.constant(66_000),
);
const of = (...kinds: Sent[0][]): fc.Arbitrary<Sent> => fc.tuple(fc.constantFrom(...kinds), lengths);
const usual: fc.Arbitrary<Sent> = fc.tuple(fc.constant('usual'), fc.integer({ min: 126, max: 480 }));
const good = fc.oneof({ arbitrary: usual, weight: 3 }, of('other', 'binary', 'ping', 'pong', 'in parts'));
const stream = fc
  .tuple(
    fc.array(good, { maxLength: 25 }),
    fc.option(of(...(Object.keys(KINDS) as Sent[0][]))),
    fc.array(usual, { maxLength: 2 }),
  )
  .map(([frames, end, behind]) => [...frames, ...(end === null ? [] : [end]), ...behind]);

/** The same bytes in pieces, many of them cut where headers are. */
const cut = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].sort((one, two) => one - two);
  return [0, ...places]
    .map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
    .filter(({ length }) => length > 0);
};

describe('messages that are taken as they stand in what was read', () => {
  test('are heard in the order and as often as without that, whatever comes between and wherever it is cut', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat(1_000_000), { maxLength: 12 }), async (sent, cuts) => {
        const pieces = cut(bytesOf(sent), cuts);
        const direct = await hear(pieces, true);
        const { heard } = await hear(pieces, false);
        // `ws` says only in the next turn that a message was an error: what stands behind it in the same piece is still taken.
        const end = heard.at(-1)?.startsWith('error') ? heard.length - 1 : heard.length;
        const behind = direct.heard.slice(end, -1);
        if (end < heard.length && behind.every(isText)) direct.heard.splice(end, behind.length);
        expect(direct.heard).toEqual(heard);
        taken += direct.taken;
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  test('the same, for every place where two messages, a ping and a close can be cut', async () => {
    const bytes = Buffer.concat([
      ...[
        frame(0x81, filled('k', 130, '}')),
        frame(0x89, Buffer.from('p')),
        frame(0x81, filled('k', 131, '}')),
      ],
      ...[frame(0x81, Buffer.from('n')), frame(0x81, filled('k', 132, '}')), Buffer.from([0x88, 0])],
    ]);
    const whole = (await hear([bytes], false)).heard;
    expect(whole).toHaveLength(6);
    for (let place = 1; place < bytes.length; place++)
      expect((await hear([bytes.subarray(0, place), bytes.subarray(place)], true)).heard).toEqual(whole);
    const bytewise = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect((await hear(bytewise, true)).heard).toEqual(whole);
  });

  test('what was read is let go of at once, and what is kept of it stays as it was', () => {
    const heard: string[] = [];
    const kept: Buffer[] = [];
    const connection = new EventEmitter() as unknown as Connection;
    connection.on('data', (part: Buffer) => kept.push(part));
    Shortcut.begin(connection, takes(heard), () => true);
    const whole = frame(0x81, filled('k', 300, '}'));
    const piece = Buffer.from(
      Uint8Array.from(Buffer.concat([whole, Buffer.from([0x89, 0]), whole.subarray(0, 99)])).buffer,
    );
    connection.emit('data', piece);
    expect([heard.length, piece.length]).toEqual([1, 0]);
    expect(Buffer.concat(kept)).toEqual(Buffer.concat([Buffer.from([0x89, 0]), whole.subarray(0, 99)]));
    // A part of a larger memory is not its own to let go of, nor is what another listens to.
    const pooled = Buffer.from(Buffer.concat([Buffer.alloc(8), whole]).buffer, 0, 8).subarray(0, 4);
    connection.emit('data', pooled);
    expect(pooled.length).toBe(4);
  });

  test('where `ws` is not alone with its connection, all is left to it', () => {
    const connection = new EventEmitter() as unknown as Connection;
    expect(Shortcut.begin(undefined, takes([]), () => true)).toBeUndefined();
    expect(Shortcut.begin(connection, takes([]), () => true)).toBeUndefined();
    for (let count = 0; count < 2; count++) connection.on('data', () => {});
    expect(Shortcut.begin(connection, takes([]), () => true)).toBeUndefined();
    expect(connection.listenerCount('data')).toBe(2);
  });
});

describe('over a connection', () => {
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
    const direct = takes([]);
    const socket = openSocket(`ws://127.0.0.1:${server.port}/`, {
      opened: () => {},
      message: (bytes) => note(`ws ${bytes.toString()}`),
      heard: () => note('heard'),
      closed: ({ code }) => heard.push(`closed ${code}`),
      direct: {
        ...direct,
        message: (bytes, from, to) => {
          const isTaken = direct.message(bytes, from, to);
          if (isTaken) note(`direct ${Buffer.from(bytes.subarray(from, to)).toString().trim()}`);
          return isTaken;
        },
      },
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
