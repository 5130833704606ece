import { describe, expect, test } from 'vitest';
import { klineStreamModel, toldToCursor } from '../model/kline-stream.model.ts';
import type { Session } from '../model/walk/index.ts';
import { begin, child, ends, fails, isDone, say } from './play.ts';

type Run = Session<never>;
const begun = (): Run => begin(klineStreamModel) as Run;
const tell = (run: Run, ...types: string[]): void => {
  for (const type of types) say(run, { type });
};
// biome-ignore lint/suspicious/noExplicitAny: the value of a region is text or nested
const proof = (run: Run): any => run.snapshot.value['open'].proof;

const FRAME = 'CURSOR.FIRST_FRAME';
const AGAIN = 'CURSOR.FRAME_AGAIN';

test.each([
  ['nothing', [], 'offline'],
  ['a first frame, before the connection is told of', [FRAME], 'live'],
  ['the connection alone', ['FEED.UP'], 'awaiting'],
  ['proof that it does not trade', ['FEED.UP', 'CURSOR.QUIET'], 'quiet'],
  ['a frame after all', ['CURSOR.QUIET', FRAME], 'live'],
  ['proof of quiet while frames come', [FRAME, 'CURSOR.QUIET'], 'live'],
  ['the loss of the connection', [FRAME, 'FEED.DOWN'], 'offline'],
  ['a frame of the next connection', [FRAME, 'FEED.DOWN', FRAME], 'live'],
  ['silence', [FRAME, 'CURSOR.SILENT'], 'doubting'],
  ['a frame into the doubt', [FRAME, 'CURSOR.SILENT', AGAIN], 'elder'],
  ['one of a new connection', [FRAME, 'CURSOR.SILENT', AGAIN, FRAME], 'live'],
  ['a second connection in the making', [FRAME, 'FEED.ROTATING'], 'elder'],
  ['proof of quiet meanwhile', [FRAME, 'FEED.ROTATING', 'CURSOR.QUIET'], 'elder'],
  ['a switch to one on which it has come already', [FRAME, 'FEED.ROTATING', FRAME, 'FEED.SWITCHED'], 'live'],
  ['a switch to one on which it has not', [FRAME, 'FEED.ROTATING', 'FEED.SWITCHED'], 'awaiting'],
  ['a switch while it was quiet', ['FEED.UP', 'CURSOR.QUIET', 'FEED.SWITCHED'], 'awaiting'],
  [
    'a switch, quiet when it began, away from the connection that spoke meanwhile',
    ['FEED.UP', 'CURSOR.QUIET', 'FEED.ROTATING', AGAIN, 'FEED.SWITCHED'],
    'awaiting',
  ],
  ['a first frame ever, of the second connection', ['FEED.UP', 'FEED.ROTATING', FRAME], 'heir'],
  [
    'the loss of that one, before the switch',
    ['FEED.UP', 'FEED.ROTATING', FRAME, 'FEED.ROTATING'],
    'awaiting',
  ],
  [
    'a frame of the elder after that',
    ['FEED.UP', 'FEED.ROTATING', FRAME, 'FEED.ROTATING', AGAIN, FRAME, 'FEED.ROTATING'],
    'elder',
  ],
  ['the switch to it', ['FEED.UP', 'FEED.ROTATING', FRAME, 'FEED.SWITCHED'], 'live'],
  [
    'the switch, and its own rotation',
    ['FEED.UP', 'FEED.ROTATING', 'FEED.SWITCHED', FRAME, 'FEED.ROTATING'],
    'elder',
  ],
  ['its loss with the elder', ['FEED.UP', 'FEED.ROTATING', FRAME, 'FEED.DOWN'], 'offline'],
  ['a frame after the loss of both', ['FEED.UP', 'FEED.ROTATING', 'FEED.DOWN', FRAME], 'live'],
  ['silence of the second connection', ['FEED.UP', 'FEED.ROTATING', FRAME, 'CURSOR.SILENT'], 'doubting'],
  ['proof of quiet beside it', ['FEED.UP', 'FEED.ROTATING', FRAME, 'CURSOR.QUIET'], 'heir'],
  ['frames that cannot be understood', ['FEED.UP', 'CURSOR.GARBLED'], 'garbled'],
  ['one that can be', ['FEED.UP', 'CURSOR.GARBLED', FRAME], 'live'],
])('after %s it is as live as that proves', (_, types, state) => {
  const run = begun();
  tell(run, ...types);
  expect(proof(run)).toBe(state);
  expect(run.snapshot.hasTag('live')).toBe(['live', 'quiet', 'elder', 'heir'].includes(state));
});

