import { describe, expect, test } from 'vitest';
import { type ConnectionTiming, DEFAULT_TIMING } from '../../machines/connection.types.ts';
import type { Ending } from '../../machines/model/backoff.ts';
import { connectionModel } from '../model/connection.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, moments, received, say } from './play.ts';

type Run = Session<never>;
const at = (run: Run, state: object | string): boolean => run.snapshot.matches(state as never);
const tell = (run: Run, ...types: string[]): void => {
  for (const type of types) run.actor.send({ type });
};
const lost = (run: Run, end: Ending = { code: 1006 }): void =>
  say(run, { type: 'SOCKET.CLOSED', end, cause: 'closed', reason: 'lost' });
const waiting = (timing: Partial<ConnectionTiming> = {}): Run =>
  begin({
    ...connectionModel,
    input: (env, clock) => ({
      ...connectionModel.input!(env, clock),
      timing: { ...DEFAULT_TIMING, ...timing },
    }),
  }) as Run;
const permit = (run: Run): void => ends(run, 'permit');
const begun = (timing?: Partial<ConnectionTiming>): Run => {
  const run = waiting(timing);
  permit(run);
  return run;
};
/** Lets the backoff pass, and allows the next dial at once. */
const redial = (run: Run): void => {
  // No timer is shorter than a millisecond.
  run.pass(Math.max(1, run.snapshot.context['retryMs']));
  permit(run);
};
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
      redial(run);
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
    expect(run.children['permit']).toBeUndefined();
    run.pass(1);
    permit(run);
    expect(child(run, 'socket')).not.toBe(first);
  });

  test('an open, an acknowledgement and a first frame do not reset the backoff', () => {
    const run = begun();
    for (const types of [[], ['SOCKET.OPENED'], ['SOCKET.OPENED', 'SOCKET.ACKED']]) {
      tell(run, ...types);
      lost(run);
      redial(run);
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
      redial(run);
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
    expect(at(run, 'permitting')).toBe(true);
  });

  test('T04 waits longer than a timer can, when it was told so', () => {
    const run = begun();
    const month = 30 * 86_400_000;
    lost(run, { code: 1006, status: 418, retryAfterMs: month });
    run.pass(month - 1);
    expect(at(run, 'waiting')).toBe(true);
    run.pass(1);
    expect(at(run, 'permitting')).toBe(true);
  });

  test.each([
    ['1001', { code: 1001 }],
    ['an end that the server had announced', { code: 1006, announced: true }],
  ])('comes at once after %s, and with backoff when that goes on', (_, end) => {
    const run = begun();
    for (let i = 0; i < 3; i++) {
      lost(run, end as Ending);
      redial(run);
    }
    expect(downs(run).map((event) => event['retryMs'])).toEqual([0, 500, 1_000]);
  });
});

describe('a permit', () => {
  test('comes before every dial; waiting for it is no failed dial and costs no time to open', () => {
    const run = waiting();
    run.pass(600_000);
    expect([run.children['socket'], run.heard]).toEqual([undefined, []]);
    permit(run);
    run.pass(DEFAULT_TIMING.openTimeoutMs - 1);
    tell(run, 'SOCKET.OPENED', 'SOCKET.FRAME');
    expect(run.heard).toEqual([
      {
        type: 'CONNECTION.UP',
        id: 'connection',
        proof: 'frame',
        openedAt: 600_000 + DEFAULT_TIMING.openTimeoutMs - 1,
      },
    ]);
  });

  test('that is refused is asked for again after the backoff', () => {
    const run = waiting();
    fails(run, 'permit', new Error('too many wait'));
    expect(downs(run)).toMatchObject([{ reason: 'may not dial: too many wait', retryMs: 250 }]);
    redial(run);
    expect(at(run, { attached: 'opening' })).toBe(true);
  });

  test('is no longer waited for after CLOSE', () => {
    const run = waiting();
    say(run, { type: 'CLOSE', withinMs: 3_000 });
    expect([isDone(run), run.survivors()]).toEqual([true, []]);
  });
});

describe('what it carries', () => {
  const commands = (run: Run) => received(run, 'socket').filter(({ type }) => type.endsWith('SCRIBE'));
  const change = (type: string, ...streams: string[]) => ({ type, streams });

  test('changes on an open socket, and the next socket carries what is wanted then', () => {
    const run = live();
    const changes = [
      change('SUBSCRIBE', 'a', 'b'),
      change('UNSUBSCRIBE', 'btcusdt@kline_1m'),
      change('RESUBSCRIBE', 'a'),
    ];
    for (const one of changes) say(run, one);
    expect(commands(run)).toEqual([change('SUBSCRIBE', 'btcusdt@kline_1m'), ...changes]);
    lost(run);
    redial(run);
    tell(run, 'SOCKET.OPENED');
    expect(commands(run)).toEqual([change('SUBSCRIBE', 'a', 'b')]);
  });

  test.each([
    ['while it waits for a permit', waiting],
    ['while it dials', begun],
  ])('may change %s: the socket is asked for it when it opens', (_, from) => {
    const run = from();
    say(run, change('SUBSCRIBE', 'a', 'a'));
    say(run, change('UNSUBSCRIBE', 'btcusdt@kline_1m'));
    if (run.children['permit'] !== undefined) permit(run);
    tell(run, 'SOCKET.OPENED');
    expect(commands(run)).toEqual([change('SUBSCRIBE', 'a')]);
  });

  test('is given up with an alarm when the feed says so', () => {
    const run = live();
    say(run, { type: 'RECYCLE', reason: 'mute: a on /route' });
    expect(downs(run)).toMatchObject([{ reason: 'mute: a on /route', alarming: true, retryMs: 250 }]);
    expect(run.children['socket']).toBeUndefined();
  });

  test('a notice of the server is passed on, and the socket used on', () => {
    const run = live();
    say(run, { type: 'SOCKET.NOTICE', reason: 'serverShutdown' });
    expect(run.heard.at(-1)).toEqual({
      type: 'CONNECTION.LEAVING',
      id: 'connection',
      reason: 'serverShutdown',
    });
    expect(downs(run)).toEqual([]);
  });
});

