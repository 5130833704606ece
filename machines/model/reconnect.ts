import type { Ending } from './backoff.ts';

/** Why a connection was given up and dialled anew. */
export type ReconnectCause = (typeof RECONNECT_CAUSES)[number];

/**
 * `closed`: by the peer or the network; `announced`: closed after the exchange had said so; `refused`: the handshake was
 * answered with an HTTP status; `unreachable`: it was not answered; `unacknowledged`: the subscription was refused or not
 * acknowledged; `silent`: no sign of life (half-open), or no data and nobody could tell why; `mute`: its symbols trade
 * and no data came; `garbled`: its frames could not be understood; `failed`: a fault of ours, or no permit to dial.
 */
export const RECONNECT_CAUSES = [
  'closed',
  'announced',
  'refused',
  'unreachable',
  'unacknowledged',
  'silent',
  'mute',
  'garbled',
  'failed',
] as const;

/** How often each, to be counted in. */
export type ReconnectCounts = Record<ReconnectCause, number>;

export const noReconnects = (): ReconnectCounts =>
  Object.fromEntries(RECONNECT_CAUSES.map((cause) => [cause, 0])) as ReconnectCounts;

/** Why a socket is gone that closed, and was not given up by us. */
export function causeOfClose(end: Ending, hasOpened: boolean): ReconnectCause {
  if (end.announced) return 'announced';
  if (end.status !== undefined) return 'refused';
  return hasOpened ? 'closed' : 'unreachable';
}
