/** What the supervisor's chart is made of: its types, actions, guards and delays. The chart is beside it. */
import { assign, emit, enqueueActions, fromPromise, setup } from 'xstate';
import { componentMachine } from './component.machine.ts';
import { cleanup, describe } from './model/cleanup.ts';
import { mayStart, mayStop } from './model/dependencies.ts';
import { componentTime, forceAfter, reportAfter } from './model/stop-time.ts';
import type {
  Check,
  ComponentFailure,
  ComponentLine,
  ComponentPlan,
  SupervisorEvent,
  SupervisorInput,
  SupervisorNotice,
} from './supervisor.types.ts';

/** One run, from START to the report. */
export interface Run {
  /** Told to start, since START. */
  readonly begun: ReadonlySet<string>;
  readonly running: ReadonlySet<string>;
  /** Not ended, whether begun or not. */
  readonly pending: ReadonlySet<string>;
  /** Told to stop. */
  readonly asked: ReadonlySet<string>;
  /** Those whose final state is being looked at. */
  readonly checking: ReadonlySet<string>;
  /** In the order in which they ended. */
  readonly lines: readonly ComponentLine[];
  readonly checks: readonly Check[];
  readonly reason: string;
  readonly failure: ComponentFailure | undefined;
  /** What the process held at START. */
  readonly baseline: readonly string[];
  readonly stopMs: number;
  readonly stopSince: number;
  readonly stopTook: number;
}

export const freshRun: Run = {
  begun: new Set(),
  running: new Set(),
  pending: new Set(),
  asked: new Set(),
  checking: new Set(),
  lines: [],
  checks: [],
  reason: '',
  failure: undefined,
  baseline: [],
  stopMs: 0,
  stopSince: 0,
  stopTook: 0,
};

export interface VerifyOrder {
  readonly name: string;
  /** What is left for all of them, ms. */
  readonly timeoutMs: number;
}

export interface ResourcesOrder {
  readonly baseline: readonly string[];
  readonly look: () => readonly string[];
  readonly timeoutMs: number;
  /** Something was given up, and may hold what it held. */
  readonly forced: boolean;
}

type Context = SupervisorInput & Run;

const passed = ({ now, stopSince }: Context): number => now() - stopSince;
const leftUntil = (context: Context, until: (wholeMs: number) => number): number =>
  Math.max(0, until(context.stopMs) - passed(context));

const joined = (set: ReadonlySet<string>, ...names: readonly string[]): ReadonlySet<string> =>
  new Set([...set, ...names]);
const without = (set: ReadonlySet<string>, name: string): ReadonlySet<string> => {
  const left = new Set(set);
  left.delete(name);
  return left;
};

/** It is given from outside, and a throw here would end the chart. Whoever looks at the end will say that it throws. */
function held({ resources }: Context): readonly string[] {
  try {
    return resources?.() ?? [];
  } catch {
    return [];
  }
}

/** The name of the child that looks at a component's final state. */
const checkId = (name: string): string => `verify.${name}`;
const checkedName = (id: string): string => id.slice(checkId('').length);

type Done = ComponentLine | readonly Check[];
const isLine = (output: Done): output is ComponentLine => 'outcome' in output;
export const lineOf = (name: string, output: Done): ComponentLine =>
  isLine(output) ? output : cleanup(name, 'closed', 0, 0);
export const checksOf = (output: Done): readonly Check[] => (isLine(output) ? [] : output);

const neverBegun = (name: string): ComponentLine => cleanup(name, 'closed', 0, 0);

/** How a component's end reads in the log. */
function endNotice({ name, outcome, durationMs, error }: ComponentLine): SupervisorNotice {
  const how = { closed: 'closed', failed: 'failed', forced: 'did not stop in time; given up' }[outcome];
  return {
    type: 'NOTICE',
    level: outcome === 'closed' ? 'debug' : 'warn',
    message: `${name} ${how}`,
    fields: { component: name, outcome, durationMs, ...(error === undefined ? {} : { error }) },
  };
}

