import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lifetimes } from '../../machines/collector.setup.ts';
import { begin, say } from './play.ts';
import { befall, leaves, streamsOf, succeed, type Tree, tell, treeModel } from './tree.play.ts';

const report = (tree: Tree): Lifetimes => tree.snapshot.context as unknown as Lifetimes;
const top = (tree: Tree): string => {
  const { value } = tree.snapshot;
  return typeof value === 'string' ? value : (Object.keys(value)[0] ?? '');
};
const start = (tree: Tree): void => say(tree as never, { type: 'START' });
const stop = (tree: Tree): void => say(tree as never, { type: 'STOP', reason: 'asked' });
const lines = (tree: Tree) => report(tree).lines.map(({ name, outcome }) => `${name} ${outcome}`);

/** The whole tree, both feeds up. */
function streaming(tree = begin(treeModel) as Tree): Tree {
  start(tree);
  for (const id of ['prepare', 'open']) for (const leaf of leaves(tree, id)) succeed(tree, leaf);
  for (const permit of leaves(tree, 'permit')) succeed(tree, permit);
  for (const socket of leaves(tree, 'socket')) tell(socket, 'SOCKET.OPENED', 'SOCKET.ACKED', 'SOCKET.FRAME');
  for (const stream of streamsOf(tree)) stream.send({ type: 'CURSOR.FIRST_FRAME' });
  return tree;
}

describe('the six machines together', () => {
  test('stream, and stop at once when all obey', () => {
    const tree = streaming();
    expect(tree.snapshot.value).toEqual({ streaming: 'full' });
    stop(tree);
    for (const socket of leaves(tree, 'socket'))
      socket._parent?.send({
        type: 'SOCKET.CLOSED',
        end: { code: 1000 },
        cause: 'closed',
        reason: '',
      } as never);
    for (const id of ['release', 'seal']) for (const leaf of leaves(tree, id)) succeed(tree, leaf);
    expect(top(tree)).toBe('stopped');
    expect(lines(tree)).toEqual(['feed-1 closed', 'feed-2 closed', 'rest closed', 'store closed']);
    expect([report(tree).stopTook, tree.living()]).toEqual([0, []]);
  });

  test('stop in time when nothing answers, and the report names who had to be forced', () => {
    const tree = streaming();
    Object.assign(tree.env.rows, { size: 7 });
    stop(tree);
    tree.pass(9_750);
    expect(top(tree)).toBe('stopped');
    expect(lines(tree)).toEqual([
      'feed-1 forced',
      'feed-1.a forced',
      'feed-2 forced',
      'feed-2.a forced',
      'rest forced',
      'store forced',
    ]);
    expect(report(tree)).toMatchObject({ unwritten: 7, failure: undefined });
    expect(tree.living()).toEqual([]);
  });

  test('mend a feed whose stream failed while the other goes on', () => {
    const tree = streaming();
    const [socket, other] = leaves(tree, 'socket');
    befall(tree, streamsOf(tree)[0]!, 7);
    expect(tree.snapshot.value).toEqual({ streaming: 'partial' });
    tree.pass(1_000);
    for (const permit of leaves(tree, 'permit')) succeed(tree, permit);
    expect(streamsOf(tree)).toHaveLength(4);
    expect(leaves(tree, 'socket')).toContain(other);
    expect(leaves(tree, 'socket')).not.toContain(socket);
    tell(leaves(tree, 'socket').at(-1), 'SOCKET.OPENED', 'SOCKET.FRAME');
    expect(tree.snapshot.value).toEqual({ streaming: 'full' });
  });

  test('live three lives alike', () => {
    const tree = begin(treeModel) as Tree;
    for (const _ of [1, 2, 3]) {
      streaming(tree);
      expect(tree.snapshot.value).toEqual({ streaming: 'full' });
      stop(tree);
      tree.pass(9_750);
      expect([top(tree), lines(tree).length, tree.living()]).toEqual(['stopped', 6, []]);
    }
  });
});

/** What may happen in any order: things to leaves, time, rows, silence, and those who start and stop. */
const happening = fc.oneof(
  { weight: 12, arbitrary: fc.record({ leaf: fc.nat(), choice: fc.nat({ max: 55 }) }) },
  { weight: 4, arbitrary: fc.record({ pass: fc.constantFrom(0, 60, 1_000, 5_000, 30_000) }) },
  { weight: 1, arbitrary: fc.record({ rows: fc.constantFrom(0, 1, 100) }) },
  { weight: 1, arbitrary: fc.record({ silentMs: fc.constantFrom(0, 60_000) }) },
  { weight: 1, arbitrary: fc.constantFrom('START' as const, 'STOP' as const) },
);

function happen(tree: Tree, event: unknown): void {
  if (event === 'START') start(tree);
  if (event === 'STOP') stop(tree);
  const { leaf, choice = 0, pass, rows, silentMs } = event as Record<string, number | undefined>;
  if (pass !== undefined) tree.pass(pass);
  if (silentMs !== undefined) Object.assign(tree.env, { silentMs });
  if (rows !== undefined) Object.assign(tree.env.rows, { size: rows, full: rows >= 100 });
  const all = [...leaves(tree), ...streamsOf(tree)];
  const hit = leaf === undefined ? undefined : all[leaf % Math.max(1, all.length)];
  if (hit !== undefined) befall(tree, hit, choice);
}

describe('whatever happens, in whatever order', () => {
  const histories = (begun: () => Tree) => (check: (tree: Tree) => void) =>
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60, size: 'max' }), (events) => {
        const tree = begun();
        for (const event of events) happen(tree, event);
        check(tree);
        tree.close();
      }),
      { numRuns: 150 },
    );
  const begun = (): Tree => begin(treeModel) as Tree;

  test.each([
    ['started or not', begun],
    ['streaming', () => streaming()],
  ])('no machine crashes, and STOP ends all of it in time: %s', (_, from) => {
    histories(from)((tree) => {
      expect(tree.snapshot.status).toBe('active');
      const wasStopped = top(tree) === 'stopped';
      stop(tree);
      const since = tree.clock.now();
      for (let i = 0; i < 250 && top(tree) !== 'stopped'; i++) tree.pass(50);
      expect(top(tree)).toBe('stopped');
      expect(tree.clock.now() - since).toBeLessThanOrEqual(9_750);
      expect(tree.living().map((actor) => actor.id)).toEqual([]);
      expect(report(tree)).toMatchObject({ pending: [], up: [] });
      expect(wasStopped || report(tree).reason !== '').toBe(true);
      const names = report(tree).lines.map((line) => line.name);
      expect(names).toEqual([...new Set(names)]);
    });
  });

  test('a collector that nobody stopped and that lost no component streams again once the world is well', () => {
    histories(() => streaming())((tree) => {
      // Whatever is there does well from now on.
      for (let i = 0; i < 200 && !tree.snapshot.matches({ streaming: 'full' } as never); i++) {
        if (['stopping', 'stopped'].includes(top(tree))) return;
        for (const leaf of leaves(tree)) succeed(tree, leaf);
        for (const socket of leaves(tree, 'socket'))
          tell(socket, 'SOCKET.OPENED', 'SOCKET.ACKED', 'SOCKET.FRAME', 'SOCKET.ALIVE');
        Object.assign(tree.env, { silentMs: 0 });
        tree.pass(1_000);
      }
      if (!['stopping', 'stopped'].includes(top(tree)))
        expect(tree.snapshot.value).toEqual({ streaming: 'full' });
    });
  });
});
