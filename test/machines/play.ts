import type { AnyActorRef, AnyEventObject } from 'xstate';
import {
  endChild,
  explore,
  failChild,
  inWords,
  Ledger,
  type Model,
  type Path,
  replay,
  Session,
  type StubSnapshot,
} from '../model/walk/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: any machine can be played
type Playable<Env> = Model<any, Env>;

/** One run of a machine as its model sets it up, under simulated time. */
export const begin = <Env>(model: Playable<Env>, prepare?: (env: Env) => void): Session<Env> =>
  new Session<Env>(model, new Ledger(model.machine), prepare);

/** A child that the machine has, or an error that says that it has not. */
export function child(session: Session<never>, id: string): AnyActorRef {
  const found = session.children[id];
  if (found === undefined) throw new Error(`there is no child ${id}`);
  return found;
}

export const ends = (session: Session<never>, id: string, output?: unknown): void =>
  endChild(child(session, id), output);
export const fails = (session: Session<never>, id: string, error: unknown): void =>
  failChild(child(session, id), error);

/** What others have sent to a stub, oldest first. */
export const received = (session: Session<never>, id: string): readonly { readonly type: string }[] =>
  (child(session, id).getSnapshot() as StubSnapshot).received;

/** Any event, as somebody outside might send it. */
export const say = (session: Session<never>, event: AnyEventObject): void => session.actor.send(event);

/** Every moment that the walks told apart, each played anew and handed over with the words that lead there. */
export function* moments<Env>(
  model: Playable<Env>,
): Generator<{ session: Session<Env>; words: string; path: Path }> {
  for (const path of explore(model).reached) {
    const session = replay(model, new Ledger(model.machine), path) as Session<Env>;
    yield { session, words: inWords(path), path };
    session.close();
  }
}

/** The machine has come to its final state. */
export const isDone = (session: Session<never>): boolean => session.snapshot.status === 'done';
