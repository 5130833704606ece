/** What is refused before anybody looks at what was asked for. */
import type { IncomingMessage } from 'node:http';
import type { Hosts } from './hosts.ts';

/** As much of a request as tells whether it may be answered. */
export interface Asked {
  readonly method: string;
  /** The request target, verbatim. */
  readonly url: string;
  /** All headers of these names. */
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  /** It brings or announces a body. */
  readonly hasBody: boolean;
}

export interface Refusal {
  readonly status: 400 | 403 | 405 | 414;
  /** Says what to do. Nothing of what was asked is in it. */
  readonly text: string;
}

/** Nothing that is served has a longer address. */
const URL_MAX = 2_048;

const refusal = (status: Refusal['status'], text: string): Refusal => ({ status, text });

/**
 * Why a request is not answered; undefined: it may be. Who asks must know a name of ours (a page that has rebound its own
 * name does not) and be no page of another origin; and all it may do is look.
 */
export function refusalOf({ method, url, hosts, origins, hasBody }: Asked, own: Hosts): Refusal | undefined {
  const [host] = hosts;
  if (host === undefined || hosts.length > 1) return refusal(400, 'a request needs one Host header');
  if (!own.allows(host))
    return refusal(
      403,
      'this Host is no name of the inspector: ask by 127.0.0.1 or localhost and the port it listens on, ' +
        "or name the host in the option 'allowedHosts'",
    );
  const [origin] = origins;
  if (origins.length > 1 || (origin !== undefined && !own.allowsOrigin(origin, host)))
    return refusal(403, 'pages of other origins may not ask the inspector: open its own page');
  if (method !== 'GET') return refusal(405, 'the inspector only shows: nothing but GET is answered');
  if (url.length > URL_MAX) return refusal(414, `no address here is longer than ${URL_MAX} characters`);
  if (hasBody) return refusal(400, 'a GET brings no body');
  if (pathOf(url) === undefined) return refusal(400, 'this is no path');
  return undefined;
}

/** The same of a request as Node has it. */
export function askedOf(request: IncomingMessage): Asked {
  const { method = '', url = '', headersDistinct: headers } = request;
  const length = headers['content-length']?.[0] ?? '0';
  return {
    method,
    url,
    hosts: headers['host'] ?? [],
    origins: headers['origin'] ?? [],
    hasBody: length !== '0' || headers['transfer-encoding'] !== undefined,
  };
}

/** The parts of a path, decoded, without its query: `/api/a%2Fb` is `api`, `a/b`. Undefined when it is none. */
export function pathOf(url: string): string[] | undefined {
  if (!url.startsWith('/')) return undefined;
  const [path = ''] = url.slice(1).split(/[?#]/, 1);
  try {
    const parts = path.split('/').map(decodeURIComponent);
    return parts.some((part) => part.includes('\0')) ? undefined : parts;
  } catch {
    return undefined;
  }
}
