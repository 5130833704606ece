import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Dependent, mayStart, mayStop, problemsOf } from '../../../machines/model/dependencies.ts';

/** `orders:prices,state prices state` as components. */
const set = (text: string): Dependent[] =>
  text.split(' ').map((word) => {
    const [name = '', needed] = word.split(':');
    return { name, dependsOn: needed === undefined ? [] : needed.split(',') };
  });
const said = (components: readonly Dependent[]): string[] =>
  problemsOf(components).map(({ index, field, given }) => `${index}.${field} ${given}`);

describe('a set of components', () => {
  test.each(['a', 'a:b b', 'a b:a c:a d:b,c', 'a:b,b b'])('is right: %s', (text) => {
    expect(said(set(text))).toEqual([]);
  });

  test.each([
    ['a b a', ["2.name 'a'"]],
    ['a:c b:c,d', ["0.dependsOn 'c'", "1.dependsOn 'c'", "1.dependsOn 'd'"]],
    ['a:a', ["0.dependsOn 'a' → 'a'"]],
    ['a:b b:a', ["0.dependsOn 'a' → 'b' → 'a'"]],
    ['x:a a:b b:c c:d d:b', ["2.dependsOn 'b' → 'c' → 'd' → 'b'"]],
    ['a:b b:a c:d d:c', ["0.dependsOn 'a' → 'b' → 'a'", "2.dependsOn 'c' → 'd' → 'c'"]],
    ['a:a,b b:a', ["0.dependsOn 'a' → 'a'", "0.dependsOn 'a' → 'b' → 'a'"]],
    ['a a:q', ["1.name 'a'", "1.dependsOn 'q'"]],
  ])('is wrong, and each reason is named: %s', (text, problems) => {
    expect(said(set(text)).sort()).toEqual([...problems].sort());
  });

  test.each(['', ' ', '\t\n', '__proto__', '#_internal', '#_main'])(
    'has no component with the name %j',
    (name) => {
      expect(said([{ name, dependsOn: [] }])).toEqual([`0.name '${name}'`]);
    },
  );

  test('says what would be right', () => {
    expect(problemsOf(set('a:x b'))[0]?.allowed).toBe('names of components: a, b');
    expect(problemsOf(set('a b a'))[0]?.allowed).toContain('components[0]');
  });

  test('may be a chain of a hundred thousand', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => ({
      name: `c${i}`,
      dependsOn: i === 0 ? [] : [`c${i - 1}`],
    }));
    expect(problemsOf([...chain].reverse())).toEqual([]);
  });
});

/** Each may need any of those before it, so that there is no circle; shuffled. */
const graphs = fc
  .array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 15 })
  .map((needs) =>
    needs.map((needed, i) => ({
      name: `c${i}`,
      dependsOn: i === 0 ? [] : [...new Set(needed.map((n) => `c${n % i}`))],
    })),
  )
  .chain((components) =>
    fc.shuffledSubarray(components, { minLength: components.length, maxLength: components.length }),
  );

/** One way through all of them, chosen by numbers. */
function ordered(may: (done: Set<string>) => string[], choices: readonly number[]): string[] {
  const done = new Set<string>();
  for (let i = 0; ; i++) {
    const next = may(done);
    if (next.length === 0) return [...done];
    done.add(next[(choices[i % choices.length] ?? 0) % next.length] as string);
  }
}
const choices = fc.array(fc.nat(), { minLength: 1 });

describe('order', () => {
  test('of starting: what a component needs runs before it, and all get their turn', () => {
    fc.assert(
      fc.property(graphs, choices, (components, numbers) => {
        const order = ordered((done) => mayStart(components, done, done), numbers);
        expect(order).toHaveLength(components.length);
        for (const { name, dependsOn } of components)
          for (const needed of dependsOn) expect(order.indexOf(needed)).toBeLessThan(order.indexOf(name));
      }),
    );
  });

  test('of stopping: what a component needs ends after it, and all get their turn', () => {
    fc.assert(
      fc.property(graphs, choices, (components, numbers) => {
        const names = components.map(({ name }) => name);
        const pending = (ended: Set<string>): Set<string> => new Set(names.filter((it) => !ended.has(it)));
        const order = ordered((ended) => mayStop(components, ended, pending(ended)), numbers);
        expect(order).toHaveLength(components.length);
        for (const { name, dependsOn } of components)
          for (const needed of dependsOn) expect(order.indexOf(needed)).toBeGreaterThan(order.indexOf(name));
      }),
    );
  });

  test('is a matter of single components: who is slow holds those that need it, and nobody else', () => {
    const components = set('slow quick a:slow b:quick');
    const begun = new Set(['slow', 'quick']);
    expect(mayStart(components, new Set(), new Set())).toEqual(['slow', 'quick']);
    expect(mayStart(components, begun, new Set(['quick']))).toEqual(['b']);
    expect(mayStart(components, new Set([...begun, 'b']), new Set(['quick']))).toEqual([]);
    const all = new Set(['slow', 'quick', 'a', 'b']);
    expect(mayStop(components, new Set(), all)).toEqual(['a', 'b']);
    expect(mayStop(components, new Set(['a', 'b']), new Set(['slow', 'quick', 'a']))).toEqual(['quick']);
  });
});
