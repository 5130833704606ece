import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { Quota } from '../../src/actors/quota.ts';
import { callActor, releaseActor } from '../../src/actors/rest-session.ts';
import { commitActor, openStoreActor, sealStoreActor } from '../../src/actors/store.ts';
import { Audits } from '../../src/pipeline/audits.ts';
import { CommitTimes } from '../../src/pipeline/commit-times.ts';
import { OpenGaps } from '../../src/pipeline/open-gaps.ts';
import type { HttpRequest } from '../../src/ports.ts';
import type { StoreWriter } from '../../src/store/writer.ts';
import { at, BTC, bar, ETH, rig } from '../pipeline/candles.ts';
import { within } from '../support/wait.ts';
import { FakeClock, settle } from '../transport/fake-clock.ts';
import { run } from './harness.ts';

/** Actors over a writer whose answers are given by hand. */
function store() {
  const one = rig({ series: [BTC, ETH] });
  const commits: { rows: number; done: () => void; fail: (error: Error) => void }[] = [];
  const calls: string[] = [];
  const writer: StoreWriter = {
    async open() {
      calls.push('open');
      return { watermarks: [{ ...BTC, openTime: at(4), wholeFrom: at(0) }], gaps: [] };
    },
    commit: (rows) =>
      new Promise<void>((done, fail) => {
        commits.push({ rows: rows.length, done, fail });
      }),
    load: async () => ({ inserted: 0, filled: 0 }),
    missing: async () => [],
    gaps: async () => [],
    async close() {
      calls.push('close');
    },
    async terminate() {
      calls.push('terminate');
    },
  };
  const openGaps = new OpenGaps({ random: () => 0 });
  const audits = new Audits({
    timeScale: 1,
    random: () => 0,
    held: () => undefined,
    stored: () => undefined,
  });
  const ports = {
    ...one,
    writer,
    audits,
    openGaps,
    commitTimes: new CommitTimes(),
    now: () => one.time.monotonic,
    exchangeNow: () => one.time.exchange,
    onOpen: () => void calls.push('onOpen'),
  };
  const delivered: number[] = [];
  one.delivery.listeners.on('candle', (candle) => delivered.push(candle.openTime));
  const add = (...indices: number[]): void => {
    for (const index of indices) one.rows.offer({ candle: bar(at(index)) });
  };
  return { ...one, ports, commits, calls, delivered, add };
}

describe('an opening', () => {
  test('tells which gaps of earlier runs are to be asked for again', async () => {
    const { ports, calls } = store();
    const gap = { ...BTC, fromOpenTime: at(1), toOpenTime: at(2), reason: 'none', detectedAt: 1 };
    const open = ports.writer.open.bind(ports.writer);
    ports.writer.open = async () => ({ ...(await open()), gaps: [gap] });
    await run(openStoreActor(ports));
    expect(calls).toEqual(['open', 'onOpen']);
    expect(ports.openGaps.next(3_600_000, () => true)).toEqual({ gap, rows: 2 });
  });
});

describe('a commit', () => {
  test('lets the rows go to the consumers only when it is done', async () => {
    const { ports, commits, rows, delivered, add } = store();
    add(0, 1, 2);
    const committing = run(commitActor(ports));
    await settle();
    expect(commits[0]?.rows).toBe(3);
    expect([rows.size, delivered.length]).toEqual([3, 0]);
    // What comes meanwhile is of the next.
    add(3);
    commits[0]?.done();
    await committing;
    expect([rows.size, delivered]).toEqual([1, [at(0), at(1), at(2)]]);
  });

  test('that fails keeps every row and delivers none', async () => {
    const { ports, commits, rows, delivered, add, time } = store();
    add(0, 1);
    const logic = commitActor(ports);
    const committing = run(logic);
    await settle();
    time.monotonic = 5_000;
    commits[0]?.fail(new Error('disk full'));
    await expect(committing).rejects.toThrow('disk full');
    expect([ports.commitTimes.stuckMs(5_000), ports.commitTimes.took.read().count]).toEqual([5_000, 0]);
    expect([rows.size, delivered]).toEqual([2, []]);
    const again = run(logic);
    await settle();
    time.monotonic = 5_030;
    commits[1]?.done();
    await again;
    expect(ports.commitTimes.stuckMs(9_000)).toBe(0);
    expect(ports.commitTimes.took.read()).toMatchObject({ count: 1, last: 30 });
    expect([rows.size, delivered]).toEqual([0, [at(0), at(1)]]);
  });

  test('waits for one under way, though whoever asked for that has gone: no row is let go twice', async () => {
    const { ports, commits, rows, delivered, add } = store();
    add(0, 1);
    const logic = commitActor(ports);
    const first = createActor(logic).start();
    await settle();
    first.stop();
    const second = run(logic);
    await settle();
    expect(commits).toHaveLength(1);
    add(2);
    commits[0]?.done();
    await settle();
    expect(commits[1]?.rows).toBe(1);
    commits[1]?.done();
    await within('the second', second);
    expect([rows.size, delivered]).toEqual([0, [at(0), at(1), at(2)]]);
  });

  test('of nothing is none', async () => {
    const { ports, commits } = store();
    await run(commitActor(ports));
    expect(commits).toEqual([]);
  });
});

