import {
  type ActorRefFrom,
  type AnyActorLogic,
  type AnyActorRef,
  createActor,
  createMachine,
  fromPromise,
  type PromiseActorLogic,
  toPromise,
} from 'xstate';
import {
  type RestCall,
  type RestRequest,
  type RestSessionInput,
  restSessionMachine,
} from '../../machines/rest-session.machine.ts';
import { type RestPort, restPort } from '../../src/actors/rest-port.ts';
import type { VenueRequest } from '../../src/binance/rest.ts';
import type { Clock, Logger } from '../../src/ports.ts';

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
  return hostedSession({
    call: fromPromise<unknown, RestCall>(({ input, signal }) => call(input.request, signal)),
    input: { callsMax: 1, queueMax: 2 },
  });
}

/** A REST session below a parent that writes down what it hears. Nothing limits it unless a quota is given. */
export function hostedSession({
  call,
  input = {},
  clock,
}: {
  call: PromiseActorLogic<unknown, RestCall>;
  input?: Partial<RestSessionInput>;
  clock?: Clock;
}) {
  const heard: Record<string, unknown>[] = [];
  const machine = restSessionMachine.provide({
    actors: { call, release: fromPromise<void>(async () => {}) },
  });
  const given: RestSessionInput = {
    id: 'rest',
    queueMax: 3,
    callsMax: 4,
    retriesMax: 3,
    quota: { held: () => undefined, waitMs: () => 0, begin: () => {} },
    random: () => 0.5,
    now: () => 0,
    ...input,
  };
  const parent = createActor(
    createMachine({
      invoke: { src: machine as never, id: 'rest', systemId: 'rest', input: () => given as never },
      on: { '*': { actions: ({ event }) => heard.push(event) } },
    }),
    clock === undefined ? {} : { clock: clock as never },
  ).start();
  const actor = parent.getSnapshot().children['rest'] as unknown as ActorRefFrom<typeof restSessionMachine>;
  return { actor, parent, heard, rest: restPort(() => parent) };
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
