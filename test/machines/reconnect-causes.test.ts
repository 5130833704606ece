/** Why connections are given up: what a chart says of each ending, and which of them a feed counts. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_TIMING } from '../../machines/connection.types.ts';
import type { ReconnectCause } from '../../machines/model/reconnect.ts';
import { connectionModel } from '../model/connection.model.ts';
import { feedModel } from '../model/feed.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, ends, fails, say } from './play.ts';

type Run = Session<never>;

describe('a connection says why it was given up', () => {
  const dialled = (): Run => {
    const run = begin(connectionModel) as Run;
    ends(run, 'permit');
    return run;
  };
  const heard = (...types: string[]): Run => {
    const run = dialled();
    for (const type of types) run.actor.send({ type });
    return run;
  };
  const live = (): Run => heard('SOCKET.OPENED', 'SOCKET.ACKED', 'SOCKET.FRAME');
  const proving = (): Run => {
    const run = heard('SOCKET.OPENED', 'SOCKET.ACKED');
    run.pass(DEFAULT_TIMING.proofDelayMs);
    return run;
  };

  const ENDINGS: readonly [string, ReconnectCause, () => Run, (run: Run) => void][] = [
    [
      'the socket closed',
      'closed',
      live,
      (run) => say(run, { type: 'SOCKET.CLOSED', end: { code: 1006 }, cause: 'closed', reason: '' }),
    ],
    [
      'its frames could not be understood',
      'garbled',
      live,
      (run) => say(run, { type: 'SOCKET.CLOSED', end: { code: 0 }, cause: 'garbled', reason: '' }),
    ],
    [
      'the handshake is not answered',
      'unreachable',
      dialled,
      (run) => run.pass(DEFAULT_TIMING.openTimeoutMs),
    ],
    [
      'the subscription is refused',
      'unacknowledged',
      () => heard('SOCKET.OPENED'),
      (run) => say(run, { type: 'SOCKET.REFUSED', reason: 'code 2' }),
    ],
    [
      'the subscription is not acknowledged',
      'unacknowledged',
      () => heard('SOCKET.OPENED'),
      (run) => run.pass(DEFAULT_TIMING.ackTimeoutMs),
    ],
    [
      'no pong comes',
      'silent',
      live,
      (run) => {
        run.pass(DEFAULT_TIMING.pingIntervalMs);
        run.pass(DEFAULT_TIMING.pongTimeoutMs);
      },
    ],
    [
      'no data comes and REST fails',
      'silent',
      proving,
      (run) => {
        for (let ms = 0; ms < DEFAULT_TIMING.proofDeadlineMs; ms += 1_000, run.pass(1_000))
          if (run.children['prove']) fails(run, 'prove', new Error('418'));
      },
    ],
    ['its symbols trade and no data comes', 'mute', proving, (run) => ends(run, 'prove', 'mute')],
    ['one of its streams stays mute', 'mute', live, (run) => say(run, { type: 'RECYCLE', reason: 'mute' })],
    ['the socket fails', 'failed', live, (run) => fails(run, 'socket', new Error('boom'))],
    [
      'it may not dial',
      'failed',
      () => begin(connectionModel) as Run,
      (run) => fails(run, 'permit', new Error('full')),
    ],
  ];
  test.each(ENDINGS)('%s: %s', (_, cause, start, end) => {
    const run = start();
    end(run);
    expect(run.heard.filter(({ type }) => type === 'CONNECTION.DOWN')).toMatchObject([{ cause }]);
  });
});

describe('a feed counts the connections that were given up', () => {
  const counted: ReconnectCause[] = [];
  const up = (): Run => {
    counted.length = 0;
    const run = begin({
      ...feedModel,
      input: (env, clock) => ({
        ...feedModel.input!(env, clock),
        onReconnect: (cause: ReconnectCause) => counted.push(cause),
      }),
    }) as Run;
    isUp(run, 'feed.a');
    return run;
  };
  const isUp = (run: Run, id: string): void =>
    say(run, { type: 'CONNECTION.UP', id, proof: 'frame', openedAt: run.clock.now() });
  const isDown = (run: Run, id: string, cause: ReconnectCause): void =>
    say(run, { type: 'CONNECTION.DOWN', id, cause, reason: '', retryMs: 500, alarming: false });
  const isLeaving = (run: Run): void =>
    say(run, { type: 'CONNECTION.LEAVING', id: 'feed.a', reason: 'serverShutdown' });

  test('every attempt, by its cause', () => {
    const run = up();
    for (const cause of ['closed', 'refused', 'unreachable'] as const) isDown(run, 'feed.a', cause);
    expect(counted).toEqual(['closed', 'refused', 'unreachable']);
  });

  test('not the one that it asked to close', () => {
    const run = up();
    say(run, { type: 'CLOSE', withinMs: 3_000 });
    isDown(run, 'feed.a', 'closed');
    ends(run, 'feed.a', { name: 'feed.a', outcome: 'closed', durationMs: 1 });
    expect(counted).toEqual([]);
  });

  test('not a predecessor that goes while its successor is there already', () => {
    const run = up();
    isLeaving(run);
    isUp(run, 'feed.b');
    isDown(run, 'feed.a', 'announced');
    expect(counted).toEqual([]);
  });

  test('a successor that is lost while both overlap', () => {
    const run = up();
    isLeaving(run);
    isUp(run, 'feed.b');
    isDown(run, 'feed.b', 'silent');
    expect(counted).toEqual(['silent']);
  });

  test('one that goes before its successor is there, and successors that fail', () => {
    const run = up();
    isLeaving(run);
    isDown(run, 'feed.b', 'refused');
    isDown(run, 'feed.a', 'announced');
    expect(counted).toEqual(['refused', 'announced']);
  });

  test('a successor that breaks or ends of itself: a fault of ours', () => {
    const run = up();
    isLeaving(run);
    fails(run, 'feed.b', new Error('boom'));
    run.pass(1_000);
    ends(run, 'feed.b', { name: 'feed.b', outcome: 'closed', durationMs: 1 });
    expect(counted).toEqual(['failed', 'failed']);
    expect(run.heard.slice(1).map(({ fields }) => fields)).toEqual([
      { feed: 'feed', reason: 'feed.b failed: boom', retryMs: 1_000 },
      { feed: 'feed', reason: 'feed.b ended: closed', retryMs: 1_000 },
    ]);
  });

  test('a child that fails costs the connection: a fault of ours', () => {
    const run = up();
    fails(run, 'feed.a', new Error('boom'));
    run.pass(1_000);
    ends(run, 'feed.a', { name: 'feed.a', outcome: 'closed', durationMs: 1 });
    expect(counted).toEqual(['failed', 'failed']);
  });
});
