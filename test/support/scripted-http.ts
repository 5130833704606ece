/** An HTTP server that answers as a test says, and a REST session on it made of the real parts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { Quota } from '../../src/actors/quota.ts';
import type { RestPort } from '../../src/actors/rest-port.ts';
import { callActor } from '../../src/actors/rest-session.ts';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { createHttpClient } from '../../src/transport/http.ts';
import { hostedSession } from '../actors/harness.ts';

export type Reply = (response: ServerResponse, request: IncomingMessage, number: number) => void;

export interface ScriptedHttp {
  readonly url: string;
  /** When each request came, monotonic ms, and what it asked for. */
  readonly arrivals: { readonly at: number; readonly path: string }[];
}

/** Answers each request by the next reply; those behind the last one get the last. */
export async function scriptedHttp(...replies: Reply[]): Promise<ScriptedHttp> {
  const arrivals: ScriptedHttp['arrivals'] = [];
  const server = createServer((request, response) => {
    const number = arrivals.push({ at: performance.now(), path: request.url ?? '' }) - 1;
    response.on('error', () => {});
    (replies[number] ?? replies.at(-1))?.(response, request, number);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrivals };
}

/** An answer with this status, body and headers. */
export const says =
  (status: number, body: unknown = {}, headers: Record<string, string> = {}): Reply =>
  (response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };

/** The WAF's page: no JSON. */
export const WAF_PAGE = '<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD></HTML>';
export const TOO_MANY = { code: -1003, msg: 'Too many requests; current limit is 2400 per minute.' };

export interface SessionOn {
  readonly rest: RestPort;
  readonly quota: Quota;
  /** Of the session, as `busy` or `rateLimited.told`. */
  state(): string;
  /** What the session told its parent. */
  readonly heard: Record<string, unknown>[];
}

/** A REST session on that server. Sessions that are given the same quota share it. */
export function sessionOn(
  restUrl: string,
  {
    clock = systemClock,
    quota = new Quota(clock),
    timeoutMs = 5_000,
  }: { clock?: Clock; quota?: Quota; timeoutMs?: number } = {},
): SessionOn {
  const client = createHttpClient(systemClock);
  const ports = { clock, http: () => client, restUrl: () => restUrl, quota: () => quota, timeoutMs };
  const { actor, parent, heard, rest } = hostedSession({
    call: callActor(ports),
    clock,
    input: { quota, queueMax: 1_000, now: () => clock.now() },
  });
  onTestFinished(async () => {
    parent.stop();
    await client.close();
  });
  const state = (): string => {
    const { value } = actor.getSnapshot();
    const open = typeof value === 'object' && 'open' in value ? value.open : value;
    return typeof open === 'object' ? Object.entries(open ?? {})[0]!.join('.') : String(open);
  };
  return { rest, quota, heard, state };
}
