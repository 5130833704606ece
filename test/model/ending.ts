/**
 * Asks a machine for its end at every reachable moment, once and again, lets whatever may happen then happen, and
 * judges how it ended: in time, with nothing left alive, and with one report that names each of its parts once.
 */
import type { AnyEventObject, AnyStateNode } from 'xstate';
import type { Cleanup } from '../../machines/model/cleanup.ts';
import { stateNodes } from './walk/catalog.ts';
import {
  type AnyModel,
  endChild,
  explore,
  failChild,
  inWords,
  Ledger,
  replay,
  type Session,
  type Step,
  stepsFrom,
} from './walk/index.ts';

type Run = Session<never>;

/** What a report has to name, as far as can be told before the end is asked for. */
export interface Parts {
  /** However it went. */
  readonly always: readonly string[];
  /** Those that did not close by themselves. */
  readonly unlessClosed: readonly string[];
}

/** The end of a machine: how it is asked for, how long it may take, and what shows it. */
export interface Ending {
  readonly ask: AnyEventObject;
  /** The same with more time. Whoever asks second gets what the first one gets. */
  readonly again: AnyEventObject;
  readonly withinMs: number;
  isOver(run: Run): boolean;
  /** The report, or what of it is known so far. */
  lines(run: Run): readonly Cleanup[];
  parts(run: Run): Parts;
  /** Steps, by their label, that may happen after it was asked for; all of them unless told. */
  happens?(step: string): boolean;
}

/** How one machine ends. */
export interface EndingReport {
  /** States of the chart in which it can rest, the root not counted, and those of them that no moment was in. */
  readonly states: number;
  readonly unvisited: readonly string[];
  readonly moments: number;
  readonly tried: number;
  /** The longest that an end took, simulated ms. */
  readonly longestMs: number;
  /** Sequences after which something was wrong, and what. */
  readonly problems: readonly string[];
}

/** The first time at once, the others spread over the time that the end may take. */
const ASKED_AGAIN = [
  { often: 'twice', asks: 2 },
  { often: 'ten times', asks: 10 },
] as const;

/** More than a machine has children one after the other. */
const ROUNDS = 10;

/** Does something to every child that lives, and to those that come then. */
const toAll =
  (act: (id: string, run: Run) => void) =>
  (run: Run): void => {
    for (let round = 0; round < ROUNDS; round++) for (const id of living(run)) act(id, run);
  };

/** Ids of the children that live. */
export const living = (run: Run): string[] =>
  Object.entries(run.children).flatMap(([id, child]) =>
    child.getSnapshot().status === 'active' ? [id] : [],
  );

/** What all children do, by its words; those that can't do it are silent. */
function crowds(model: AnyModel): Step[] {
  const act =
    (payloads: (id: string, run: Run) => readonly unknown[], done: typeof endChild) =>
    (id: string, run: Run): void => {
      const child = run.children[id];
      const [payload] = payloads(id, run).map((value) => ({ value }));
      if (child?.getSnapshot().status === 'active' && payload !== undefined) done(child, payload.value);
    };
  const fail = act((id, run) => model.errors?.(id, run) ?? [new Error('boom')], failChild);
  const end = act((id, run) => model.outputs?.(id, run) ?? [undefined], endChild);
  const step = (label: string, run: (run: Run) => void): Step => ({
    id: label,
    label,
    run: run as Step['run'],
  });
  return [step(SILENT, () => {}), step(FAILING, toAll(fail)), step('all end', toAll(end))];
}
const SILENT = 'all are silent';
const FAILING = 'all fail';

/** No event ever finds a machine in a state that it leaves as soon as it has come there. */
const isPassed = (node: AnyStateNode): boolean =>
  node.always?.some(({ guard }) => guard === undefined) === true || node.type === 'history';

