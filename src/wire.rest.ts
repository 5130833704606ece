/** The part of the composition root that asks the exchange by REST: one client, one quota, one session. */
import { closeOnFault } from '../machines/close-on-fault.ts';
import { type RestSessionInput, restSessionMachine } from '../machines/rest-session.machine.ts';
import { type Quota, quotaOf } from './actors/quota.ts';
import { rememberBans } from './actors/remember-bans.ts';
import { callActor, releaseActor } from './actors/rest-session.ts';
import type { NetworkUrls } from './options.ts';
import type { Clock, HttpClient, Logger, Random } from './ports.ts';
import type { DeadlineCleanup } from './supervisor/deadline-cleanup.ts';
import { realWorld, type World } from './world.ts';

const QUEUE_MAX = 10_000;
const CALLS_MAX = 4;
const RETRIES_MAX = 3;

export function wireRest(ports: {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly exchange: { urls(): Pick<NetworkUrls, 'restUrl'> };
  /** Of the store, beside which bans are written down; undefined: nowhere. */
  readonly path: string | undefined;
  readonly world?: World;
}) {
  const { clock, random, logger, exchange, path, world = realWorld } = ports;
  let client: HttpClient | undefined;
  const http = (): HttpClient => {
    client ??= world.createHttpClient(clock);
    return client;
  };
  const close = async (): Promise<void> => {
    const closing = client;
    client = undefined;
    await closing?.close();
  };

  // Shared by all who ask that exchange. An embedded one has an address only when it runs.
  const restUrl = (): string => exchange.urls().restUrl;
  const quota = (): Quota => quotaOf(clock, restUrl());
  let forgetBans = (): void => {};

  const machine = closeOnFault(
    restSessionMachine.provide({
      actors: { call: callActor({ clock, http, restUrl, quota }), release: releaseActor(close) },
    }),
  );
  const input: RestSessionInput = {
    id: 'rest',
    queueMax: QUEUE_MAX,
    callsMax: CALLS_MAX,
    retriesMax: RETRIES_MAX,
    quota: {
      held: () => quota().held(),
      waitMs: (weight, priority) => quota().waitMs(weight, priority),
      begin: (call, weight) => quota().begin(call, weight),
    },
    random,
    now: () => clock.now(),
  };
  return {
    machine,
    input,
    quota,
    /** Takes over the bans that an earlier run was told, and writes down those to come. */
    obeyBans(): void {
      if (path === undefined) return;
      forgetBans();
      const { bans } = world.disk;
      forgetBans = rememberBans({ quota: quota(), clock, logger, bans, path, restUrl: restUrl() });
    },
    /** Lets go of connections that a forced stop has left. */
    release(cleanup: DeadlineCleanup): void {
      forgetBans();
      if (client !== undefined) cleanup.add('rest.connections', close);
    },
  };
}
