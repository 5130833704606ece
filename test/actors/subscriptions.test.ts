/** What a socket actor sends to subscribe, as the server sees it, and what it makes of the answers. */
import { describe, expect, test } from 'vitest';
import { Subscriptions } from '../../src/actors/subscriptions.ts';
import { FakeClock } from '../transport/fake-clock.ts';

const ACK_TIMEOUT_MS = 10_000;

interface Message {
  readonly at: number;
  readonly bytes: number;
  readonly method: string;
  readonly params: string[];
  readonly id: number;
}

function rig() {
  const clock = new FakeClock();
  const sent: Message[] = [];
  const told: string[] = [];
  const oddities: { message: string; fields: object }[] = [];
  const subscriptions = new Subscriptions({
    clock,
    send: (text) =>
      sent.push({ ...JSON.parse(text), at: clock.now(), bytes: Buffer.byteLength(text) } as Message),
    ackTimeoutMs: ACK_TIMEOUT_MS,
    onAcked: () => told.push('acked'),
    onRefused: (reason) => told.push(reason),
    onOddity: (message, fields) => oddities.push({ message, fields }),
  });
  /** What the server holds when it obeys every message. */
  const held = (): string[] => {
    const names = new Set<string>();
    for (const { method, params } of sent)
      for (const name of params)
        if (method === 'SUBSCRIBE') names.add(name);
        else names.delete(name);
    return [...names].sort();
  };
  const acknowledgeAll = (): void => {
    for (const { id } of sent) subscriptions.acknowledged(id);
  };
  const course = (): string[] => sent.map(({ method, params }) => `${method} ${params.join(' ')}`);
  return { clock, subscriptions, sent, told, oddities, held, acknowledgeAll, course };
}

/** One that is acknowledged and goes on. */
function settled(names = ['a', 'b']) {
  const one = rig();
  one.subscriptions.subscribe(names);
  one.acknowledgeAll();
  return one;
}

