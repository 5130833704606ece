import type { Outcome } from '../../machines/model/cleanup.ts';
import { supervisorMachine } from '../../machines/supervisor.machine.ts';
import type { Check, ComponentLine, ComponentPlan } from '../../machines/supervisor.types.ts';
import { model, type Session, stub } from './walk/index.ts';

const COMPONENTS: readonly ComponentPlan[] = [
  { name: 'state', dependsOn: [], deadlineMs: 1_000 },
  { name: 'orders', dependsOn: ['state'] },
];
const line = (name: string, outcome: Outcome): ComponentLine => ({ name, outcome, durationMs: 1 });
const ok: Check = { name: 'integrity', outcome: 'ok' };

/** Reports come from components that are there. */
const living = ({ children }: Session<never>): readonly string[] =>
  COMPONENTS.map(({ name }) => name).filter((id) => children[id]?.getSnapshot().status === 'active');

/** An application of one component, that another may join which needs it; they do as the walk pleases. */
export const supervisorModel = model(
  supervisorMachine.provide({ actors: { component: stub, verify: stub, resources: stub } }),
)({
  env: () => ({ looks: true }),
  starts: [
    { label: 'what the process holds is looked at', prepare: () => {} },
    { label: 'nobody looks at the process', prepare: (env) => Object.assign(env, { looks: false }) },
  ],
  input: (env, clock) => ({
    components: COMPONENTS.slice(0, 1),
    stopTimeoutMs: 5_000,
    resources: env.looks ? () => ['Timeout'] : undefined,
    now: () => clock.now(),
  }),
  events: (session) => {
    const { context } = session.snapshot;
    return {
      // The second joins once.
      REGISTER:
        context['components'].length === 1 ? [{ type: 'REGISTER', components: COMPONENTS.slice(1) }] : [],
      STOP: [{ type: 'STOP', reason: 'asked', timeoutMs: 3_000 }],
      'COMPONENT.RUNNING': living(session as never)
        .filter((id) => context['begun'].has(id) && !context['running'].has(id))
        .map((id) => ({ type: 'COMPONENT.RUNNING', id, durationMs: 1 })),
      'COMPONENT.FAILED': living(session as never)
        .filter((id) => context['begun'].has(id))
        .map((id) => ({
          type: 'COMPONENT.FAILED',
          id,
          message: `${id} ended by itself`,
          error: new Error('boom'),
        })),
    };
  },
  outputs: (id) => {
    if (id === 'resources' || id.startsWith('verify.')) return [[ok]];
    return (['closed', 'forced'] as const).map((outcome) => line(id, outcome));
  },
  abstract: (context, env) => [
    env.looks,
    context.components.length,
    [...context.begun].sort(),
    [...context.running].sort(),
    [...context.pending].sort(),
    [...context.asked].sort(),
    [...context.checking].sort(),
  ],
});
