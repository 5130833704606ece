import { describe, expect, test } from 'vitest';
import { type ConnectionTiming, DEFAULT_TIMING } from '../../machines/connection.types.ts';
import type { Ending } from '../../machines/model/backoff.ts';
import { connectionModel } from '../model/connection.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, moments, received, say, unended } from './play.ts';

type Run = Session<never>;
const at = (run: Run, state: object | string): boolean => run.snapshot.matches(state as never);
const tell = (run: Run, ...types: string[]): void => {
  for (const type of types) run.actor.send({ type });
};
const lost = (run: Run, end: Ending = { code: 1006 }): void =>
  say(run, { type: 'SOCKET.CLOSED', end, reason: 'lost' });
const begun = (timing: Partial<ConnectionTiming> = {}): Run =>
  begin({
    ...connectionModel,
    input: (env, clock) => ({
      ...connectionModel.input!(env, clock),
      timing: { ...DEFAULT_TIMING, ...timing },
    }),
  }) as Run;
const live = (timing?: Partial<ConnectionTiming>): Run => {
  const run = begun(timing);
  tell(run, 'SOCKET.OPENED', 'SOCKET.ACKED', 'SOCKET.FRAME');
  return run;
};
const downs = (run: Run) => run.heard.filter((event) => event.type === 'CONNECTION.DOWN');
const silence = (run: Run): void => void Object.assign(run.env, { silentMs: DEFAULT_TIMING.silenceMs });

describe('dialling again', () => {
  test('waits twice as long after every failure, up to the bound', () => {
    const run = begun();
    for (let i = 0; i < 10; i++) {
      lost(run);
      run.pass(run.snapshot.context['retryMs']);
    }
    expect(downs(run).map((event) => event['retryMs'])).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
  });

  test('happens when the backoff has passed, not before, with a new socket', () => {
    const run = begun();
    const first = child(run, 'socket');
    lost(run);
    run.pass(249);
    expect(run.children['socket']).toBeUndefined();
    run.pass(1);
    expect(child(run, 'socket')).not.toBe(first);
  });

  test('an open, an acknowledgement and a first frame do not reset the backoff', () => {
    const run = begun();
    for (const types of [[], ['SOCKET.OPENED'], ['SOCKET.OPENED', 'SOCKET.ACKED']]) {
      tell(run, ...types);
      lost(run);
      run.pass(10_000);
    }
    tell(run, 'SOCKET.OPENED', 'SOCKET.FRAME');
    run.pass(1_000);
    lost(run);
    expect(downs(run).map((event) => event['retryMs'])).toEqual([250, 500, 1_000, 2_000]);
  });

  test('living for the stable time does', () => {
    const run = begun();
    for (let i = 0; i < 3; i++) {
      lost(run);
      run.pass(10_000 / 2);
      run.pass(0);
    }
    tell(run, 'SOCKET.OPENED', 'SOCKET.FRAME');
    run.pass(DEFAULT_TIMING.pingIntervalMs);
    tell(run, 'SOCKET.ALIVE');
    run.pass(DEFAULT_TIMING.stableMs - DEFAULT_TIMING.pingIntervalMs);
    lost(run);
    expect(downs(run).at(-1)).toMatchObject({ retryMs: 250 });
  });

  test.each([
    { code: 1006, status: 404 },
    { code: 1006, status: 403 },
    { code: 1006, status: 451 },
    { code: 1008 },
  ])('is slow and alarming after %j', (end) => {
    const run = begun();
    lost(run, end);
    expect(downs(run)).toEqual([expect.objectContaining({ alarming: true, retryMs: 33_750 })]);
  });

  test('never comes earlier than the server asked', () => {
    const run = begun();
    lost(run, { code: 1006, status: 429, retryAfterMs: 120_000 });
    run.pass(119_999);
    expect(at(run, 'waiting')).toBe(true);
    run.pass(1);
    expect(at(run, { attached: 'opening' })).toBe(true);
  });
});

describe('proof of life', () => {
  test('an open, acknowledged socket is not up; its first frame makes it so', () => {
    const run = begun();
    tell(run, 'SOCKET.OPENED', 'SOCKET.ACKED');
    expect(run.heard).toEqual([]);
    tell(run, 'SOCKET.FRAME');
    expect(run.heard).toEqual([{ type: 'CONNECTION.UP', id: 'connection', proof: 'frame' }]);
  });

  test('a frame counts although the acknowledgement was lost', () => {
    const run = begun();
    tell(run, 'SOCKET.OPENED', 'SOCKET.FRAME');
    run.pass(DEFAULT_TIMING.ackTimeoutMs);
    expect(run.heard).toMatchObject([{ type: 'CONNECTION.UP' }]);
  });

  test('a socket that is silent from its first second is asked about, and given up when mute', () => {
    const run = begun();
    tell(run, 'SOCKET.OPENED', 'SOCKET.ACKED');
    run.pass(DEFAULT_TIMING.proofDelayMs);
    ends(run, 'prove', 'mute');
    expect(run.heard).toMatchObject([{ type: 'CONNECTION.DOWN', reason: expect.stringContaining('mute') }]);
  });

  test('one that is quiet, since nothing trades, is up', () => {
    const run = begun();
    tell(run, 'SOCKET.OPENED', 'SOCKET.ACKED');
    run.pass(DEFAULT_TIMING.proofDelayMs);
    ends(run, 'prove', 'quiet');
    expect(run.heard).toEqual([{ type: 'CONNECTION.UP', id: 'connection', proof: 'quiet' }]);
  });

  test('one that REST cannot judge is asked about again and again, and given up at the deadline', () => {
    const run = begun();
    tell(run, 'SOCKET.OPENED', 'SOCKET.ACKED');
    let asked = 0;
    for (let ms = 0; ms < DEFAULT_TIMING.proofDeadlineMs; ms += 1_000, run.pass(1_000))
      if (run.children['prove']) {
        asked += 1;
        fails(run, 'prove', new Error('418'));
      }
    expect(asked).toBeGreaterThan(10);
    expect(run.heard).toMatchObject([
      { type: 'CONNECTION.DOWN', reason: 'no data, and REST could not tell why' },
    ]);
  });
});

