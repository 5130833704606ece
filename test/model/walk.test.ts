import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createMachine, type EventObject, enqueueActions, fromPromise, raise } from 'xstate';
import { countsTable, summarize, summary, transitionsTable } from './summary.ts';
import {
  catalog,
  defineMachineWalks,
  examine,
  Ledger,
  model,
  planWalks,
  Session,
  stub,
} from './walk/index.ts';
import {
  againModel,
  crashing,
  everythingModel,
  parallelModel,
  preemptedModel,
  snapshotModel,
} from './walk.samples.ts';

// The tool on machines that are right: everything is walked.
defineMachineWalks('sample: everything', everythingModel);
defineMachineWalks('sample: again', againModel);
defineMachineWalks('sample: parallel', () => parallelModel);
defineMachineWalks('sample: snapshots', snapshotModel);

const labelsOf = (machine: Parameters<typeof catalog>[0]): string[] => catalog(machine).map((it) => it.label);

describe('the catalog', () => {
  test('lists every transition with a readable label', () => {
    expect(labelsOf(everythingModel.machine)).toEqual([
      'everything --NOTE--> (stays)',
      'everything.idle --START [many]--> everything.crowd',
      'everything.idle --START--> everything.calling',
      'everything.idle --NOTE--> (ignored)',
      'everything.calling --done(call)--> everything.live',
      'everything.calling --error(call) [sharp]--> everything.closed',
      'everything.calling --error(call)--> everything.waiting',
      'everything.calling --after(deadline)--> everything.waiting',
      'everything.waiting --after(backoff)--> everything.calling',
      'everything.waiting --always [triedTwice]--> everything.closed',
      'everything.live --SAID--> (stays)',
      'everything.live --LATER--> (stays)',
      'everything.live --socket.*--> everything.live',
      'everything.live --*--> (stays)',
      'everything.live --done-state--> everything.closed',
      'everything.live.listening --after(heartbeat) [fresh]--> everything.live.listening',
      'everything.live.listening --after(heartbeat)--> everything.live.over',
      'everything.crowd --done(*)--> (stays)',
      'everything.crowd --error(*)--> (stays)',
      'everything.crowd --always [allGone]--> everything.closed',
    ]);
  });

  test('tells equal labels apart and names combined and inline guards', () => {
    const machine = createMachine({
      id: 'm',
      on: {
        A: [
          { guard: () => false, actions: () => {} },
          { guard: () => true, actions: () => {} },
        ],
      },
    });
    expect(labelsOf(machine)).toEqual(['m --A [inline]--> (stays)', 'm --A [inline]--> (stays) #2']);
  });

  test('lists a snapshot of a child', () => {
    expect(labelsOf(snapshotModel.machine)).toContain(
      'watching.on --snapshot(child) [inline]--> watching.off',
    );
  });
});

