import type { CleanupContext, CleanupReport } from '../../machines/cleanup.setup.ts';
import type { Lifetimes } from '../../machines/collector.setup.ts';
import type { FeedOutput } from '../../machines/feed.types.ts';
import type { HistoryLife } from '../../machines/history.setup.ts';
import type { Cleanup } from '../../machines/model/cleanup.ts';
import type { Run as SupervisedRun } from '../../machines/supervisor.setup.ts';
import type { SupervisorInput } from '../../machines/supervisor.types.ts';
import { type Ending, living } from './ending.ts';
import type { machineModels } from './machines.ts';
import type { Session } from './walk/index.ts';

type Run = Session<never>;

/** A machine that ends for good has come to its final state, and its output is its report. */
const final = (name: string, ask: Ending['ask'], withinMs: number): Ending => ({
  ask,
  again: { ...ask, withinMs: 60_000 },
  withinMs,
  isOver: (run) => run.snapshot.status === 'done',
  lines: (run) => {
    const output = run.snapshot.output as Cleanup | undefined;
    return output === undefined ? [] : [output];
  },
  parts: () => ({ always: [name], unlessClosed: [] }),
});

/** One that is told how long it has. */
const closing = (name: string): Ending => final(name, { type: 'CLOSE', withinMs: 3_000 }, 3_000);

const collectorLines = (run: Run): readonly Cleanup[] => (run.snapshot.context as unknown as Lifetimes).lines;

/** How each machine ends. One that is not described here fails the tests. */
export const endings: Readonly<Record<keyof typeof machineModels, Ending>> = {
  process: {
    // The application's five seconds, one of grace, and what the log may take when the exit is forced.
    ...final('process', { type: 'SIGNAL', signal: 'SIGTERM' }, 5_000 + 1_000 + 300),
    // A second signal is another wish: test/machines/process.test.ts.
    again: { type: 'END', reason: 'finished' },
    // Its report is an exit code.
    lines: ({ snapshot: { output } }) =>
      output === undefined ? [] : [{ name: 'process', outcome: 'closed', durationMs: 0 }],
  },
  supervisor: {
    ask: { type: 'STOP', reason: 'asked' },
    again: { type: 'STOP', reason: 'asked again', timeoutMs: 60_000 },
    // The last look ends a quarter of the reserve before the caller's deadline, in whole ms.
    withinMs: Math.floor(5_000 - 250 / 4),
    isOver: (run) => run.snapshot.value === 'stopped',
    lines: (run) => (run.snapshot.context as unknown as SupervisedRun).lines,
    parts: ({ snapshot: { value, context } }) => {
      const { components, pending } = context as unknown as SupervisorInput & SupervisedRun;
      // What never began is closed, too.
      const always = value === 'idle' ? components.map(({ name }) => name) : [...pending];
      return { always, unlessClosed: [] };
    },
    // A START after the end begins a new life.
    happens: (step) => !step.startsWith('START'),
  },
  component: {
    ...final('prices', { type: 'STOP', reason: 'asked', timeoutMs: 3_000 }, 3_000),
    again: { type: 'STOP', reason: 'asked again', timeoutMs: 60_000 },
  },
  cleanup: {
    ...final('cleanup', { type: 'RUN', withinMs: 5_000 }, 5_000),
    lines: ({ snapshot: { output } }) => (output as CleanupReport | undefined)?.tasks ?? [],
    parts: (run) => ({
      always: (run.snapshot.context as unknown as CleanupContext).tasks.map(({ name }) => name),
      unlessClosed: [],
    }),
    // What joins while it runs was not there when it was asked.
    happens: (step) => !step.startsWith('ADD'),
  },
  collector: {
    ask: { type: 'STOP', reason: 'asked' },
    again: { type: 'STOP', reason: 'asked again', timeoutMs: 60_000 },
    // Ten seconds of the caller's, less what it takes to write the report.
    withinMs: 10_000 - 250,
    isOver: (run) => run.snapshot.value === 'stopped',
    lines: collectorLines,
    // What asks the exchange and the helpers are simply stopped.
    parts: (run) => ({
      always: living(run).filter((id) => /^(store|rest|feed)/u.test(id)),
      unlessClosed: [],
    }),
    // A START after the end begins a new life.
    happens: (step) => step !== 'START',
  },
  feed: {
    ...closing('feed'),
    lines: (run) =>
      ((run.snapshot.output ?? run.snapshot.context) as unknown as Pick<FeedOutput, 'lines'>).lines,
    // Streams have nothing to close, and are stopped with it.
    parts: (run) => ({ always: ['feed'], unlessClosed: living(run).filter((id) => id.startsWith('feed.')) }),
  },
  connection: closing('connection'),
  // It owns nothing that takes time to end.
  klineStream: final('BTCUSDT@1m', { type: 'CLOSE' }, 0),
  restSession: closing('rest'),
  store: closing('store'),
  history: {
    ...final('history', { type: 'STOP', reason: 'asked' }, 5_000 - 250),
    again: { type: 'STOP', reason: 'asked again', timeoutMs: 60_000 },
    lines: ({ snapshot }) => (snapshot.output ?? (snapshot.context as unknown as HistoryLife)).lines,
    parts: ({ snapshot: { value, context } }) => {
      const { pending } = context as unknown as HistoryLife;
      if (value === 'idle' || value === 'stopped') return { always: [], unlessClosed: [] };
      return { always: value === 'sealing' ? pending : [...pending, 'store', 'archive'], unlessClosed: [] };
    },
    // A START in the same turn as the STOP comes too late.
    happens: (step) => step !== 'START',
  },
};
