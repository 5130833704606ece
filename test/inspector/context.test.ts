/** What a page is shown of an actor's context: enough to understand it, never a secret, never without end. */
import { describe, expect, test } from 'vitest';
import { createActor, createMachine, fromPromise } from 'xstate';
import { detailOf } from '../../src/inspector/detail/context.ts';
import { crowd } from './crowd.ts';

const shown = (context: object): unknown =>
  detailOf('0/x:1', createActor(createMachine({ context: context as Record<string, unknown> }))).context;
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

class Engine {
  readonly fuel = 'secret fuel';
}

describe('a context as it is shown', () => {
  test('is plain data as it is', () => {
    const context = { attempt: 2, reason: 'lost', list: [1, 'two', null, true], deep: { er: { still: 1 } } };
    expect(shown(context)).toEqual(context);
  });

  test('names what is no plain data, and does not look into it', () => {
    const context = {
      now: () => 1,
      engine: new Engine(),
      map: new Map([['a', 'secret a']]),
      bytes: new Uint8Array(9),
      at: new Date(0),
      odd: Number.NaN,
      large: 12n,
      actor: createActor(createMachine({})),
      error: Object.assign(new Error('gone'), { code: 'LOST', request: { headers: { a: 'secret header' } } }),
    };
    expect(shown(context)).toEqual({
      now: '[function now]',
      engine: '[Engine]',
      map: '[Map of 1]',
      bytes: '[Uint8Array of 9]',
      at: '1970-01-01T00:00:00.000Z',
      odd: 'NaN',
      large: '12',
      actor: '[Actor]',
      error: { name: 'Error', code: 'LOST', message: 'gone' },
    });
  });

  test('X01 has no secret: neither under a telling name, nor in a text, a message or a name', () => {
    const context = {
      apiKey: 'canary-1',
      nested: [{ listenKey: ['canary-2'] }],
      url: 'wss://user:canary-3@host/stream?signature=canary-4&a=1',
      error: new Error('refused: api_key=canary-5'),
      'token=canary-6': 1,
      get boom(): string {
        throw new Error('canary-7');
      },
    };
    const text = JSON.stringify(shown(context));
    expect(text).not.toMatch(/canary/);
    expect(text).toMatch(/"apiKey":"\*\*\*".*\/\/\*\*\*@host.*a=1.*\[unreadable\]/);
  });

  test('is cut: five levels, fifty of each, and where something was left out it says so', () => {
    const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
    expect(shown(deep)).toEqual({ a: { b: { c: { d: { e: '[…]' } } } } });
    const list = Array.from({ length: 60 }, (_, at) => at);
    expect(shown({ list })).toEqual({ list: [...list.slice(0, 50), '… 10 more'] });
    const wide = shown(Object.fromEntries(list.map((at) => [`n${at}`, at]))) as object;
    expect(Object.keys(wide)).toHaveLength(51);
    expect(wide).toMatchObject({ n49: 49, '…': '10 more' });
    const round: Record<string, unknown> = {};
    round['self'] = round;
    expect(bytes(shown(round))).toBeLessThan(200);
  });

  test.each([
    ['long texts', { list: Array.from({ length: 50 }, () => 'é'.repeat(5_000)) }],
    ['control characters', { list: Array.from({ length: 50 }, () => '\u0000'.repeat(5_000)) }],
    [
      'long names',
      Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${at}${'n'.repeat(3_000)}`, 1])),
    ],
    ['lists of lists', { list: nested(4) }],
  ])('never has more than 64 KB: %s', (_, context) => {
    const size = bytes({ id: '0/x:1', context: shown(context) });
    expect(size).toBeLessThanOrEqual(64 * 1_024);
    expect(size).toBeGreaterThan(40 * 1_024);
  });

  test('of an actor without a chart is what it was given and what came of it', async () => {
    const actor = createActor(
      fromPromise(async () => ({ owed: 0 })),
      { input: { symbol: 'BTCUSDT' } },
    );
    expect(detailOf('0/x:1', actor)).toEqual({ id: '0/x:1', context: { input: { symbol: 'BTCUSDT' } } });
    actor.start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(detailOf('0/x:1', actor).context).toMatchObject({ output: { owed: 0 } });
  });

  test('of the real charts is data', async () => {
    const { actor } = await crowd({ streams: 300 });
    const [collector, feed] = [actor, actor.getSnapshot().children['feed0']!].map((one) =>
      detailOf('x', one),
    );
    expect(bytes(collector)).toBeLessThanOrEqual(64 * 1_024);
    expect(collector!.context).toMatchObject({ up: ['feed0', 'feed1'], store: { id: 'store' } });
    expect(feed!.context).toMatchObject({ id: 'feed0', active: 'a', now: '[function now]' });
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 'leaf' : Array.from({ length: 40 }, () => nested(depth - 1));
}
