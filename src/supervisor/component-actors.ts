/** What a component is made to do, as actors: what it throws, whatever it answers and however late, ends here. */
import { type CallbackActorLogic, fromCallback, fromPromise, type PromiseActorLogic } from 'xstate';
import type { ComponentEvent, StopOrder } from '../../machines/component.machine.ts';
import type { VerifyOrder } from '../../machines/supervisor.setup.ts';
import type { Check, Component, ComponentEnd } from './component.ts';
import { checksOf, endOf } from './report.ts';

export type FindComponent = (name: string) => Component;

/** Starts it and tells when that is done, or that it has ended by itself. */
export const lifeActor = (find: FindComponent): CallbackActorLogic<{ type: 'ABORT' }, { name: string }> =>
  fromCallback(({ input, sendBack, receive }) => {
    const breakOff = new AbortController();
    let underWay = true;
    const tell = (event: ComponentEvent): void => sendBack(event);
    const start = async (): Promise<void> => {
      await find(input.name).start?.(breakOff.signal, {
        ended: (error) => tell({ type: 'LIFE.ENDED', error }),
      });
    };
    start()
      .then(
        () => tell({ type: 'LIFE.STARTED' }),
        (error: unknown) => tell({ type: 'LIFE.FAILED', error }),
      )
      .finally(() => {
        underWay = false;
      });
    receive(() => breakOff.abort());
    // What runs is stopped and not broken off.
    return () => {
      if (underWay) breakOff.abort();
    };
  });

/** Stops it. The signal is aborted when its time is over; how it settles then is nobody's concern. */
export const stopActor = (find: FindComponent): PromiseActorLogic<ComponentEnd, StopOrder> =>
  fromPromise(async ({ input: { name, ...context }, signal }) =>
    endOf(await find(name).stop?.(signal, context)),
  );

/** Looks at its final state. */
export const verifyActor = (find: FindComponent): PromiseActorLogic<readonly Check[], VerifyOrder> =>
  fromPromise(async ({ input: { name, ...context }, signal }) => {
    const component = find(name);
    return component.verify === undefined ? [] : checksOf(await component.verify(signal, context));
  });