describe('proof of life', () => {
  test('an open, acknowledged socket is not up; its first frame makes it so', () => {
    const run = begun();
    tell(run, 'SOCKET.OPENED', 'SOCKET.ACKED');
    expect(run.heard).toEqual([]);
    tell(run, 'SOCKET.FRAME');
    expect(run.heard).toMatchObject([{ type: 'CONNECTION.UP', id: 'connection', proof: 'frame' }]);
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
    expect(run.heard).toMatchObject([
      {
        type: 'CONNECTION.DOWN',
        reason: 'mute: its symbols trade, but no frame came on /route',
        alarming: true,
      },
    ]);
  });

  test('one that is quiet, since nothing trades, is up', () => {
    const run = begun();
    tell(run, 'SOCKET.OPENED', 'SOCKET.ACKED');
    run.pass(DEFAULT_TIMING.proofDelayMs);
    ends(run, 'prove', 'quiet');
    expect(run.heard).toMatchObject([{ type: 'CONNECTION.UP', id: 'connection', proof: 'quiet' }]);
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
      expect(run.survivors()).toEqual(['timer xstate.after.backoff.connection.waiting.resting']);
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

  test('that answers pings and brings no data is given up with an alarm when the proof is mute', () => {
    const run = doubted();
    ends(run, 'prove', 'mute');
    expect(downs(run)).toMatchObject([
      { reason: expect.stringMatching(/^mute: .* \/route$/), alarming: true },
    ]);
  });

  /** Pings are answered for so long. */
  const answer = (run: Run, forMs: number, each = (): void => {}): void => {
    for (let ms = 0; ms < forMs; ms += 1_000, run.pass(1_000)) {
      each();
      if (at(run, { attached: { open: { live: { heartbeat: 'pinging' } } } })) tell(run, 'SOCKET.ALIVE');
    }
  };

  test.each(['failing', 'hanging'])(
    'that answers pings and brings no data is given up at the deadline when the proof is %s',
    (proof) => {
      const run = doubted();
      let asked = 0;
      answer(run, DEFAULT_TIMING.proofDeadlineMs, () => {
        if (proof === 'hanging' || run.children['prove'] === undefined) return;
        asked += 1;
        fails(run, 'prove', new Error('418'));
      });
      expect(downs(run)).toMatchObject([{ reason: 'silent, and REST could not tell why' }]);
      if (proof === 'failing') expect(asked).toBeGreaterThan(10);
    },
  );

  test('that is half-open is found as soon while its data is doubted', () => {
    const run = doubted();
    run.pass(DEFAULT_TIMING.pingIntervalMs + DEFAULT_TIMING.pongTimeoutMs);
    expect(downs(run)).toMatchObject([{ reason: 'half-open: no sign of life' }]);
  });

  test('is asked for a sign of life at once after the machine slept', () => {
    const run = live();
    tell(run, 'PROBE');
    expect(received(run, 'socket').at(-1)).toEqual({ type: 'PING' });
    run.pass(DEFAULT_TIMING.pongTimeoutMs);
    expect(downs(run)).toMatchObject([{ reason: 'half-open: no sign of life' }]);
  });

  test('stays when a frame comes meanwhile', () => {
    const run = doubted();
    expect(received(run, 'socket').at(-1)).toEqual({ type: 'WATCH' });
    tell(run, 'SOCKET.FRAME');
    expect(at(run, { attached: { open: { live: { data: 'flowing' } } } })).toBe(true);
    expect(downs(run)).toEqual([]);
  });

  test('stays when nothing trades, is up once, and is asked about again only after as long a silence', () => {
    const run = doubted();
    ends(run, 'prove', 'quiet');
    answer(run, DEFAULT_TIMING.silenceMs - 1_000);
    expect(run.children['prove']).toBeUndefined();
    run.pass(1_000);
    ends(run, 'prove', 'quiet');
    expect(run.heard.map((event) => event.type)).toEqual(['CONNECTION.UP']);
  });
});

describe('at every reachable moment', () => {
  test('a socket that never says anything more leads to another attempt', () => {
    const bound = DEFAULT_TIMING.pingIntervalMs + DEFAULT_TIMING.proofDeadlineMs;
    const stuck: string[] = [];
    for (const { session, words } of moments(connectionModel)) {
      if (isDone(session as Run) || at(session as Run, { attached: 'closing' })) continue;
      const sockets = new Set([session.children['socket']]);
      // A ban may be told for a month.
      const patience = Number(session.snapshot.context['dueAt'] ?? 0) - session.clock.now();
      if (patience > bound) session.pass(patience);
      for (let ms = 0; ms < bound; ms += 1_000, session.pass(1_000)) {
        if (session.children['permit'] !== undefined) permit(session as Run);
        sockets.add(session.children['socket']);
      }
      if (sockets.size < 2) stuck.push(words);
    }
    expect(stuck).toEqual([]);
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