const many = (count: number, prefix = 's'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}usdt@kline_1m`);

/** Most messages within any second. */
const busiest = (sent: readonly Message[]): number =>
  Math.max(...sent.map(({ at }) => sent.filter((other) => other.at >= at && other.at < at + 1_000).length));

describe('what is asked for', () => {
  test('leaves in few messages, below the limits of a message and of a second', async () => {
    const one = rig();
    one.subscriptions.subscribe(many(1_000));
    await one.clock.advance(9_000);
    expect(one.sent).toHaveLength(10);
    expect(one.sent.flatMap(({ params }) => params)).toEqual(many(1_000));
    expect(busiest(one.sent)).toBeLessThanOrEqual(5);
    for (const { bytes, params } of one.sent) {
      expect(bytes).toBeLessThanOrEqual(4_000);
      expect(params.length).toBeLessThanOrEqual(100);
    }
  });

  test('is acknowledged when all of it is, whatever else is answered', async () => {
    const one = rig();
    one.subscriptions.subscribe(many(300));
    await one.clock.advance(9_000);
    const [first, ...others] = one.sent.map(({ id }) => id);
    for (const id of [...others, ...others, 99_999]) one.subscriptions.acknowledged(id);
    expect(one.told).toEqual([]);
    for (let twice = 0; twice < 2; twice++) one.subscriptions.acknowledged(first!);
    expect(one.told).toEqual(['acked']);
  });

  test('and is nothing is acknowledged at once', () => {
    const one = rig();
    one.subscriptions.subscribe([]);
    expect([one.told, one.sent]).toEqual([['acked'], []]);
  });

  test('one by one leaves together, as much of it as waits', async () => {
    const one = settled();
    for (const name of many(250)) one.subscriptions.subscribe([name]);
    for (const name of ['a', 'b']) one.subscriptions.resubscribe([name]);
    for (const name of many(50)) one.subscriptions.unsubscribe([name]);
    await one.clock.advance(5_000);
    expect(one.sent.map(({ method, params }) => [method, params.length])).toEqual([
      ['SUBSCRIBE', 2],
      ['UNSUBSCRIBE', 2],
      ['SUBSCRIBE', 100],
      ['SUBSCRIBE', 100],
      ['SUBSCRIBE', 2],
    ]);
    expect(one.held()).toEqual(['a', 'b', ...many(250).slice(50)].sort());
  });

  test('once more is taken back first, and only if it is subscribed', async () => {
    const one = settled();
    one.subscriptions.resubscribe(['b', 'z']);
    await one.clock.advance(1_000);
    expect(one.course()).toEqual(['SUBSCRIBE a b', 'UNSUBSCRIBE b', 'SUBSCRIBE b']);
  });

  test('and taken back in any order leaves the server with what was wanted last', async () => {
    const one = settled();
    const { subscriptions } = one;
    subscriptions.subscribe(['c']);
    subscriptions.unsubscribe(['c', 'a']);
    subscriptions.subscribe(['a', 'd']);
    subscriptions.resubscribe(['b', 'd']);
    subscriptions.unsubscribe(['b', 'q']);
    await one.clock.advance(1_000);
    subscriptions.resubscribe(['a']);
    await one.clock.advance(100);
    subscriptions.unsubscribe(['a']);
    await one.clock.advance(5_000);
    expect(one.held()).toEqual(['d']);
  });

  test('is never more than a socket may carry: the rest is refused here, and said', async () => {
    const one = rig();
    one.subscriptions.subscribe(many(1_030));
    await one.clock.advance(9_000);
    expect(one.held()).toHaveLength(1_024);
    expect(one.oddities).toMatchObject([{ fields: { streams: 6, first: 's1024usdt@kline_1m' } }]);
    one.acknowledgeAll();
    one.subscriptions.unsubscribe(many(2));
    one.subscriptions.subscribe(many(3, 't'));
    await one.clock.advance(9_000);
    expect(one.held()).toHaveLength(1_024);
    expect(one.course().at(-2)).toMatch(/^UNSUBSCRIBE/);
    expect(one.oddities).toHaveLength(2);
  });
});

describe('what is not acknowledged', () => {
  test('later is asked for once more, then said; nothing is lost for it', async () => {
    const one = settled();
    one.subscriptions.subscribe(['c']);
    await one.clock.advance(10 * ACK_TIMEOUT_MS);
    expect(one.course()).toEqual(['SUBSCRIBE a b', 'SUBSCRIBE c', 'SUBSCRIBE c']);
    expect(one.sent[2]!.at - one.sent[1]!.at).toBe(ACK_TIMEOUT_MS);
    expect(one.oddities).toMatchObject([{ fields: { method: 'SUBSCRIBE', streams: 1, first: 'c' } }]);
    expect(one.told).toEqual(['acked']);
    expect(one.clock.pending).toBe(0);
  });

  test('at the beginning is asked for once more when data came', async () => {
    const one = rig();
    one.subscriptions.subscribe(['a']);
    one.subscriptions.settle();
    await one.clock.advance(10 * ACK_TIMEOUT_MS);
    expect(one.course()).toEqual(['SUBSCRIBE a', 'SUBSCRIBE a']);
  });

  test('at the beginning is left to whoever opened the socket', async () => {
    const one = rig();
    one.subscriptions.subscribe(['a']);
    await one.clock.advance(10 * ACK_TIMEOUT_MS);
    expect([one.course(), one.oddities]).toEqual([['SUBSCRIBE a'], []]);
  });

  test('in time may be so late, or twice: that is no news', async () => {
    const one = settled();
    one.subscriptions.subscribe(['c']);
    await one.clock.advance(ACK_TIMEOUT_MS + 1_000);
    for (const { id } of [...one.sent, ...one.sent]) one.subscriptions.acknowledged(id);
    await one.clock.advance(10 * ACK_TIMEOUT_MS);
    expect(one.sent).toHaveLength(3);
    expect(one.oddities).toEqual([]);
  });

  test('is not asked for again by who no longer wants it', async () => {
    const one = settled();
    one.subscriptions.subscribe(['c']);
    one.subscriptions.unsubscribe(['a']);
    await one.clock.advance(1_000);
    one.subscriptions.unsubscribe(['c']);
    one.subscriptions.subscribe(['a']);
    await one.clock.advance(10 * ACK_TIMEOUT_MS);
    expect(one.held()).toEqual(['a', 'b']);
  });
});

describe('what is refused', () => {
  test('at the beginning costs the socket', () => {
    for (const id of [1, undefined]) {
      const one = rig();
      one.subscriptions.subscribe(['a']);
      one.subscriptions.refused(id, 3, 'Invalid JSON');
      expect(one.told).toEqual(['code 3 Invalid JSON']);
      expect(one.oddities).toHaveLength(1);
    }
  });

  test('later is asked for once more, and is left to its own proof when it is refused again', async () => {
    const one = settled();
    one.subscriptions.subscribe(['c']);
    await one.clock.advance(1_000);
    one.subscriptions.refused(one.sent.at(-1)!.id, 2, 'Invalid request');
    await one.clock.advance(1_000);
    expect(one.told).toEqual(['acked']);
    expect(one.course().slice(1)).toEqual(['SUBSCRIBE c', 'SUBSCRIBE c']);
    one.subscriptions.refused(undefined, 2, 'Invalid request');
    await one.clock.advance(20_000);
    expect(one.told).toEqual(['acked']);
    expect(one.course().slice(1)).toEqual(['SUBSCRIBE c', 'SUBSCRIBE c']);
  });

  test('later, and is not wanted anyway, costs nothing', async () => {
    const one = settled();
    one.subscriptions.unsubscribe(['a']);
    for (let twice = 0; twice < 2; twice++) {
      await one.clock.advance(1_000);
      one.subscriptions.refused(one.sent.at(-1)!.id, 2, 'Invalid request');
    }
    await one.clock.advance(1_000);
    expect(one.course()).toEqual(['SUBSCRIBE a b', 'UNSUBSCRIBE a', 'UNSUBSCRIBE a']);
    expect(one.told).toEqual(['acked']);
  });

  test('and was never asked for is said, and costs nothing', () => {
    const one = rig();
    one.subscriptions.subscribe(['a']);
    one.subscriptions.refused(77, 2, 'Invalid request');
    one.acknowledgeAll();
    one.subscriptions.refused(undefined, 3, 'Invalid JSON');
    expect(one.told).toEqual(['acked']);
    expect(one.oddities).toHaveLength(2);
  });
});

test('nothing is sent and nothing waited for once it is cleared', async () => {
  const one = rig();
  one.subscriptions.subscribe(many(1_000));
  one.subscriptions.clear();
  expect(one.clock.pending).toBe(0);
  await one.clock.advance(60_000);
  expect(one.sent).toHaveLength(1);
});