export function tryEndings(model: AnyModel, ending: Ending): EndingReport {
  const ledger = new Ledger(model.machine);
  const paths = explore(model).reached;
  const nodes = [...stateNodes(ledger.machine.root)].slice(1).filter((node) => !isPassed(node));
  const unvisited = new Set(nodes.map((node) => node.id));
  const problems: string[] = [];
  let [tried, longestMs] = [0, 0];
  for (const path of paths) {
    const begun = (): Run => replay(model, ledger, path) as Run;
    const there = begun();
    for (const { id } of there.snapshot._nodes) unvisited.delete(id);
    say(there, ending.ask);
    const steps = stepsFrom(model, there as Session).filter(({ label }) => ending.happens?.(label) ?? true);
    there.close();
    const once = [...crowds(model), ...steps].map((step) => ({ often: 'once', asks: 1, step }));
    const more = ASKED_AGAIN.flatMap((asked) => crowds(model).map((step) => ({ ...asked, step })));
    for (const { often, asks, step } of [...once, ...more]) {
      const run = begun();
      const { wrong, tookMs } = endOf(run, ending, asks, step);
      run.close();
      tried += 1;
      longestMs = Math.max(longestMs, tookMs);
      const words = `${inWords(path)} → ${ending.ask.type} ${often} → ${step.label}`;
      problems.push(...wrong.map((what) => `${words} : ${what}`));
    }
  }
  return {
    states: nodes.length,
    unvisited: [...unvisited],
    moments: paths.length,
    tried,
    longestMs,
    problems,
  };
}

/** Nobody hears what is said to a machine that has ended; XState warns of it. */
function say(run: Run, event: AnyEventObject): void {
  if (run.snapshot.status === 'active') run.actor.send(event);
}

/** One end of one run, and what was wrong with it. */
function endOf(run: Run, ending: Ending, asks: number, step: Step): { wrong: string[]; tookMs: number } {
  const before = new Set(ending.lines(run).map(({ name }) => name));
  const parts = ending.parts(run);
  const askedAt = run.clock.now();
  const ends = endsOf(run, ending);
  const until = (ms: number): void => run.pass(Math.max(0, askedAt + ms - run.clock.now()));
  say(run, ending.ask);
  step.run(run as Session);
  for (let nth = 1; nth < asks; nth++) {
    until((ending.withinMs * nth) / asks);
    say(run, ending.again);
  }
  until(ending.withinMs);
  if (!ending.isOver(run)) return { wrong: ['not over'], tookMs: 0 };
  const lines = ending.lines(run);
  const wrong = [
    ...run.survivors(),
    ...run.living().map(({ id }) => `${id} lives`),
    ...(ends.length > 1 ? [`ended ${ends.length} times`] : []),
    ...misnamed(lines, before, parts, [SILENT, FAILING].includes(step.label)),
    ...lines.flatMap(({ name, durationMs }) =>
      durationMs > ending.withinMs ? [`${name} took too long`] : [],
    ),
  ];
  say(run, ending.again);
  run.pass(ending.withinMs);
  if (ends.length > 1 || JSON.stringify(ending.lines(run)) !== JSON.stringify(lines))
    wrong.push('an end that is asked for again is another one');
  return { wrong: [...new Set(wrong)], tookMs: (ends[0] ?? askedAt) - askedAt };
}

/** When it came to its end, each time that it did; filled while it runs. */
function endsOf(run: Run, ending: Ending): readonly number[] {
  const ends: number[] = [];
  let wasOver = ending.isOver(run);
  run.actor.subscribe({
    next: () => {
      const isOver = ending.isOver(run);
      if (isOver && !wasOver) ends.push(run.clock.now());
      wasOver = isOver;
    },
    // A machine that fails is never over.
    error: () => {},
  });
  return ends;
}

/** Names that stand in a report twice, or not at all, or that nobody knows. */
function misnamed(
  lines: readonly Cleanup[],
  before: ReadonlySet<string>,
  { always, unlessClosed }: Parts,
  isNoneClosed: boolean,
): string[] {
  const names = lines.map(({ name }) => name);
  const wanted = isNoneClosed ? [...always, ...unlessClosed] : always;
  const known = new Set([...before, ...always, ...unlessClosed]);
  return [
    ...wanted.filter((name) => !names.includes(name)).map((name) => `${name} is not in the report`),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is in it twice`),
    ...names.filter((name) => !known.has(name)).map((name) => `nobody knows ${name}, which is in the report`),
  ];
}
