/** How long something is left alone: the exchange after its own word, a request that failed, a stream that does not speak. */
import { describe, expect, test } from 'vitest';
import { type Hold, heldBy, holdsLeft, refusalPause, withHold } from '../../../machines/model/hold.ts';
import { lackDelay, mutePause, quietPause } from '../../../machines/model/proof.ts';
import { fateOf, retryDelay } from '../../../machines/model/rest-failure.ts';

const TIMES = [0, 1, 2, 3, 4, 5, 6, 7, 20, 2_000];

describe('a pause that the exchange imposed', () => {
  const hold = (kind: Hold['kind'], until: number): Hold => ({ kind, until, reason: `${kind} to ${until}` });

  test('is in force until its end, and not at it', () => {
    const holds = [hold('limited', 100)];
    expect(heldBy(holds, 99)).toEqual({ kind: 'limited', forMs: 1, reason: 'limited to 100' });
    expect(heldBy(holds, 98.5)).toMatchObject({ forMs: 2 });
    expect([heldBy(holds, 100), holdsLeft(holds, 100)]).toEqual([undefined, []]);
  });

  test('is told as the gravest there is, and lasts as long as the last of them', () => {
    const graver: readonly Hold['kind'][] = ['limited', 'forbidden', 'restricted', 'banned'];
    let holds: readonly Hold[] = [];
    for (const [index, kind] of graver.entries()) {
      holds = withHold(holds, hold(kind, 100 - index));
      expect(heldBy(holds, 10)).toEqual({ kind, forMs: 90, reason: `${kind} to ${100 - index}` });
    }
    expect(heldBy(holds, 98)).toMatchObject({ kind: 'forbidden', forMs: 2 });
    expect(holdsLeft(holds, 98).map(({ until }) => until)).toEqual([100, 99]);
  });

  test('gives way to a longer one of its kind, never to a shorter one', () => {
    const first = [hold('banned', 100), hold('limited', 50)];
    expect(withHold(first, hold('banned', 99))).toBe(first);
    expect(withHold(first, hold('banned', 100))).toBe(first);
    expect(withHold(first, hold('banned', 101)).map(({ until }) => until)).toEqual([50, 101]);
  });

  test('for a refusal is a minute, doubled up to ten', () => {
    expect(TIMES.map((before) => refusalPause(before) / 60_000)).toEqual([
      1, 2, 4, 8, 10, 10, 10, 10, 10, 10,
    ]);
  });
});

describe('a request that failed', () => {
  test.each([
    [{ status: 403 }, 'held'],
    [{ status: 418 }, 'held'],
    [{ status: 429 }, 'held'],
    [{ status: 451 }, 'held'],
    [{ status: 408 }, 'again'],
    [{ status: 499 }, 'told'],
    [{ status: 500 }, 'again'],
    [{ status: 599 }, 'again'],
    [{ status: '500' }, 'told'],
    [{ code: 'HTTP_BROKEN' }, 'again'],
    [{ code: 'HTTP_TIMEOUT' }, 'again'],
    [{ code: 'HTTP_MALFORMED' }, 'again'],
    [{ code: 'HTTP_TOO_LARGE' }, 'again'],
    [{ code: 'HTTP_UNREACHABLE' }, 'told'],
    [{ code: undefined }, 'told'],
    [{}, 'told'],
    [null, 'told'],
    [undefined, 'told'],
    ['HTTP_BROKEN', 'told'],
  ])('with %j is %s', (error, fate) => expect(fateOf(error)).toBe(fate));

  test('is tried again after 200, 400, 800 ms, a quarter less to a quarter more', () => {
    expect([0, 1, 2, 3].map((tries) => retryDelay(tries, 0.5))).toEqual([200, 400, 800, 800]);
    expect([0, 1].map((random) => retryDelay(0, random))).toEqual([150, 250]);
  });
});

describe('a stream', () => {
  test('whose bar REST lacks is asked about again after 1, 2, 4, 5 s, up to a quarter more', () => {
    expect(TIMES.map((tries) => lackDelay(tries, 0))).toEqual(
      [1, 2, 4, ...Array(7).fill(5)].map((s) => 1_000 * s),
    );
    expect([0, 9].map((tries) => lackDelay(tries, 0.5))).toEqual([1_125, 5_625]);
  });

  test.each([
    ['quiet', quietPause],
    ['mute', mutePause],
  ])('that is %s is left alone twice as long each time, up to ten minutes', (_, pause) => {
    expect(TIMES.map((times) => pause(60_000, times) / 60_000)).toEqual([1, 2, 4, 8, 10, 10, 10, 10, 10, 10]);
    expect(TIMES.map((times) => pause(900_000, times) / 60_000)).toEqual(TIMES.map(() => 15));
  });
});
