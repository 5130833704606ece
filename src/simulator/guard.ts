import type { IncomingMessage } from 'node:http';

/** Hosts on which the servers may listen: the simulated exchange never leaves the machine. */
export const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '::1'];

const LOCAL = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/iu;
const ORIGIN = /^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/iu;

/**
 * Whether a request comes from this machine's own programs. A foreign Host is a page that rebinds its name
 * to loopback, a foreign Origin is a page that reaches out across sites.
 */
export function isLocalRequest(request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  return host !== undefined && LOCAL.test(host) && (origin === undefined || ORIGIN.test(origin));
}

/** Base URL parts of a listening address. */
export const authority = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