export const supervisorSetup = setup({
  types: {
    context: {} as Context,
    input: {} as SupervisorInput,
    events: {} as SupervisorEvent,
    emitted: {} as SupervisorNotice,
  },
  actors: {
    component: componentMachine,
    /** Looks at the final state of a component. */
    verify: fromPromise<readonly Check[], VerifyOrder>(() =>
      Promise.reject(new Error('verify is not provided')),
    ),
    /** Looks at what the process still holds. */
    resources: fromPromise<readonly Check[], ResourcesOrder>(() =>
      Promise.reject(new Error('resources is not provided')),
    ),
  },
  actions: {
    register: assign({
      components: ({ context }, params: { components: readonly ComponentPlan[] }) => [
        ...context.components,
        ...params.components,
      ],
    }),
    /** All are there from the beginning; each waits for what it depends on. */
    spawnAll: enqueueActions(({ context, enqueue }) => {
      const names = context.components.map(({ name }) => name);
      for (const id of names) enqueue.spawnChild('component', { id, input: { id, now: context.now } });
      enqueue.assign({ ...freshRun, pending: new Set(names), baseline: held(context) });
    }),
    startNext: enqueueActions(({ context, enqueue }) => {
      const next = mayStart(context.components, context.begun, context.running);
      enqueue.assign({ begun: joined(context.begun, ...next) });
      for (const id of next) enqueue.sendTo(id, { type: 'START' });
    }),
    noteRunning: enqueueActions(({ context, enqueue }, params: { id: string; durationMs: number }) => {
      enqueue.assign({ running: joined(context.running, params.id) });
      enqueue.emit({
        type: 'NOTICE',
        level: 'debug',
        message: `${params.id} started`,
        fields: { component: params.id, durationMs: params.durationMs },
      });
    }),
    noteFailure: assign({ failure: (_, params: { failure: ComponentFailure }) => params.failure }),
    warn: emit((_, params: { message: string; component: string }): SupervisorNotice => {
      const { message, ...fields } = params;
      return { type: 'NOTICE', level: 'warn', message, fields };
    }),
    noteStop: assign({
      reason: (_, params: { reason: string; timeoutMs?: number }) => params.reason,
      stopMs: ({ context }, params: { reason: string; timeoutMs?: number }) =>
        params.timeoutMs ?? context.stopTimeoutMs,
      stopSince: ({ context }) => context.now(),
    }),
    noteNothingBegun: assign(({ context }) => ({
      lines: context.components.map(({ name }) => neverBegun(name)),
    })),
    stopNext: enqueueActions(({ context, enqueue }) => {
      const next = mayStop(context.components, context.asked, context.pending);
      enqueue.assign({ asked: joined(context.asked, ...next) });
      const leftMs = Math.max(0, context.stopMs - passed(context));
      for (const { name, deadlineMs } of context.components)
        if (next.includes(name))
          enqueue.sendTo(name, {
            type: 'STOP',
            timeoutMs: componentTime(context.stopMs, leftMs, deadlineMs),
            reason: context.reason,
          });
    }),
    /** A child that is done stays in `children` until it is stopped. */
    drop: enqueueActions(({ context, enqueue }, params: { id: string; line: ComponentLine }) => {
      enqueue.stopChild(params.id);
      enqueue.assign({
        pending: without(context.pending, params.id),
        lines: [...context.lines, params.line],
      });
      enqueue.emit(endNotice(params.line));
    }),
    force: enqueueActions(({ context, enqueue }) => {
      const now = context.now();
      const lines = [...context.pending].map((name) => {
        const why = context.asked.has(name) ? undefined : 'what depends on it left it no time to be stopped';
        return cleanup(name, 'forced', context.stopSince, now, why);
      });
      for (const line of lines) {
        enqueue.stopChild(line.name);
        enqueue.emit(endNotice(line));
      }
      enqueue.assign({ pending: new Set(), lines: [...context.lines, ...lines] });
    }),
    askChecks: enqueueActions(({ context, enqueue }) => {
      const timeoutMs = leftUntil(context, forceAfter);
      // What never began is not called at all.
      for (const name of context.begun)
        enqueue.spawnChild('verify', { id: checkId(name), input: { name, timeoutMs } });
      enqueue.assign({ checking: context.begun });
    }),
    /** Under the component's name: several may look at what they call rows. */
    noteChecks: enqueueActions(({ context, enqueue }, params: { id: string; checks: readonly Check[] }) => {
      const component = checkedName(params.id);
      const named = params.checks.map((check) => ({ ...check, name: `${component}.${check.name}` }));
      enqueue.stopChild(params.id);
      enqueue.assign({
        checking: without(context.checking, component),
        checks: [...context.checks, ...named],
      });
    }),
    noteCheckFailed: enqueueActions(({ context, enqueue }, params: { id: string; error: unknown }) => {
      const name = checkedName(params.id);
      enqueue.stopChild(params.id);
      enqueue.assign({
        checking: without(context.checking, name),
        checks: [...context.checks, { name, outcome: 'failed', detail: describe(params.error) }],
      });
    }),
    skipChecks: enqueueActions(({ context, enqueue }) => {
      for (const name of context.checking) enqueue.stopChild(checkId(name));
      const skipped = [...context.checking].map(
        (name): Check => ({ name, outcome: 'skipped', detail: 'it was not done in time' }),
      );
      enqueue.assign({ checking: new Set(), checks: [...context.checks, ...skipped] });
    }),
    noteResources: assign({
      checks: ({ context }, params: { checks: readonly Check[] }) => [...context.checks, ...params.checks],
    }),
    noteStopped: assign({ stopTook: ({ context }) => Math.round(passed(context)) }),
  },
  guards: {
    allRun: ({ context }) => context.components.every(({ name }) => context.running.has(name)),
    allEnded: ({ context }) => context.pending.size === 0,
    allChecked: ({ context }) => context.checking.size === 0,
    nobodyLooks: ({ context }) => context.resources === undefined,
  },
  delays: {
    stopTimeout: ({ context }) => leftUntil(context, forceAfter),
    checkTimeout: ({ context }) => leftUntil(context, forceAfter),
    lookTimeout: ({ context }) => leftUntil(context, reportAfter),
  },
});

/** What the look at the process is told. */
export const resourcesOrder = (context: Context): ResourcesOrder => ({
  baseline: context.baseline,
  look: context.resources ?? (() => []),
  timeoutMs: leftUntil(context, reportAfter),
  forced: context.lines
    .flatMap(({ outcome, parts = [] }) => [outcome, ...parts.map((part) => part.outcome)])
    .includes('forced'),
});