describe('a live socket', () => {
  test.each([
    ['10 s and 5 s', 10_000, 5_000],
    ['the defaults', DEFAULT_TIMING.pingIntervalMs, DEFAULT_TIMING.pongTimeoutMs],
  ])(
    'that is half-open is found within ping interval and pong time-out: %s',
    (_, pingIntervalMs, pongTimeoutMs) => {
      const run = live({ pingIntervalMs, pongTimeoutMs });
      for (let i = 0; i < 5; i++) {
        run.pass(pingIntervalMs);
        expect(received(run, 'socket').at(-1)).toEqual({ type: 'PING' });
        run.pass(pongTimeoutMs - 1);
        tell(run, 'SOCKET.ALIVE');
      }
      run.pass(pingIntervalMs + pongTimeoutMs - 1);
      expect(downs(run)).toEqual([]);
      run.pass(1);
      expect(downs(run)).toMatchObject([{ reason: 'half-open: no sign of life', alarming: false }]);
      expect(run.survivors()).toEqual(['timer xstate.after.backoff.connection.waiting']);
    },
  );

  const doubted = (): Run => {
    const run = live();
    run.pass(DEFAULT_TIMING.pingIntervalMs);
    silence(run);
    tell(run, 'SOCKET.ALIVE');
    return run;
  };

  test('that answers pings and brings data is asked nothing', () => {
    const run = live();
    run.pass(DEFAULT_TIMING.pingIntervalMs);
    tell(run, 'SOCKET.ALIVE');
    expect(run.children['prove']).toBeUndefined();
  });

  test.each([
    ['mute', /mute: its symbols trade/],
    ['failing', /REST could not tell/],
    ['hanging', /REST could not tell/],
  ])('that answers pings and brings no data is given up when the proof is %s', (proof, reason) => {
    const run = doubted();
    if (proof === 'mute') ends(run, 'prove', 'mute');
    else if (proof === 'failing') fails(run, 'prove', new Error('418'));
    else run.pass(DEFAULT_TIMING.proofDeadlineMs);
    expect(downs(run)).toMatchObject([{ reason: expect.stringMatching(reason) }]);
  });

  test('stays when nothing trades, and when a frame comes meanwhile', () => {
    const quiet = doubted();
    ends(quiet, 'prove', 'quiet');
    const talking = doubted();
    expect(received(talking, 'socket').at(-1)).toEqual({ type: 'WATCH' });
    tell(talking, 'SOCKET.FRAME');
    for (const run of [quiet, talking]) {
      expect(at(run, { attached: { live: 'listening' } })).toBe(true);
      expect(downs(run)).toEqual([]);
    }
  });
});

describe('at every reachable moment', () => {
  test('a socket that never says anything more leads to another attempt', () => {
    const bound = DEFAULT_TIMING.pingIntervalMs + DEFAULT_TIMING.proofDeadlineMs;
    const stuck: string[] = [];
    for (const { session, words } of moments(connectionModel)) {
      if (isDone(session as Run) || at(session as Run, { attached: 'closing' })) continue;
      const sockets = new Set([session.children['socket']]);
      for (let ms = 0; ms < bound; ms += 1_000, session.pass(1_000)) sockets.add(session.children['socket']);
      if (sockets.size < 2) stuck.push(words);
    }
    expect(stuck).toEqual([]);
  });

  test('CLOSE ends it within the time given, whatever else happens, and nothing outlives it', () => {
    const ask = { type: 'CLOSE', withinMs: 3_000 };
    expect(unended(connectionModel, { ask, withinMs: 3_000, isOver: isDone })).toEqual([]);
  });
});

describe('the report', () => {
  const closing = (): Run => {
    const run = live();
    say(run, { type: 'CLOSE', withinMs: 3_000 });
    run.pass(40);
    return run;
  };
  test('of a socket that closes', () => {
    const run = closing();
    lost(run, { code: 1000 });
    expect(run.snapshot.output).toEqual({ name: 'connection', outcome: 'closed', durationMs: 40 });
  });

  test('of one that never answers', () => {
    const run = closing();
    run.pass(10_000);
    expect(run.snapshot.output).toEqual({ name: 'connection', outcome: 'forced', durationMs: 3_000 });
  });

  test('of one that fails instead', () => {
    const run = closing();
    fails(run, 'socket', new Error('EPIPE'));
    expect(run.snapshot.output).toEqual({
      name: 'connection',
      outcome: 'failed',
      durationMs: 40,
      error: 'EPIPE',
    });
  });
});
