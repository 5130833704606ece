import {
  type ActorRefFrom,
  type AnyActorLogic,
  type AnyActorRef,
  createActor,
  createMachine,
  fromPromise,
  toPromise,
} from 'xstate';
import { type RestRequest, restSessionMachine } from '../../machines/rest-session.machine.ts';
import { type RestPort, restPort } from '../../src/actors/rest-port.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import type { Logger } from '../../src/ports.ts';

/** Runs a promise actor to its end. */
export async function run<Output>(logic: AnyActorLogic, input?: unknown): Promise<Output> {
  return (await toPromise(createActor(logic, { input } as never).start())) as Output;
}

/** Runs a callback actor below a parent that writes down what it hears. */
export function host(logic: AnyActorLogic, input?: unknown) {
  const heard: Record<string, unknown>[] = [];
  const parent = createActor(
    createMachine({
      invoke: { src: logic as never, id: 'child', input: () => input as never },
      on: { '*': { actions: ({ event }) => heard.push(event) } },
    }),
  ).start();
  return {
    heard,
    types: (): unknown[] => heard.map((event) => event['type']),
    send: (event: { type: string; [key: string]: unknown }): void =>
      (parent.getSnapshot().children['child'] as AnyActorRef | undefined)?.send(event),
    stop: (): void => void parent.stop(),
  };
}

/** A REST port that answers by a function, and remembers what it was asked. */
export function fakeRest(reply: (request: VenueRequest, asked: number) => unknown) {
  const asked: VenueRequest[] = [];
  const rest: RestPort = {
    async ask(request, signal) {
      signal?.throwIfAborted();
      asked.push(request);
      return reply(request, asked.length);
    },
  };
  return { rest, asked };
}

/** A REST session as the collector has it, whose calls are answered by a function. */
export function session(call: (request: RestRequest, signal: AbortSignal) => Promise<unknown>) {
  const actor: ActorRefFrom<typeof restSessionMachine> = createActor(
    restSessionMachine.provide({
      actors: {
        call: fromPromise<unknown, RestRequest>(({ input, signal }) => call(input, signal)),
        release: fromPromise<void>(async () => {}),
      },
    }),
    { systemId: 'rest', input: { id: 'rest', queueMax: 3, now: () => 0 } },
  ).start();
  return { actor, rest: restPort(() => actor) };
}

export function fakeLogger() {
  const lines: { level: string; message: string; fields?: object }[] = [];
  const at =
    (level: string) =>
    (message: string, fields?: object): void =>
      void lines.push({ level, message, ...(fields === undefined ? {} : { fields }) });
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { logger, lines };
}
