import type { Obligation } from './catalog.ts';
import { isStub } from './children.ts';
import { Ledger } from './ledger.ts';
import type { AnyModel } from './model.ts';
import { plain } from './plain.ts';
import { Session } from './session.ts';
import { beginnings, type Step, stepsFrom } from './steps.ts';

/** A way through the machine, from its start. */
export type Path = readonly Step[];

export interface Exploration {
  /** Shortest way to everything that was shown, by obligation key. */
  readonly firstPath: ReadonlyMap<string, Path>;
  /** Shortest way to every moment that was told apart, ends included. */
  readonly reached: readonly Path[];
  readonly missing: readonly Obligation[];
  /** Sequences that break the machine, each with what happened. */
  readonly faults: readonly string[];
  readonly states: number;
  /** Children that are no stubs: no step can end them. */
  readonly undriven: readonly string[];
}

/** Sequence in words. */
export const inWords = (path: Path): string => path.map((step) => step.label).join(' → ') || '(start)';

const MAX_STATES = 5_000;
/** One defect usually shows in many sequences; the shortest ones say enough. */
const MAX_FAULTS = 25;

/** Runs a path on the real machine. The session is the caller's to close. */
export function replay(model: AnyModel, ledger: Ledger, path: Path): Session {
  const session = new Session(model, ledger, path[0]?.prepare);
  for (const step of path) step.run(session);
  return session;
}

/** A model says the same each time that it is explored. */
const explored = new WeakMap<AnyModel, Exploration>();

/**
 * Breadth first over everything the machine can do, once for each model. A running actor cannot be copied, so every state
 * is reached again by replaying the way to it; time is simulated and children are stubs, so that costs microseconds.
 */
export function explore(model: AnyModel): Exploration {
  const found = explored.get(model) ?? exploreAnew(model);
  explored.set(model, found);
  return found;
}

function exploreAnew(model: AnyModel): Exploration {
  checkModel(model);
  const bound = model.maxStates ?? MAX_STATES;
  const ledger = new Ledger(model.machine);
  const firstPath = new Map<string, Path>();
  const faults: string[] = [];
  const undriven = new Set<string>();
  const visited = new Set<string>();
  const queue: Path[] = [];
  const reached: Path[] = [];

  /** Goes one path; a state that is new is to be explored further. Answers with the steps possible at its end. */
  const visit = (path: Path): void => {
    let session: Session | undefined;
    try {
      session = replay(model, ledger, path);
      const fault = faultOf(session);
      if (fault !== undefined) faults.push(`${inWords(path)} : ${fault}`);
      for (const [id, child] of Object.entries(session.children)) if (!isStub(child)) undriven.add(id);
      const key = stateKey(model, session);
      if (!visited.has(key)) {
        visited.add(key);
        reached.push(path);
        if (session.snapshot.status === 'active') queue.push(path);
      }
    } catch (error) {
      faults.push(`${inWords(path)} : ${messageOf(error)}`);
    } finally {
      session?.close();
    }
    for (const key of ledger.takeFresh()) firstPath.set(key, path);
  };

  for (const beginning of beginnings(model)) visit(beginning);
  for (let path = queue.shift(); path !== undefined && faults.length < MAX_FAULTS; path = queue.shift()) {
    const here = replay(model, ledger, path);
    const steps = stepsFrom(model, here);
    here.close();
    for (const step of steps) visit([...path, step]);
    if (visited.size > bound) {
      const samples = [...visited].slice(-3).join('\n  ');
      throw new Error(
        `${model.machine.id}: more than ${bound} states within ${path.length + 1} steps; abstract() tells too much ` +
          `apart, or events() offers too much. The last states were:\n  ${samples}`,
      );
    }
  }
  return {
    firstPath,
    reached,
    missing: ledger.missing(),
    faults,
    states: visited.size,
    undriven: [...undriven],
  };
}

/** What makes two moments of a machine the same for exploration. */
function stateKey(model: AnyModel, session: Session): string {
  const { status, value, context } = session.snapshot;
  const children = Object.entries(session.children).map(
    ([id, child]) => `${id}:${child.getSnapshot().status}`,
  );
  return plain([
    status,
    value,
    // A machine that crashed at its start has no context.
    (context && model.abstract?.(context, session.env)) ?? null,
    children.sort(),
    // Which timer is due next decides what can happen next; when exactly does not.
    session.timers().map((timer) => timer.eventType),
  ]);
}

function faultOf(session: Session): string | undefined {
  const { status, error } = session.snapshot;
  if (status === 'error') return messageOf(error);
  const orphans = session.orphans();
  return orphans.length > 0 ? `child ${orphans.join(', ')} lives on, unknown to the machine` : undefined;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Mistakes in a model that would otherwise show as mysterious gaps. */
function checkModel(model: AnyModel): void {
  const { knobs, starts, abstract, machine } = model;
  if ((knobs?.length || starts?.length) && !abstract) {
    throw new Error(
      `${machine.id}: knobs and starts change the world, so abstract(context, env) must tell the worlds apart`,
    );
  }
  const ledger = new Ledger(machine);
  const known = new Set(ledger.entries.map(({ transition }) => String(transition.eventType)));
  const session = new Session(model, ledger);
  const strangers = Object.keys(model.events?.(session) ?? {}).filter((type) => !known.has(type));
  session.close();
  if (strangers.length > 0) {
    throw new Error(
      `${machine.id}: no transition listens to ${strangers.join(', ')}, which the model offers`,
    );
  }
}
