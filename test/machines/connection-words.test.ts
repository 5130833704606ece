/** What a connection tells its children and its feed, word by word, and the times that are promised. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import { connectionModel } from '../model/connection.model.ts';
import type { Session, StubSnapshot } from '../model/walk/index.ts';
import { begin, child, ends, fails, received, say } from './play.ts';

type Run = Session<never>;
const waiting = (): Run => begin(connectionModel) as Run;
const dialled = (...types: string[]): Run => {
  const run = waiting();
  ends(run, 'permit');
  for (const type of types) run.actor.send({ type });
  return run;
};
const live = (): Run => dialled('SOCKET.OPENED', 'SOCKET.ACKED', 'SOCKET.FRAME');
const inputOf = (run: Run, id: string): unknown => (child(run, id).getSnapshot() as StubSnapshot).input;

test('the times are those that are promised, ms', () => {
  expect(DEFAULT_TIMING).toEqual({
    openTimeoutMs: 10_000,
    ackTimeoutMs: 10_000,
    // Quiet or mute is known within 5 s of an acknowledgement.
    proofDelayMs: 2_000,
    proofSpacingMs: 3_000,
    proofDeadlineMs: 60_000,
    pingIntervalMs: 20_000,
    pongTimeoutMs: 5_000,
    silenceMs: 60_000,
    stableMs: 30_000,
    // The exchange ends a connection at 24 hours.
    rotateMs: 82_800_000,
    rotateSpreadMs: 1_800_000,
    overlapMs: 5_000,
    backoff: { baseMs: 500, maxMs: 60_000, slowMs: 30_000 },
  });
});

describe('a connection that is given up says why', () => {
  const ENDINGS: readonly [string, () => Run, (run: Run) => void][] = [
    ['may not dial: full', waiting, (run) => fails(run, 'permit', new Error('full'))],
    ['socket failed: boom', dialled, (run) => fails(run, 'socket', new Error('boom'))],
    ['handshake not answered in time', dialled, (run) => run.pass(10_000)],
    [
      'subscription refused: code 2',
      () => dialled('SOCKET.OPENED'),
      (run) => say(run, { type: 'SOCKET.REFUSED', reason: 'code 2' }),
    ],
    ['subscription not acknowledged', () => dialled('SOCKET.OPENED'), (run) => run.pass(10_000)],
    [
      'going away',
      live,
      (run) =>
        say(run, { type: 'SOCKET.CLOSED', end: { code: 1001 }, cause: 'closed', reason: 'going away' }),
    ],
    ['half-open: no sign of life', live, (run) => run.pass(25_000)],
    ['a is mute', live, (run) => say(run, { type: 'RECYCLE', reason: 'a is mute' })],
  ];
  test.each(ENDINGS)('%s', (reason, start, end) => {
    const run = start();
    end(run);
    expect(run.heard.filter(({ type }) => type === 'CONNECTION.DOWN')).toMatchObject([{ reason }]);
    expect(run.heard.at(-1)).toMatchObject({ id: 'connection' });
  });
});

describe('what is asked of REST', () => {
  const proving = (): Run => dialled('SOCKET.OPENED', 'SOCKET.ACKED');

  test('is asked after the delay of proof, and after a failure once more after the same', () => {
    const run = proving();
    for (let i = 0; i < 3; i++) {
      run.pass(1_999);
      expect(run.children['prove']).toBeUndefined();
      run.pass(1);
      fails(run, 'prove', new Error('418'));
    }
  });

  test('about a silence is asked at once, and after a failure after the delay', () => {
    const run = live();
    Object.assign(run.env, { silentMs: 60_000 });
    run.actor.send({ type: 'SOCKET.ALIVE' });
    for (let i = 0; i < 3; i++) {
      fails(run, 'prove', new Error('418'));
      run.pass(1_999);
      expect(run.children['prove']).toBeUndefined();
      run.pass(1);
    }
  });

  test('and found quiet leaves the connection so, until a frame comes or as long a silence', () => {
    const data = (run: Run, state: string): boolean =>
      run.snapshot.matches({ attached: { open: { live: { data: state } } } } as never);
    const run = proving();
    run.pass(2_000);
    ends(run, 'prove', 'quiet');
    expect(data(run, 'quiet')).toBe(true);
    run.actor.send({ type: 'SOCKET.FRAME' });
    expect(data(run, 'flowing')).toBe(true);
  });

  test('while it fails for a silence that lasts, the cause is silence', () => {
    const run = live();
    Object.assign(run.env, { silentMs: 60_000 });
    run.actor.send({ type: 'SOCKET.ALIVE' });
    for (let ms = 0; ms < 60_000; ms += 1_000, run.pass(1_000)) {
      run.actor.send({ type: 'SOCKET.ALIVE' });
      if (run.children['prove']) fails(run, 'prove', new Error('418'));
    }
    expect(run.heard.at(-1)).toMatchObject({
      type: 'CONNECTION.DOWN',
      cause: 'silent',
      reason: 'silent, and REST could not tell why',
    });
  });

  test('an acknowledgement has its ten seconds', () => {
    const run = dialled('SOCKET.OPENED');
    run.pass(9_999);
    expect(run.heard).toEqual([]);
    run.pass(1);
    expect(run.heard).toHaveLength(1);
  });
});

describe('its children are told', () => {
  test('who dials, who asks, which streams are to be proved and how far apart', () => {
    const run = waiting();
    expect(inputOf(run, 'permit')).toEqual({ id: 'connection' });
    ends(run, 'permit');
    expect(inputOf(run, 'socket')).toEqual({ id: 'connection', ackTimeoutMs: 10_000 });
    for (const type of ['SOCKET.OPENED', 'SOCKET.ACKED']) run.actor.send({ type });
    run.pass(2_000);
    const asked = { streams: ['btcusdt@kline_1m'], spacingMs: 3_000 };
    expect(inputOf(run, 'prove')).toEqual(asked);
    run.actor.send({ type: 'SOCKET.FRAME' });
    Object.assign(run.env, { silentMs: 60_000 });
    run.actor.send({ type: 'SOCKET.ALIVE' });
    expect(inputOf(run, 'prove')).toEqual(asked);
  });

  test('to watch for a frame and to subscribe when the socket opens, and to close', () => {
    const run = dialled('SOCKET.OPENED');
    expect(received(run, 'socket')).toEqual([
      { type: 'WATCH' },
      { type: 'SUBSCRIBE', streams: ['btcusdt@kline_1m'] },
    ]);
    say(run, { type: 'CLOSE', withinMs: 1_000 });
    expect(received(run, 'socket').at(-1)).toEqual({ type: 'CLOSE' });
  });
});

describe('while it closes', () => {
  test('a second CLOSE, a refusal and more frames change nothing', () => {
    const run = live();
    say(run, { type: 'CLOSE', withinMs: 1_000 });
    for (const event of [
      { type: 'CLOSE', withinMs: 60_000 },
      { type: 'SOCKET.REFUSED', reason: 'late' },
      { type: 'SOCKET.FRAME' },
    ])
      say(run, event);
    run.pass(999);
    expect(run.snapshot.status).toBe('active');
    run.pass(1);
    expect(run.snapshot.output).toEqual({ name: 'connection', outcome: 'forced', durationMs: 1_000 });
  });

  test.each([
    ['it waits for a permit', waiting],
    [
      'it waits to dial again',
      () => {
        const run = waiting();
        fails(run, 'permit', new Error('full'));
        return run;
      },
    ],
  ])('there is nothing to close when %s', (_, start) => {
    const run = start();
    run.pass(30);
    say(run, { type: 'CLOSE', withinMs: 1_000 });
    expect(run.snapshot.output).toEqual({ name: 'connection', outcome: 'closed', durationMs: 0 });
  });
});