describe('the tool can fail', () => {
  test('a guard that can never refuse is named', () => {
    const machine = createMachine({
      id: 'm',
      on: { A: { guard: () => true, actions: () => {} } },
    });
    expect(examine({ machine }).missing).toEqual(['m --A [inline]--> (stays) (guard refusing)']);
  });

  test('a guard that can never hold is named', () => {
    const machine = createMachine({
      id: 'm',
      on: { A: { guard: () => false, actions: () => {} } },
    });
    expect(examine({ machine }).missing).toEqual(['m --A [inline]--> (stays)']);
  });

  test('an `after` that an earlier one always precedes is named', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { after: { 10: 'b', 20: 'c' } }, b: {}, c: {} },
    });
    expect(examine({ machine }).missing).toEqual(['m.a --after(20)--> m.c']);
  });

  test('the transitions of an unreachable state are named', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { on: { GO: 'b' } },
        b: {},
        island: { on: { X: 'a' }, after: { 5: 'b' } },
      },
    });
    expect(examine({ machine }).missing).toEqual(['m.island --X--> m.a', 'm.island --after(5)--> m.b']);
  });

  test('a done that never comes is named, and the child that nobody can end', async () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: {
          invoke: {
            id: 'call',
            src: fromPromise(async () => new Promise(() => {})),
            onDone: 'b',
            onError: 'b',
          },
        },
        b: {},
      },
    });
    const { missing, plan } = examine({ machine });
    expect(missing).toEqual(['m.a --done(call)--> m.b', 'm.a --error(call)--> m.b']);
    expect(plan.exploration.undriven).toEqual(['call']);
  });

  test('the second of two shadowed `always` is named', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { always: [{ target: 'b' }, { target: 'c' }] },
        b: {},
        c: {},
      },
    });
    expect(examine({ machine }).missing).toEqual(['m.a --always--> m.c']);
  });

  test('a transition that is pre-empted in a parallel region is not counted', () => {
    expect(examine(preemptedModel).missing).toEqual(['preempted.both.right.b --LEAVE--> lost']);
  });

  test('a machine that sends to a child that ended is reported with the sequence', () => {
    const { faults } = examine({ machine: crashing, errors: () => [] });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^child child ends → PING : Unable to send event to actor 'child'/);
  });

  test('a child that fails without anybody listening is reported', () => {
    const { faults } = examine({ machine: crashing, outputs: () => [] });
    expect(faults).toContain('child child fails: boom : boom');
  });

  test('a machine that crashes at its start is reported', () => {
    const machine = createMachine({
      context: () => {
        throw new Error('no context');
      },
    });
    expect(examine({ machine }).faults).toEqual(['(start) : no context']);
  });

  test('an action that throws is reported', () => {
    const bang = (): void => {
      throw new Error('bang');
    };
    const machine = createMachine({ id: 'm', on: { GO: { actions: bang } } });
    const { faults, missing } = examine({ machine });
    expect(faults).toEqual(['GO : bang']);
    expect(missing).toEqual(['m --GO--> (stays)']);
  });

  test('an endless loop of `always` is reported', () => {
    const machine = createMachine({
      id: 'm',
      options: { maxIterations: 100 },
      initial: 'rest',
      states: {
        rest: { on: { GO: 'a' } },
        a: { always: 'b' },
        b: { always: 'a' },
      },
    });
    expect(examine({ machine }).faults[0]).toMatch(/^GO : Infinite loop/);
  });

  test('spawning an id twice is reported: the first child is an orphan', () => {
    const spawn = enqueueActions(({ enqueue }) => {
      enqueue.spawnChild(stub, { id: 'kid' });
    });
    const machine = createMachine({
      id: 'm',
      on: { GO: { actions: spawn }, 'xstate.error.actor.*': {} },
    });
    const { faults } = examine({
      machine,
      outputs: () => [],
      errors: () => [],
    });
    expect(faults[0]).toBe('GO → GO : child kid lives on, unknown to the machine');
  });

  test('a child that outlives the machine’s end is reported by the walk', () => {
    const spawn = enqueueActions(({ enqueue }) => {
      enqueue.spawnChild(stub, { id: 'kid' });
      enqueue.spawnChild(stub, { id: 'kid' });
    });
    const machine = createMachine({
      id: 'm',
      initial: 'on',
      states: { on: { on: { GO: { target: 'off', actions: spawn } } }, off: { type: 'final' } },
    });
    const { problems, faults } = examine({ machine });
    expect(problems).toContain('child kid outlives the machine');
    expect(faults).toEqual(['GO : child kid lives on, unknown to the machine']);
  });

  test('leaving a step out is reported', () => {
    expect(examine(everythingModel).missing).toEqual([]);
    expect(examine(everythingModel, 'after(deadline)').missing).toEqual([
      'everything.calling --after(deadline)--> everything.waiting',
      'everything.waiting --after(backoff)--> everything.calling',
      'everything.waiting --always [triedTwice]--> everything.closed',
    ]);
  });

  test('a world that grows without end hits the bound with a clear error', () => {
    const machine = createMachine({
      id: 'm',
      on: { MORE: { actions: ({ context }) => context['list'].push(1) } },
      context: () => ({ list: [] as number[] }),
    });
    expect(() =>
      planWalks({
        machine,
        maxStates: 50,
        abstract: (context) => context.list.length,
      }),
    ).toThrow(/m: more than 50 states within \d+ steps; abstract\(\) tells too much apart/);
  });

  test('a model may not send what only XState sends, nor events that nobody listens to', () => {
    const machine = createMachine({
      id: 'm',
      on: { '*': { actions: () => {} } },
    });
    expect(() =>
      planWalks({
        machine,
        events: () => ({ '*': [{ type: 'xstate.done.actor.x' }] }),
      }),
    ).toThrow(/by hand/);
    expect(() => planWalks({ machine, events: () => ({ TYPO: [{ type: 'TYPO' }] }) })).toThrow(
      /no transition listens/,
    );
    expect(() => planWalks({ machine, knobs: [{ label: 'x', run: () => {} }] })).toThrow(/abstract/);
  });
});

describe('exemptions', () => {
  const machine = createMachine({
    id: 'm',
    on: { A: { guard: () => true, actions: () => {} } },
  });
  const label = 'm --A [inline]--> (stays) (guard refusing)';
  const settled = (exempt: Record<string, string>) => {
    const { missing, badExemptions } = examine({ machine, exempt });
    return { missing, badExemptions };
  };

  test('one with a reason counts', () => {
    const reason = 'the guard is a seam for later and holds always today';
    expect(settled({ [label]: reason })).toEqual({
      missing: [],
      badExemptions: [],
    });
  });

  test.each(['', 'because', '               x'])('one without a reason is refused: %j', (reason) => {
    expect(settled({ [label]: reason }).badExemptions).toEqual([expect.stringContaining('without a reason')]);
  });

  test('one that is walked after all is refused', () => {
    const { badExemptions } = settled({
      'm --A [inline]--> (stays)': 'nobody ever sends this event',
    });
    expect(badExemptions).toEqual([expect.stringContaining('a walk shows it')]);
  });

  test('one for a transition that does not exist is refused', () => {
    const { badExemptions } = settled({
      'm --B--> (stays)': 'nobody ever sends this event',
    });
    expect(badExemptions).toEqual([expect.stringContaining('no such transition')]);
  });
});