describe('opening and closing', () => {
  test('puts every series behind what is stored, then lets consumers read', async () => {
    const { ports, pipeline, calls } = store();
    await run(openStoreActor(ports));
    expect(pipeline.cursor(BTC)?.due).toBe(at(5));
    expect(pipeline.cursor(ETH)?.due).toBeUndefined();
    expect(calls).toEqual(['open', 'onOpen']);
  });

  test('ends the thread when the closing is cut short, and only then', async () => {
    const { ports, calls } = store();
    await run(sealStoreActor(ports));
    expect(calls).toEqual(['close']);
    const endless = { ...ports, writer: { ...ports.writer, close: () => new Promise<void>(() => {}) } };
    const cut = createActor(sealStoreActor(endless)).start();
    await settle();
    cut.stop();
    expect(calls).toEqual(['close', 'terminate']);
  });
});

describe('a call of the REST session', () => {
  const request = { path: '/fapi/v1/klines', params: { symbol: '币', limit: 1 }, weight: 1 };
  const waiter = { resolve: () => {}, reject: () => {} };
  function http(text: string, status = 200) {
    const asked: HttpRequest[] = [];
    const client = {
      async get(one: HttpRequest) {
        asked.push(one);
        return { status, headers: new Headers(), bytes: Buffer.from(text), text };
      },
      async close() {},
    };
    const clock = new FakeClock();
    return {
      asked,
      logic: callActor({
        clock,
        http: () => client,
        restUrl: () => 'https://h',
        quota: () => new Quota(clock),
      }),
    };
  }

  test('asks for the URL within ten seconds and a bound, and reads the answer', async () => {
    const { asked, logic } = http('[1]');
    expect(await run(logic, { request: { ...request, ...waiter }, tries: 0 })).toEqual([1]);
    expect(asked[0]).toMatchObject({
      url: 'https://h/fapi/v1/klines?symbol=%E5%B8%81&limit=1',
      timeoutMs: 10_000,
      maxBytes: 16 * 1_048_576,
    });
  });

  test('makes an error of any other status', async () => {
    const { logic } = http('{"code":-1121,"msg":"Invalid symbol."}', 400);
    await expect(run(logic, { request: { ...request, ...waiter }, tries: 0 })).rejects.toMatchObject({
      code: '-1121',
      status: 400,
      retryable: false,
    });
  });

  test('sends nothing for a waiter that has gone, and is ended by one that goes', async () => {
    const { asked, logic } = http('[]');
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(run(logic, { request: { ...request, ...waiter, signal }, tries: 0 })).rejects.toThrow(
      'gone',
    );
    expect(asked).toEqual([]);
    const mine = new AbortController();
    await run(logic, { request: { ...request, ...waiter, signal: mine.signal }, tries: 0 });
    expect(asked[0]?.signals?.some((one) => one.aborted)).toBe(false);
    mine.abort();
    expect(asked[0]?.signals?.some((one) => one.aborted)).toBe(true);
  });

  test('releases its connections', async () => {
    let closed = 0;
    await run(
      releaseActor(async () => {
        closed += 1;
      }),
    );
    expect(closed).toBe(1);
  });
});