test.each([
  ['live', [FRAME], true],
  ['live by an elder connection', [FRAME, 'CURSOR.SILENT', AGAIN], true],
  ['live by the second connection alone', ['FEED.UP', 'FEED.ROTATING', FRAME], false],
  ['quiet', ['FEED.UP', 'CURSOR.QUIET'], false],
  ['awaiting proof', ['FEED.UP'], false],
])('while it is %s, its cursor hears of each second connection in the making', (_, types, isLive) => {
  const run = begun();
  tell(run, ...types, 'FEED.ROTATING');
  expect(toldToCursor(run.actor)?.at(-1)).toEqual({ type: 'SUCCESSION', isLive });
});

describe('a stream without a frame', () => {
  const asked = (): Run => {
    const run = begun();
    tell(run, 'FEED.UP');
    run.pass(2_000);
    return run;
  };
  const mutes = (run: Run): unknown[] => run.heard.filter(({ type }) => type === 'STREAM.MUTE');
  const again = (value: boolean) => ({
    type: 'STREAM.MUTE',
    id: 'BTCUSDT@1m',
    stream: 'btcusdt@kline_1m',
    again: value,
  });

  test('is asked about once the delay of proof is over, and not before', () => {
    const run = begun();
    tell(run, 'FEED.UP');
    run.pass(1_999);
    expect(run.children['proveStream']).toBeUndefined();
    run.pass(1);
    expect(run.children['proveStream']).toBeDefined();
    expect(proof(run)).toBe('asking');
    tell(run, FRAME);
    expect(proof(run)).toBe('live');
    expect(run.survivors()).not.toContain('proveStream');
  });

  test('is asked about again after a failure, ever more rarely, and never earlier than the exchange says', () => {
    const run = asked();
    const pauses: number[] = [];
    for (const retryAfterMs of [0, 0, 0, 120_000, 0]) {
      fails(run, 'proveStream', { retryAfterMs });
      expect(run.snapshot.hasTag('live')).toBe(false);
      const since = run.clock.now();
      while (run.children['proveStream']?.getSnapshot().status !== 'active') run.pass(125);
      pauses.push(run.clock.now() - since);
    }
    expect(pauses).toEqual([1_125, 2_250, 4_500, 120_000, 18_000]);
  });

  test('that is quiet is asked about again after the silence, doubled up to ten minutes', () => {
    const run = asked();
    ends(run, 'proveStream', 'quiet');
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const since = run.clock.now();
      while (proof(run) === 'quiet') run.pass(1_000);
      pauses.push((run.clock.now() - since) / 60_000);
      ends(run, 'proveStream', 'quiet');
    }
    expect(pauses).toEqual([1, 2, 4, 8, 10, 10]);
    tell(run, 'FEED.DOWN', 'FEED.UP');
    run.pass(2_000);
    ends(run, 'proveStream', 'quiet');
    run.pass(60_000);
    expect(proof(run)).toBe('doubting');
  });

  test('that is mute is reported once, given its chance, then reported again, each time later', () => {
    const run = asked();
    ends(run, 'proveStream', 'mute');
    expect(mutes(run)).toEqual([again(false)]);
    expect(run.snapshot.hasTag('mute')).toBe(true);
    const pauses: number[] = [];
    for (let i = 0; i < 10; i++) {
      const since = run.clock.now();
      while (proof(run).mute === 'waiting') run.pass(500);
      pauses.push((run.clock.now() - since) / 1_000);
      ends(run, 'proveStream', 'mute');
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
    expect(mutes(run).slice(1)).toEqual(Array.from({ length: 10 }, () => again(true)));
  });

  test('that is mute on the next connection too is not reported at once, but after its pause', () => {
    const run = asked();
    ends(run, 'proveStream', 'mute');
    run.pass(2_000);
    ends(run, 'proveStream', 'mute');
    tell(run, 'FEED.DOWN', 'FEED.UP');
    run.pass(2_000);
    ends(run, 'proveStream', 'mute');
    expect(mutes(run)).toHaveLength(2);
    run.pass(8_000);
    ends(run, 'proveStream', 'mute');
    expect(mutes(run)).toEqual([again(false), again(true), again(true)]);
  });

  test('that was mute and speaks is live, and its next silence begins with the mildest remedy', () => {
    const run = asked();
    ends(run, 'proveStream', 'mute');
    tell(run, FRAME);
    expect(proof(run)).toBe('live');
    tell(run, 'CURSOR.SILENT');
    ends(run, 'proveStream', 'mute');
    expect(mutes(run)).toEqual([again(false), again(false)]);
  });

  test('that was mute, then quiet, is mute again without another first report', () => {
    const run = asked();
    ends(run, 'proveStream', 'mute');
    run.pass(2_000);
    ends(run, 'proveStream', 'quiet');
    run.pass(60_000);
    expect(proof(run)).toBe('doubting');
    ends(run, 'proveStream', 'mute');
    expect(proof(run)).toEqual({ mute: 'waiting' });
    expect(mutes(run)).toEqual([again(false)]);
  });

  test('is asked about in vain with the shortest pause again on the next connection', () => {
    const run = asked();
    for (let i = 0; i < 3; i++) {
      fails(run, 'proveStream', new Error('503'));
      run.pass(30_000);
    }
    tell(run, 'FEED.DOWN', 'FEED.UP');
    run.pass(2_000);
    fails(run, 'proveStream', new Error('503'));
    run.pass(1_124);
    expect(proof(run)).toBe('unanswered');
    run.pass(1);
    expect(proof(run)).toBe('asking');
  });

  test('that was mute and of which REST fails stays mute, and nobody is told', () => {
    const run = asked();
    ends(run, 'proveStream', 'mute');
    run.pass(2_000);
    fails(run, 'proveStream', { retryAfterMs: 60_000 });
    expect(proof(run)).toEqual({ mute: 'waiting' });
    run.pass(59_999);
    expect(proof(run)).toEqual({ mute: 'waiting' });
    run.pass(1);
    expect(proof(run)).toEqual({ mute: 'checking' });
    expect(mutes(run)).toHaveLength(1);
  });

  test('is asked about from now on while fresh, and from the last that was known when it had spoken', () => {
    const run = asked();
    const since = (): unknown => child(run, 'proveStream').getSnapshot().input.since;
    expect(since()).toBe('now');
    ends(run, 'proveStream', 'quiet');
    run.pass(60_000);
    expect(since()).toBe('last');
    ends(run, 'proveStream', 'mute');
    run.pass(2_000);
    expect(since()).toBe('now');
    tell(run, FRAME, 'CURSOR.SILENT');
    expect(since()).toBe('last');
    expect(run.snapshot.hasTag('live')).toBe(false);
  });
});