describe('the ledger', () => {
  test('two ledgers on one machine do not count for each other, and the machine stays as it was', () => {
    const machine = createMachine({
      id: 'm',
      on: { A: { guard: () => false, actions: () => {} } },
    });
    const guard = catalog(machine)[0]?.transition.guard;
    const [first, second] = [new Ledger(machine), new Ledger(machine)];
    const session = new Session({ machine }, first);
    session.actor.send({ type: 'A' });
    expect([...first.met]).toEqual(['refused m|A|0']);
    expect([...second.met]).toEqual([]);
    expect(catalog(machine)[0]?.transition.guard).toBe(guard);
  });

  test('a ledger on a ledger’s machine still counts', () => {
    const machine = createMachine({
      id: 'm',
      on: { A: { guard: () => false, actions: () => {} } },
    });
    const outer = new Ledger(new Ledger(machine).machine);
    new Session({ machine }, outer).actor.send({ type: 'A' });
    expect(outer.missing().map((it) => it.label)).toEqual(['m --A [inline]--> (stays)']);
  });
});

describe('a session', () => {
  test('hears what is sent to the parent and what is emitted', () => {
    const session = new Session(everythingModel, new Ledger(everythingModel.machine));
    session.actor.send({ type: 'START', mode: 'one' } as EventObject);
    session.children['call']?.send({ type: 'stub.end', output: 1 });
    session.actor.send({ type: 'ANYTHING' });
    expect(session.heard.map((event) => event.type)).toEqual(['LIVE']);
    expect(session.emitted.map((event) => event.type)).toEqual(['noted']);
    session.close();
    expect(session.survivors()).toEqual([]);
  });

  test('lets time pass to the timer that is due, firing earlier ones on the way', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      after: { 50: { actions: () => {} } },
      states: {
        a: { after: { 10: 'b' } },
        b: { entry: raise({ type: 'X' }, { delay: 5 }) },
      },
    });
    const session = new Session({ machine, startAt: 1_000 }, new Ledger(machine));
    expect(session.timers().map((timer) => timer.due)).toEqual([1_010, 1_050]);
    session.letFire('xstate.after.50.m');
    expect(session.clock.now()).toBe(1_050);
    expect(session.snapshot.value).toBe('b');
    expect(session.timers()).toEqual([]);
  });
});

describe('the summary', () => {
  test('counts per machine and lists transitions', () => {
    const models = { again: againModel, parallel: () => parallelModel };
    expect(countsTable(summarize(models))).toBe(
      [
        '| machine | states | transitions | obligations | walked |',
        '| --- | --- | --- | --- | --- |',
        '| again | 2 | 2 | 2 | 2 |',
        '| parallel | 8 | 5 | 5 | 5 |',
        '| **all** | 10 | 7 | 7 | 7 |',
      ].join('\n'),
    );
    expect(transitionsTable(againModel.machine)).toContain('| 1 | again.stopped | START | again.running |');
    expect(summary(models)).toContain('## parallel');
  });

  test('obligations are covered by few walks', () => {
    const { report } = examine(everythingModel);
    expect(report).toMatchObject({
      transitions: 20,
      obligations: 25,
      walked: 25,
    });
    expect(report.walks).toBeLessThan(15);
  });
});

/** The registered tests themselves, in a run of their own that leaves a step out. */
test.skipIf(process.env['OMIT'] !== undefined)(
  'OMIT makes the registered tests fail and name what is missing',
  async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const vitest = `${root}node_modules/vitest/vitest.mjs`;
    const args = [vitest, 'run', 'test/model/walk.test.ts', '-t', 'sample: again', '--reporter=verbose'];
    const env = { ...process.env, OMIT: 'STOP', NO_COLOR: '1' };
    const run = promisify(execFile)(process.execPath, args, { cwd: root, env });
    const { stdout = '', stderr = '' } = await run.then(
      () => ({}),
      (failure) => failure,
    );
    expect(stdout + stderr).toContain('again.running --STOP--> again.stopped');
    expect(stdout + stderr).toMatch(/1 failed/);
  },
  60_000,
);

test('models are typed by their machine', () => {
  const events = () => ({ NOTE: [{ type: 'NOPE' as const }] });
  // @ts-expect-error an event that the machine does not know
  expect(model(everythingModel.machine)({ events }).events).toBe(events);
});
