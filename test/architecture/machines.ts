/** What a machine must have against loops and failing children, and the sketch at the head of its file. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { Sources } from './source.ts';

function* nodesOf(node: AnyStateNode): Generator<AnyStateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* nodesOf(child as AnyStateNode);
}

/** The text of what an action decides, wherever XState keeps it. */
function spawns(action: unknown): boolean {
  if (typeof action !== 'function') return false;
  const { type, collect, assignment } = action as {
    type?: string;
    collect?: unknown;
    assignment?: unknown;
  };
  const parts = [collect, assignment].flatMap((it) =>
    it && typeof it === 'object' ? Object.values(it) : [it],
  );
  return (
    type === 'xstate.spawnChild' || parts.some((part) => /\bspawn(?:Child)?\s*\(/.test(String(part ?? '')))
  );
}

/** What a machine must have against loops and failing children. */
export function machineOffences(machine: AnyStateMachine): string[] {
  const nodes = [...nodesOf(machine.root)];
  const descriptors = nodes.flatMap((node) => [...node.transitions.keys()]);
  const actions = nodes.flatMap((node) => [
    ...node.entry,
    ...node.exit,
    ...[...node.transitions.values(), node.always ?? []].flat().flatMap((transition) => transition.actions),
  ]);
  const spawning =
    [...Object.values(machine.implementations.actions), ...actions].some(spawns) ||
    /\bspawn\s*\(/.test(String(machine.config.context ?? ''));
  const { maxIterations } = machine.options as { maxIterations?: number };
  return [
    ...nodes.flatMap((node) =>
      node.invoke
        .filter(({ id }) => !node.transitions.has(`xstate.error.actor.${id}`))
        .map(({ id }) => `${node.id}: invokes ${id} without onError`),
    ),
    ...(spawning && !descriptors.includes('xstate.error.actor.*')
      ? [`${machine.id}: spawns children and does not handle xstate.error.actor.*`]
      : []),
    ...(maxIterations === 1000 ? [] : [`${machine.id}: options.maxIterations is ${maxIterations}, not 1000`]),
  ];
}

/** A comment before the first import that draws the chart: what a reader sees before the code. */
export function sketchOffences(sources: Sources): string[] {
  return [...sources]
    .filter(([file]) => file.endsWith('.machine.ts'))
    .flatMap(([file, source]) => {
      const head = source.slice(0, source.search(/^import\b/m));
      const comment = /\/\*[\s\S]*?\*\//.exec(head)?.[0] ?? '';
      const drawn = comment.split('\n').filter((line) => /[─│┌┐└┘├┤┬┴┼]/.test(line) && /[▶◀▲▼⇄]/.test(line));
      return drawn.length > 0 ? [] : [`${file}:1: no sketch of the chart before the imports`];
    });
}