describe('a hole', () => {
  const holed = (): Run => {
    const run = begun();
    tell(run, 'CURSOR.FIRST_FRAME', 'CURSOR.HOLE');
    return run;
  };

  test('is repaired at once, whether or not the connection lives', () => {
    const run = holed();
    const repair = child(run, 'repair');
    tell(run, 'FEED.DOWN', 'CURSOR.HOLE');
    expect(child(run, 'repair')).toBe(repair);
    ends(run, 'repair', { owed: 0 });
    expect(run.snapshot.hasTag('repairing')).toBe(false);
  });

  const pausesAfter = (each: (run: Run) => void): number[] => {
    const run = holed();
    return Array.from({ length: 8 }, () => {
      each(run);
      const since = run.clock.now();
      while (run.children['repair'] === undefined) run.pass(125);
      return run.clock.now() - since;
    });
  };

  test('is tried again after a pause that doubles up to 30 s as long as REST fails', () => {
    const pauses = pausesAfter((run) => fails(run, 'repair', new Error('418')));
    expect(pauses).toEqual([1_125, 2_250, 4_500, 9_000, 18_000, 33_750, 33_750, 33_750]);
  });

  test('is asked for every few seconds as long as REST answers and lacks it', () => {
    const pauses = pausesAfter((run) => ends(run, 'repair', { owed: 1, taken: 0 }));
    expect(pauses).toEqual([1_125, 2_250, 4_500, 5_625, 5_625, 5_625, 5_625, 5_625]);
  });

  test('is tried again no earlier than the exchange allows', () => {
    const pauses = pausesAfter((run) => fails(run, 'repair', { retryAfterMs: 60_000 }));
    expect(pauses).toEqual(Array.from({ length: 8 }, () => 60_000));
  });

  test.each([
    [
      'REST failed, and then answered without it',
      { owed: 1, taken: 0 },
      (run: Run) => fails(run, 'repair', 1),
    ],
    [
      'REST lacked it, and then had some of it',
      { owed: 1, taken: 1 },
      (run: Run) => ends(run, 'repair', { owed: 1, taken: 0 }),
    ],
  ])('is waited for with the shortest pause again after %s', (_, answer, before) => {
    const run = holed();
    for (let i = 0; i < 3; i++) {
      before(run);
      run.pass(60_000);
    }
    ends(run, 'repair', answer);
    run.pass(1_124);
    expect(run.children['repair']).toBeUndefined();
    run.pass(1);
    fails(run, 'repair', new Error('503'));
    run.pass(1_125);
    expect(run.children['repair']).toBeDefined();
  });

  test('that is filled lets the next one begin with the shortest pause', () => {
    const run = holed();
    for (let i = 0; i < 4; i++) {
      ends(run, 'repair', { owed: 1 });
      run.pass(60_000);
    }
    ends(run, 'repair', { owed: 0 });
    tell(run, 'CURSOR.HOLE');
    ends(run, 'repair', { owed: 1 });
    run.pass(1_125);
    expect(run.children['repair']).toBeDefined();
  });
});

describe('its end', () => {
  test('comes with its symbol: the cursor is told, and when all is whole it ends as retired', () => {
    const run = begun();
    tell(run, FRAME, 'CURSOR.HOLE');
    say(run, { type: 'RETIRE', endTime: 1_700_000_000_000 });
    expect(toldToCursor(run.actor)).toEqual([{ type: 'RETIRE', endTime: 1_700_000_000_000 }]);
    expect(isDone(run)).toBe(false);
    tell(run, 'CURSOR.ENDED');
    expect(toldToCursor(run.actor)).toBeUndefined();
    expect(run.snapshot.output).toEqual({
      name: 'BTCUSDT@1m',
      outcome: 'closed',
      durationMs: 0,
      retired: true,
    });
  });

  test('that was asked for is none of a symbol', () => {
    const run = begun();
    tell(run, 'CLOSE');
    expect(run.snapshot.output).toEqual({ name: 'BTCUSDT@1m', outcome: 'closed', durationMs: 0 });
  });

  test('is a failure when its cursor fails', () => {
    const run = begun();
    say(run, { type: 'CURSOR.FAILED', error: new Error('boom') });
    expect(run.snapshot.output).toMatchObject({ name: 'BTCUSDT@1m', outcome: 'failed' });
  });
});
