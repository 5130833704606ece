/** What depends on what among an application's components. Total functions over plain data. */

/** Something that has a name, and may need others. */
export interface Dependent {
  readonly name: string;
  /** Those that must run before it starts, and that outlive it. */
  readonly dependsOn: readonly string[];
}

/** One thing that is wrong with a set of components. */
export interface DependencyProblem {
  /** Which of them. */
  readonly index: number;
  readonly field: 'name' | 'dependsOn';
  readonly given: string;
  readonly allowed: string;
}

/** Actors are kept in an object by their names, and XState sends to itself, or elsewhere, what is sent to `#_…`. */
const meansSomethingElse = (name: string): boolean => name === '__proto__' || name.startsWith('#_');

/** All that is wrong with them: names that are empty or used twice, unknown names, circles. */
export function problemsOf(components: readonly Dependent[]): DependencyProblem[] {
  const places = new Map<string, number>();
  const problems: DependencyProblem[] = [];
  for (const [index, { name }] of components.entries()) {
    const first = places.get(name);
    if (name.trim() === '')
      problems.push({ index, field: 'name', given: `'${name}'`, allowed: 'a name, not empty' });
    else if (meansSomethingElse(name))
      problems.push({ index, field: 'name', given: `'${name}'`, allowed: 'another name; this one is taken' });
    else if (first !== undefined)
      problems.push({
        index,
        field: 'name',
        given: `'${name}'`,
        allowed: `a name of its own; components[${first}] has this one`,
      });
    if (first === undefined) places.set(name, index);
  }
  for (const [index, { dependsOn }] of components.entries())
    for (const needed of dependsOn)
      if (!places.has(needed))
        problems.push({
          index,
          field: 'dependsOn',
          given: `'${needed}'`,
          allowed: `names of components: ${[...places.keys()].join(', ')}`,
        });
  for (const circle of circlesOf(components))
    problems.push({
      index: places.get(circle[0] ?? '') ?? 0,
      field: 'dependsOn',
      given: circle.map((name) => `'${name}'`).join(' → '),
      allowed: 'no circle: what it needs may not need it',
    });
  return problems;
}

/** Circles, each as the way from a name back to itself; every component that is in one is in at least one of them. */
function circlesOf(components: readonly Dependent[]): string[][] {
  const needs = new Map(components.map(({ name, dependsOn }) => [name, dependsOn]));
  const done = new Set<string>();
  const circles: string[][] = [];
  for (const { name } of components) {
    if (done.has(name)) continue;
    // By hand and not by calling itself: a chain may be longer than the call stack.
    const way = [{ name, next: 0 }];
    const places = new Map([[name, 0]]);
    for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
      const needed = needs.get(here.name)?.[here.next++];
      if (needed === undefined) {
        done.add(here.name);
        places.delete(here.name);
        way.pop();
        continue;
      }
      const since = places.get(needed);
      if (since !== undefined) circles.push([...way.slice(since).map((it) => it.name), needed]);
      else if (!done.has(needed)) {
        places.set(needed, way.length);
        way.push({ name: needed, next: 0 });
      }
    }
  }
  return circles;
}

/** Those that wait no longer: all that they need runs. */
export const mayStart = (
  components: readonly Dependent[],
  begun: ReadonlySet<string>,
  running: ReadonlySet<string>,
): string[] =>
  components
    .filter(({ name, dependsOn }) => !begun.has(name) && dependsOn.every((needed) => running.has(needed)))
    .map(({ name }) => name);

/** Those that nobody needs any more: all that depend on them have ended. */
export function mayStop(
  components: readonly Dependent[],
  asked: ReadonlySet<string>,
  pending: ReadonlySet<string>,
): string[] {
  const needed = new Set(
    components.filter(({ name }) => pending.has(name)).flatMap(({ dependsOn }) => dependsOn),
  );
  return components
    .map(({ name }) => name)
    .filter((name) => pending.has(name) && !asked.has(name) && !needed.has(name));
}
