import { EventEmitter } from 'node:events';
import type { Socket as Connection } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { Shortcut } from '../../src/transport/shortcut.ts';
import { filled, frame, takes } from './direct.ts';

/** What reads frames in `ws`; its types do not name it. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

const isText = (heard: string): boolean => heard.startsWith('text k');

/** Reads pieces as a connection brings them, one in each turn of the loop; what was heard. Its user closes at that message. */
async function hear(pieces: readonly Buffer[], isDirect: boolean, closeAt?: number) {
  const heard: string[] = [];
  const note = (what: string): void => {
    if (heard.push(what) !== closeAt) return;
    shortcut?.end();
    isOpen = false;
  };
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
    note(`${isBinary ? 'bytes' : 'text'} ${data.toString('latin1')}`),
  );
  for (const control of ['ping', 'pong'])
    receiver.on(control, (data: Buffer) => note(`${control} ${data.toString('latin1')}`));
  receiver.on('conclude', (code: number) => {
    over();
    note(`close ${code}`);
  });
  receiver.on('error', ({ code }: NodeJS.ErrnoException) => {
    over();
    note(`error ${code}`);
  });
  connection.on('data', pass);
  const direct = takes((text) => {
    taken += 1;
    note(`text ${text}`);
  });
  const shortcut = isDirect ? Shortcut.begin(connection, direct, () => isOpen) : undefined;
  for (const piece of pieces) {
    connection.emit('data', Buffer.from(Uint8Array.from(piece).buffer));
    await setImmediate();
  }
  return { heard, taken };
}

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

const cutsOf = (maxLength: number) => fc.array(fc.nat(1_000_000), { maxLength });
const placesOf = (bytes: Buffer, cuts: readonly number[]): number[] =>
  [...new Set(cuts.map((place) => place % (bytes.length + 1)))].sort((one, two) => one - two);
/** The same bytes in pieces. */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = placesOf(bytes, cuts);
  return [0, ...places]
    .map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
    .filter(({ length }) => length > 0);
}

describe('messages that are taken as they stand in what was read', () => {
  test('are heard in the order and as often as without that, whatever comes between and wherever it is cut', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(
        stream,
        cutsOf(12),
        fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
        async (sent, cuts, closeAt) => {
          const pieces = cut(bytesOf(sent), cuts);
          const direct = await hear(pieces, true, closeAt);
          const { heard } = await hear(pieces, false, closeAt);
          // `ws` says only in the next turn that a message was an error: what stands behind it in the same piece is still taken.
          const end = heard.at(-1)?.startsWith('error') ? heard.length - 1 : heard.length;
          const behind = direct.heard.slice(end, -1);
          if (end < heard.length && behind.every(isText)) direct.heard.splice(end, behind.length);
          expect(direct.heard).toEqual(heard);
          taken += direct.taken;
        },
      ),
      { numRuns: 200 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('whatever is usual and stands whole in a piece is taken, also when its first bytes came before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(usual, { minLength: 1, maxLength: 12 }), cutsOf(8), async (sent, cuts) => {
        const bytes = bytesOf(sent);
        const places = placesOf(bytes, cuts);
        const { heard, taken } = await hear(cut(bytes, cuts), true);
        expect(heard).toHaveLength(sent.length);
        let begin = 0;
        const isWhole = sent.filter(([, length]) => {
          const [from, to] = [begin + 4, begin + 4 + length];
          begin = to;
          return places.every((place) => place < from || place >= to);
        });
        expect(taken).toBe(isWhole.length);
      }),
      { numRuns: 150 },
    );
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
    Shortcut.begin(
      connection,
      takes((text) => heard.push(text)),
      () => true,
    );
    const whole = frame(0x81, filled('k', 300, '}'));
    const piece = Buffer.from(
      Uint8Array.from(Buffer.concat([whole, Buffer.from([0x89, 0]), whole.subarray(0, 99)])).buffer,
    );
    connection.emit('data', piece);
    expect([heard.length, piece.length]).toEqual([1, 0]);
    expect(Buffer.concat(kept)).toEqual(Buffer.concat([Buffer.from([0x89, 0]), whole.subarray(0, 99)]));
    connection.emit('data', Buffer.from(Uint8Array.from(whole.subarray(99)).buffer));
    // What is large goes to `ws` as it is, which may keep it.
    const large = Buffer.from(Uint8Array.from(frame(0x82, filled('', 9_000, ''))).buffer);
    connection.emit('data', large);
    expect([large.length, kept.at(-1)?.buffer === large.buffer]).toEqual([9_004, true]);
    // A part of a larger memory is not its own to let go of, nor is what another listens to.
    const pooled = Buffer.from(Buffer.concat([Buffer.alloc(8), whole]).buffer, 0, 8).subarray(0, 4);
    connection.emit('data', pooled);
    expect(pooled.length).toBe(4);
  });

  test('where `ws` is not alone with its connection, all is left to it', () => {
    const connection = new EventEmitter() as unknown as Connection;
    expect(
      Shortcut.begin(
        undefined,
        takes(() => {}),
        () => true,
      ),
    ).toBeUndefined();
    expect(
      Shortcut.begin(
        connection,
        takes(() => {}),
        () => true,
      ),
    ).toBeUndefined();
    for (let count = 0; count < 2; count++) connection.on('data', () => {});
    expect(
      Shortcut.begin(
        connection,
        takes(() => {}),
        () => true,
      ),
    ).toBeUndefined();
    expect(connection.listenerCount('data')).toBe(2);
  });
});
